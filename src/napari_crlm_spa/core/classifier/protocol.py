"""What inference asks of a classifier, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classifier.card import ModelCard
from napari_crlm_spa.core.stain import StainNormalizer


@dataclass(frozen=True, slots=True, eq=False)
class TilePredictions:
    """What a classifier says of tiles, from one look at them.

    Parameters
    ----------
    probabilities
        Shape (n, classes), calibrated; rows sum to 1.
    strangeness
        Shape (n,): how unlike the training tiles; above 1 is unusual. nan where the model cannot
        tell, since it has no reference set.
    stain_fallback
        Shape (n,): tiles whose own stain could not be told. None if others normalized the stain.
    """

    probabilities: NDArray[np.float32]
    strangeness: NDArray[np.float32]
    stain_fallback: NDArray[np.bool_] | None = None

    @classmethod
    def of(
        cls,
        probabilities: NDArray[np.float32],
        strangeness: NDArray[np.float32] | None = None,
        stain_fallback: NDArray[np.bool_] | None = None,
    ) -> TilePredictions:
        """Return predictions, also of a model that cannot tell what is strange."""
        if strangeness is None:
            strangeness = np.full(len(probabilities), np.nan, np.float32)
        return cls(probabilities, strangeness, stain_fallback)


class TileClassifier(Protocol):
    """What inference needs of a classifier; `runtime.Classifier` is one."""

    @property
    def card(self) -> ModelCard:
        """What the model is."""

    @property
    def batch_size(self) -> int:
        """Tiles that fit into one batch."""

    def predict(self, tiles: NDArray[np.uint8]) -> TilePredictions:
        """Return probabilities and strangeness of stain-normalized tiles (n, px, px, 3)."""


@runtime_checkable
class OverlappingClassifier(TileClassifier, Protocol):
    """A classifier whose device works while the next batch is prepared."""

    @property
    def in_flight(self) -> int:
        """Batches that are worth having begun at a time."""

    def start(self, tiles: NDArray[np.uint8]) -> Callable[[], TilePredictions]:
        """Begin to do what `predict` does; the memory of `tiles` may be used again at once."""


@runtime_checkable
class StainingClassifier(OverlappingClassifier, Protocol):
    """A classifier whose device can normalize the stain, too."""

    def stains_with(self, normalizer: StainNormalizer) -> bool:
        """Whether `start_raw` is the quicker way."""

    def start_raw(
        self, tiles: NDArray[np.uint8], normalizer: StainNormalizer
    ) -> Callable[[], TilePredictions]:
        """Begin as `start` does with tiles as they were read; `stain_fallback` is in the answer."""
