"""What is known of one tile, looked up and never computed for the whole map. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import floor, isnan

import numpy as np
from scipy.special import entr

from napari_crlm_spa.core.classes import NOT_CLASSIFIED
from napari_crlm_spa.core.quality import QualityMark
from napari_crlm_spa.core.spatial import TISSUES, SpatialFeatures, Zone
from napari_crlm_spa.core.spatial.interaction import Neighborhoods
from napari_crlm_spa.core.spatial.regions import TUMOR
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.plugin.layers import noun
from napari_crlm_spa.plugin.layers.source import source_of
from napari_crlm_spa.plugin.session import OpenSlide, TileAt
from napari_crlm_spa.plugin.tables import short_title

#: What became of a tile that has no class.
WITHOUT_CLASS = {
    TileState.GLASS: "Glass, not analyzed",
    TileState.EXCLUDED: "Outside the regions of interest",
    TileState.PENDING: "Not analyzed yet",
    TileState.BLANK: "Blank, not classified",
    TileState.UNREADABLE: "The file is damaged here",
    TileState.SET_ASIDE: "Set aside",
}


@dataclass(frozen=True, slots=True)
class TileFacts:
    """Everything that is known of a tile.

    Parameters
    ----------
    row, col
        Its place on the grid.
    center_um
        (x, y) of its center in the slide's frame.
    name, title
        Of its class; without one, an empty name and the reason.
    predicted
        What the network said, where a reader says otherwise; else empty.
    state
        Of the tile.
    probabilities
        By class name; empty where it was not classified.
    confidence, entropy
        Of these; nan where it was not classified.
    strangeness
        How unlike the training tiles; nan where not known.
    zone
        Where it lies with respect to the tumor; NONE for other tissues and before the analysis
        has ended.
    distance_um
        To the nearest tile of a tumor region; nan where there is none.
    interaction
        For tumor tiles: share of each tissue in the 3x3 around; else empty.
    contribution
        To the risk (`TileEffects.shown_push`); nan where not known.
    marks
        Quality marks in words; empty without any.
    """

    row: int
    col: int
    center_um: tuple[float, float]
    name: str
    title: str
    predicted: str
    state: TileState
    probabilities: dict[str, float]
    confidence: float
    entropy: float
    strangeness: float
    zone: Zone
    distance_um: float
    interaction: dict[str, float]
    contribution: float
    marks: str


def tile_at(slide: OpenSlide, x_um: float, y_um: float) -> TileAt | None:
    """Return the tile at a point of the slide's frame; None beside the grid or without one."""
    tissue_map = slide.tissue_map
    if tissue_map is None or not (np.isfinite(x_um) and np.isfinite(y_um)):
        return None
    col = floor((x_um - tissue_map.origin_um[0]) / tissue_map.stride_um)
    row = floor((y_um - tissue_map.origin_um[1]) / tissue_map.stride_um)
    rows, cols = tissue_map.shape
    return TileAt(slide.id, row, col) if 0 <= row < rows and 0 <= col < cols else None


def facts_of(slide: OpenSlide, row: int, col: int) -> TileFacts | None:
    """Gather what is known of a tile; None if the slide has no such tile."""
    tissue_map = slide.tissue_map
    if tissue_map is None or not (
        0 <= row < tissue_map.shape[0] and 0 <= col < tissue_map.shape[1]
    ):
        return None
    state = TileState(int(tissue_map.state[row, col]))
    code = int(tissue_map.classes[row, col])
    p = tissue_map.probabilities[row, col].astype(np.float64)
    known = bool(p.any())
    stride, (x_um, y_um) = tissue_map.stride_um, tissue_map.origin_um
    features = slide.features
    return TileFacts(
        row=row,
        col=col,
        center_um=(x_um + (col + 0.5) * stride, y_um + (row + 0.5) * stride),
        name="" if code == NOT_CLASSIFIED else tissue_map.scheme.names[code - 1],
        title=_title(tissue_map, code, state),
        predicted=_predicted(slide, row, col),
        state=state,
        probabilities=dict(zip(tissue_map.scheme.names, p.tolist(), strict=True)) if known else {},
        confidence=float(p.max()) if known else float("nan"),
        entropy=float(entr(p).sum() / np.log(len(p))) if known else float("nan"),
        strangeness=float(tissue_map.strangeness[row, col]),
        zone=Zone.NONE if features is None else Zone(int(features.zone[row, col])),
        distance_um=float("nan") if features is None else _distance_um(features, row, col),
        interaction={} if features is None else _interaction(features, row, col),
        contribution=_contribution(slide, row, col),
        marks=""
        if slide.quality is None
        else QualityMark(int(slide.quality.marks[row, col])).title,
    )


def _title(tissue_map: TissueMap, code: int, state: TileState) -> str:
    if code != NOT_CLASSIFIED:
        return tissue_map.scheme.classes[code - 1].title
    return WITHOUT_CLASS.get(state, "Not classified")


def _predicted(slide: OpenSlide, row: int, col: int) -> str:
    if slide.review is None or slide.tissue_map is None:
        return ""
    code = int(slide.review.predicted.classes[row, col])
    changed = code != int(slide.tissue_map.classes[row, col])
    return short_title(slide.tissue_map.scheme.classes[code - 1]) if changed and code else ""


def _distance_um(features: SpatialFeatures, row: int, col: int) -> float:
    distance = float(features.distance_tiles[row, col]) * features.tissue_map.stride_um
    return distance if np.isfinite(distance) else float("nan")


def _contribution(slide: OpenSlide, row: int, col: int) -> float:
    source = source_of(slide)
    return float("nan") if source is None else source.push_at(row, col)


def _interaction(features: SpatialFeatures, row: int, col: int) -> dict[str, float]:
    """Count the 3x3 around a tumor tile by the rule of the whole map."""
    counted = features.tissue_map
    if counted.classes[row, col] != counted.scheme.code(TUMOR):
        return {}
    top, left = max(row - 1, 0), max(col - 1, 0)
    part = replace(counted, classes=counted.classes[top : row + 2, left : col + 2])
    around = Neighborhoods(part, features.options.interaction_denominator)
    here = (row - top, col - left)
    return {tissue: float(around.share_map(tissue)[here]) for tissue in TISSUES}


def lines(facts: TileFacts) -> list[str]:
    """Say what a tile is and who says so, where it lies and how sure that is, what is around."""
    x_mm, y_mm = facts.center_um[0] / 1000, facts.center_um[1] / 1000
    place = f"row {facts.row}, col {facts.col} · {x_mm:.2f}, {y_mm:.2f} mm"
    zone = facts.zone.name.lower() if facts.zone is not Zone.NONE else ""
    return [
        _joined(_what(facts), zone, _far(facts)),
        _joined(place, _number("entropy", facts.entropy), _number("strange", facts.strangeness)),
        _joined(_neighbors(facts), _pushes(facts), facts.marks),
    ]


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _number(name: str, value: float) -> str:
    return "" if isnan(value) else f"{name} {value:.2f}"


def _what(facts: TileFacts) -> str:
    if facts.state is TileState.EDITED:
        was = f", predicted {facts.predicted.lower()}" if facts.predicted else ""
        return f"{facts.title} (corrected{was})"
    if facts.state is TileState.ACCEPTED:
        was = f"; predicted {facts.predicted.lower()}" if facts.predicted else ""
        return f"{facts.title} (accepted{was})"
    if facts.state is TileState.SET_ASIDE and facts.predicted:
        return f"{facts.title} (predicted {facts.predicted.lower()})"
    return facts.title


def _far(facts: TileFacts) -> str:
    return f"{facts.distance_um / 1000:.2f} mm to tumor" if facts.distance_um > 0 else ""


def _neighbors(facts: TileFacts) -> str:
    """Name what lies next to a tumor tile, the most first."""
    if not facts.interaction:
        return ""
    shares = sorted(facts.interaction.items(), key=lambda each: -each[1])
    told = [f"{noun(tissue).lower()} {share:.2f}" for tissue, share in shares if share > 0]
    return f"next to {', '.join(told)}" if told else "only tumor around"


def _pushes(facts: TileFacts) -> str:
    """Tell the contribution; risk is never shown without its limit."""
    if isnan(facts.contribution):
        return ""
    return f"contribution {round(facts.contribution, 3) + 0.0:+.3f} (research use only)"
