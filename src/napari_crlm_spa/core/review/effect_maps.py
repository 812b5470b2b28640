"""The SOFs of a map without each tile in turn, and how far each tile pushes the risk.

Leave-one-out values are of one tile at a time. They do not sum to a SOF or to the score, and must
never be added up over an area. How they are computed stands in `effects`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED, ClassScheme
from napari_crlm_spa.core.review.relabeling import Flags, Floats
from napari_crlm_spa.core.risk import RiskFeature, RiskModel
from napari_crlm_spa.core.risk.score import DECIMALS
from napari_crlm_spa.errors import ReviewError

#: Our choice: a push is shown for this share of the slide's tissue (1 %), so that the map's scale
#: does not depend on how large the slide is.
SHOWN_SHARE = 0.01


class PushKind(StrEnum):
    """What a push is measured against."""

    CUTOFFS = "share of the way to the cut-offs"
    ITSELF = "share of the features themselves (the model has no cut-offs)"


@dataclass(frozen=True, slots=True, eq=False)
class TileEffects:
    """The SOFs of a map without each tile in turn.

    Parameters
    ----------
    columns
        The SOFs, n of them.
    before
        Their values with all tiles, shape (n,).
    without
        Their values if the tile were background, shape (rows, cols, n), float64. NaN where no
        tile is counted, where the SOF could not be computed then, and where `pending`.
    refused
        Tiles without which the slide would get no risk, shape (rows, cols).
    pending
        Tiles that are not computed yet, shape (rows, cols); none once the work is done.
    classes
        The map that was weighed, a copy, shape (rows, cols), uint8.
    tissue_tiles
        The denominator of the ratios.
    refusal
        Why the slide as it is gets no risk; None if it may.
    scheme
        The classes.
    """

    columns: tuple[str, ...]
    before: Floats
    without: Floats
    refused: Flags
    pending: Flags
    classes: NDArray[np.uint8]
    tissue_tiles: int
    refusal: str | None
    scheme: ClassScheme

    @property
    def counted(self) -> Flags:
        """Tiles that have a class and are counted, shape (rows, cols)."""
        return np.not_equal(self.classes, NOT_CLASSIFIED)

    @property
    def change(self) -> Floats:
        """SOF without the tile minus SOF, shape (rows, cols, n)."""
        found: Floats = self.without - self.before
        return found

    def of(self, column: str) -> Floats:
        """SOF without the tile minus SOF, shape (rows, cols).

        Raises
        ------
        ReviewError
            If that SOF was not computed.
        """
        found: Floats = self.without[..., self._index(column)] - self.before[self._index(column)]
        return found

    def score_without(self, model: RiskModel) -> Floats:
        """Score if the tile were background, shape (rows, cols).

        NaN where no tile is counted or pending, and where the slide would get no score then.

        Raises
        ------
        ReviewError
            If the slide gets no risk, the model has no cut-offs, or a SOF of it is missing.
        """
        self._require_score(model)
        total = np.zeros(self.classes.shape)
        for feature in model.features:
            value = self.without[..., self._index(feature.column)]
            above = _above(value, feature)
            total += feature.coefficient * np.where(np.isnan(value), np.nan, above)
        total[self.refused] = np.nan
        found: Floats = np.round(total, DECIMALS) + 0.0
        return found

    def score_change(self, model: RiskModel) -> Floats:
        """Score without the tile minus score, shape (rows, cols).

        Exact, and 0 almost everywhere: the terms are dichotomized, so a single tile changes the
        score only if a SOF lies within a tile's effect of its cut-off.

        Raises
        ------
        ReviewError
            As for `score_without`.
        """
        found: Floats = np.round(self.score_without(model) - self._score(model), DECIMALS) + 0.0
        return found

    def flips(self, model: RiskModel) -> Flags:
        """Tiles without which the slide would be in the other risk group, shape (rows, cols)."""
        without = self.score_without(model)
        high = without >= model.threshold if model.comparison == ">=" else without > model.threshold
        found: Flags = (high != model.is_high(self._score(model))) & np.isfinite(without)
        return found

    def push(self, model: RiskModel, tiles: float = 1.0) -> Floats:
        """How far such tiles push the score, shape (rows, cols): positive raises it. Our measure.

        The sum over the terms of ``coefficient x clip(tiles x (SOF - SOF without) / |SOF -
        cut-off|, -1, 1)``: the share of the way from the SOF to its cut-off that the tile
        accounts for, at most all of it, times what the term weighs. In units of the score. For a
        model without cut-offs the way is that from the SOF to 0 (`push_kind`). A term that
        cannot be computed on this slide pushes nothing.

        It tells tiles apart where no single one changes the score. It is no probability, and
        pushes of several tiles do not add up.

        Parameters
        ----------
        model
            The risk model.
        tiles
            The push of so many such tiles, taken linearly from one; see `shown_push`.

        Raises
        ------
        ReviewError
            If the slide gets no risk, or a SOF of the model was not computed.
        """
        self._require_risk()
        by_cutoffs = push_kind(model) is PushKind.CUTOFFS
        total = np.where(self.counted, 0.0, np.nan)
        for feature in model.features:
            at = self._index(feature.column)
            before = self.before[at]
            if np.isnan(before):
                continue
            goal = feature.cutoff if by_cutoffs and feature.cutoff is not None else 0.0
            moved = tiles * (before - self.without[..., at])
            # On the cut-off itself any step is the whole way.
            way = max(abs(before - goal), np.finfo(np.float64).tiny)
            total += feature.coefficient * np.clip(moved / way, -1.0, 1.0)
        return total

    def shown_push(self, model: RiskModel, tissue_share: float = SHOWN_SHARE) -> Floats:
        """Push of so many such tiles as make a share of the slide's tissue, for a map.

        One tile's push shrinks as slides grow; that of 1 % of the tissue does not, so slides can
        be compared with the fixed limits of `push_limits`.
        """
        return self.push(model, tissue_share * self.tissue_tiles)

    def as_frame(self, model: RiskModel | None = None) -> pd.DataFrame:
        """Return one row per counted tile: row, col, class, each SOF's change, and the push.

        Parameters
        ----------
        model
            Adds ``push``, and ``score_change`` if the model has cut-offs.
        """
        rows, cols = np.nonzero(self.counted)
        names = np.array(["", *self.scheme.names])
        table: dict[str, Any] = {"row": rows, "col": cols}
        table["class"] = names[self.classes[rows, cols]]
        for column in self.columns:
            table[f"{column}_change"] = self.of(column)[rows, cols]
        if model is not None and self.refusal is None:
            table["push"] = self.push(model)[rows, cols]
            if not model.missing_cutoffs and self._known(model):
                table["score_change"] = self.score_change(model)[rows, cols]
        return pd.DataFrame(table)

    # -- inside ---------------------------------------------------------------------------

    def _index(self, column: str) -> int:
        try:
            return self.columns.index(column)
        except ValueError:
            raise ReviewError(
                f"The effect of tiles on {column} was not computed; "
                f"it was for {', '.join(self.columns)}."
            ) from None

    def _score(self, model: RiskModel) -> float:
        splits = [(f.split(float(self.before[self._index(f.column)])) or 0) for f in model.features]
        return float(
            round(sum(f.coefficient * s for f, s in zip(model.features, splits, strict=True)), 9)
        )

    def _known(self, model: RiskModel) -> bool:
        return all(np.isfinite(self.before[self._index(f.column)]) for f in model.features)

    def _require_risk(self) -> None:
        if self.refusal is not None:
            raise ReviewError(f"No tile pushes the risk of a slide without one. {self.refusal}")

    def _require_score(self, model: RiskModel) -> None:
        self._require_risk()
        if model.missing_cutoffs:
            raise ReviewError(
                f"The model {model.name} does not say where to split "
                f"{', '.join(model.missing_cutoffs)}, so there is no score that a tile could "
                "change. Choose a model with cut-offs, or look at single features."
            )
        if not self._known(model):
            raise ReviewError(
                "A feature of the score could not be computed on this slide, so there is no "
                "score that a tile could change. Look at single features instead."
            )


def _above(values: Floats, feature: RiskFeature) -> Flags:
    """`RiskFeature.split` of many values."""
    cutoff = np.nan if feature.cutoff is None else feature.cutoff
    found: Flags = values > cutoff if feature.direction == ">" else values >= cutoff
    return found


def push_kind(model: RiskModel) -> PushKind:
    """Say what `TileEffects.push` is measured against with a model."""
    return PushKind.ITSELF if model.missing_cutoffs else PushKind.CUTOFFS


def push_limits(model: RiskModel) -> tuple[float, float]:
    """Color limits of a push, the same for all slides: plus and minus the heaviest term."""
    heaviest = max(abs(feature.coefficient) for feature in model.features)
    return -heaviest, heaviest
