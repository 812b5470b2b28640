"""The slow work of the Doubt tab, and its results in words. No Qt."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import pandas as pd

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.review.adequacy import Adequacy
from napari_crlm_spa.core.review.doubt_queue import DoubtQueueOptions, doubt_queue
from napari_crlm_spa.core.review.effects import tile_effects
from napari_crlm_spa.core.review.interval import ScoreInterval
from napari_crlm_spa.core.risk import RiskModel, assess_risk
from napari_crlm_spa.core.spatial import SpatialFeatures

SCORE = "score"
ENTER = "Cut-offs are entered in the Risk tab: double-click one."


def queue_of(
    features: SpatialFeatures, model: RiskModel, options: DoubtQueueOptions
) -> Generator[Progress, None, pd.DataFrame]:
    """Order the tiles by doubt x weight in the risk; without a risk by doubt alone.

    Returns
    -------
    DataFrame
        As `doubt_queue`.
    """
    contribution = None
    if features.refusal is None:
        effects = yield from tile_effects(features, [f.column for f in model.features])
        contribution = effects.push(model)
    yield Progress("Ordering tiles", 0, 0, "tiles")
    return doubt_queue(features.tissue_map, contribution, options)


def no_flip_reason(features: SpatialFeatures, model: RiskModel) -> str:
    """Say why the group cannot be flipped, and the way out; empty if it can be tried."""
    if features.refusal is not None:
        return f"This slide gets no risk group that could flip. {features.refusal}"
    risk = assess_risk(features, model)
    if risk.group is None:
        way = f" {ENTER}" if model.missing_cutoffs else ""
        return f"{risk.reason}{way}"
    return ""


def queue_note(features: SpatialFeatures, model: RiskModel) -> str:
    """Say by what the tiles are ordered where it is not the way to the cut-offs."""
    if features.refusal is not None:
        return f"This slide gets no risk, so the order follows the doubt alone. {features.refusal}"
    if model.missing_cutoffs:
        return (
            "The risk model has no cut-offs, so a tile weighs by its share of the features, not "
            f"by what decides the group. {ENTER}"
        )
    return ""


def no_score_note(features: SpatialFeatures, model: RiskModel) -> str:
    """Say why features are shown and no score; empty if the score is known."""
    if features.refusal is not None:
        return f"Features only: this slide gets no score. {features.refusal}"
    if model.missing_cutoffs:
        return (
            f"Features only: {model.title or model.name} has no cut-offs, so there is no score. "
            f"{ENTER}"
        )
    risk = assess_risk(features, model)
    return "" if risk.score is not None else f"Features only: {risk.reason or 'no score'}"


def quantities(known_score: bool, model: RiskModel) -> tuple[str, ...]:
    """Name what is shown: the score if there is one, then the risk model's features."""
    columns = tuple(feature.column for feature in model.features)
    return (SCORE, *columns) if known_score else columns


def cut_of(quantity: str, model: RiskModel) -> float | None:
    """Return where a score or feature is split; None if the model does not say."""
    if quantity == SCORE:
        return model.threshold
    return next((f.cutoff for f in model.features if f.column == quantity), None)


def interval_line(found: ScoreInterval, quantity: str) -> str:
    """Say the interval of the score or of a feature."""
    row = found.summary().set_index("quantity").loc[quantity]
    level = f"{found.options.level:.0%}"
    if np.isnan(row["low"]):
        return f"No draw of {len(found.draws):,} has a {quantity}."
    what = "Score" if quantity == SCORE else quantity
    digits = ".3g" if quantity == SCORE else ".4f"
    own, low, high = (format(row[name], digits) for name in ("own", "low", "high"))
    parts = [f"{what} {own}; {level} of the draws lie within {low} to {high}."]
    if not row["low"] <= row["own"] <= row["high"] and not np.isnan(row["own"]):
        parts.append("The slide's own lies outside: it hangs on many tiles of which none is sure.")
    return " ".join(parts)


def share_line(found: ScoreInterval) -> str:
    """Say how many draws are in the high group, and how many get no risk."""
    parts = []
    if found.share_high is not None:
        own = "" if found.own_group is None else f" (the slide: {found.own_group})"
        parts.append(f"{found.share_high:.0%} of the draws are in the high group{own}.")
    if found.no_risk:
        n = len(found.draws)
        parts.append(f"{found.no_risk:,} of {n:,} draws have too little tumor for a risk.")
    settled = found.fixed_tiles
    parts.append(f"{found.free_tiles:,} tiles were drawn, {settled:,} that you settled were not.")
    return " ".join(parts)


def adequacy_line(found: Adequacy) -> str:
    """Say what the smallest parts give."""
    table = found.summary()
    small = table.iloc[0]
    parts = [f"Parts of {small['area_mm2']:.3g} mm² ({small['share']:.0%} of the tissue):"]
    n, none = int(small["parts"]), int(small["no_risk"])
    if found.own_group is not None:
        own = round(small["own_group_share_of_all"] * n)
        parts.append(f"{own} of {n} are in the slide's group ({found.own_group}),")
    parts.append(f"{none} of {n} have too little tumor for a risk.")
    return " ".join(parts)
