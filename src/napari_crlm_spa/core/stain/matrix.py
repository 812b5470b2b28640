"""Stain matrices, the stored reference, and the options of the estimation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.errors import StainError


@dataclass(frozen=True, slots=True, kw_only=True)
class StainOptions(Options):
    """How the stain is estimated and normalized."""

    method: str = option(
        "auto",
        "Where the stain is estimated: as the model was trained, once for the slide, for every "
        "tile (the paper), or not at all; without a model, auto is per_slide",
        choices=("auto", "per_slide", "per_tile", "none"),
        label="Stain normalization",
    )
    od_min: float = option(
        0.15,
        "Pixels with less optical density than this in any channel count as unstained (beta)",
        min=0.0,
        max=1.0,
        advanced=True,
        label="Unstained below",
    )
    angle_percentile: float = option(
        1.0,
        "Percentile of the angles taken as a pure stain (alpha)",
        min=0.0,
        max=20.0,
        unit="%",
        advanced=True,
        label="Pure stain percentile",
    )
    stained_min: float = option(
        0.02,
        "A tile with a smaller stained share uses the slide's stain (our assumption)",
        min=0.0,
        max=1.0,
        advanced=True,
        label="Smallest stained share",
    )
    separation_min_deg: float = option(
        5.0,
        "Two stains closer than this angle are not told apart; the slide's stain is used "
        "(our assumption)",
        min=0.0,
        max=45.0,
        unit="°",
        advanced=True,
        label="Smallest stain angle",
    )
    sample_tiles: int = option(
        64,
        "Tissue tiles from which a slide's stain is estimated",
        min=1,
        max=4096,
        advanced=True,
        label="Tiles sampled",
    )
    sample_px: int = option(
        4096,
        "Pixels drawn from each of those tiles",
        min=16,
        max=1_000_000,
        unit="px",
        advanced=True,
        label="Pixels per tile",
    )
    seed: int = option(0, "Seed of the sample", min=0, max=2**31 - 1, advanced=True)


@dataclass(frozen=True, slots=True, eq=False)
class StainMatrix:
    """The colors of hematoxylin and eosin, and how strong they are.

    Parameters
    ----------
    he
        Shape (3, 2), float64: unit vectors of optical density (rows R, G, B), hematoxylin
        first (the one with more red absorption), then eosin.
    max_c
        Shape (2,), float64: 99th percentile of either stain's concentration.
    source
        Where it comes from, in words, for the record of a run.
    """

    he: NDArray[np.float64]
    max_c: NDArray[np.float64]
    source: str = "estimated"

    def as_dict(self) -> dict[str, Any]:
        """Return plain lists, ready for JSON."""
        return {"he": self.he.tolist(), "max_c": self.max_c.tolist(), "source": self.source}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StainMatrix:
        """Read what `as_dict` wrote.

        Raises
        ------
        StainError
            If a part is missing or has another shape.
        """
        try:
            he = np.array(values["he"], dtype=np.float64)
            max_c = np.array(values["max_c"], dtype=np.float64)
        except (KeyError, TypeError, ValueError):
            he, max_c = np.empty(0), np.empty(0)
        if he.shape != (3, 2) or max_c.shape != (2,):
            raise StainError(
                "A stored stain is damaged: it needs `he` (3 rows of 2 numbers) and `max_c` "
                "(2 numbers). Estimate it anew by deleting it."
            )
        return cls(he, max_c, str(values.get("source", "stored")))


#: What every tile is normalized to: the target of the widely used ports of Macenko's code,
#: and of torchstain. The paper names no target of its own, so this choice is ours.
REFERENCE = StainMatrix(
    he=np.array([[0.5626, 0.2159], [0.7201, 0.8012], [0.4062, 0.5581]]),
    max_c=np.array([1.9705, 1.0308]),
    source="classic Macenko reference",
)
