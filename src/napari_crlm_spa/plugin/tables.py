"""Results as table rows, so that panels only show. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from napari_crlm_spa.core.classes import STANDARD_PALETTE, TissueClass
from napari_crlm_spa.core.risk import RiskAssessment, RiskRow
from napari_crlm_spa.core.spatial import FAMILIES, FEATURES, TISSUES, SpatialFeatures
from napari_crlm_spa.core.spatial.definitions import column_name
from napari_crlm_spa.core.spatial.interaction import BACKGROUND
from napari_crlm_spa.core.tissue_map import TissueMap

#: Families in the order of a reader's questions: how much, where, next to the tumor or not.
SHOWN_FAMILIES = ("overall", "infiltrating", "distal", "interaction")
assert set(SHOWN_FAMILIES) == set(FAMILIES)
UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class LegendRow:
    """One tissue of the map.

    Parameters
    ----------
    name, title, color
        Of the class.
    tiles, area_mm2
        How much of it the map holds.
    share
        Part of all tissue tiles; None for background, which is no tissue.
    """

    name: str
    title: str
    color: str
    tiles: int
    area_mm2: float
    share: float | None


def legend_rows(
    tissue_map: TissueMap,
    palette: str = STANDARD_PALETTE,
    counts: Mapping[str, int] | None = None,
) -> list[LegendRow]:
    """Count the tissues of a map, in the order of the scheme, background last.

    Hidden classes and unsure tiles are counted like all others. `counts` are the map's, if they
    are known already.
    """
    counts = tissue_map.counts() if counts is None else counts
    tissue_tiles = sum(counts.values()) - counts.get(BACKGROUND, 0)
    rows = []
    for tissue in tissue_map.scheme.in_palette(palette).classes:
        tiles = counts[tissue.name]
        share = tiles / tissue_tiles if tissue_tiles else 0.0
        rows.append(
            LegendRow(
                tissue.name,
                tissue.title,
                tissue.color,
                tiles,
                tissue_map.area_mm2(tiles),
                None if tissue.name == BACKGROUND else share,
            )
        )
    return sorted(rows, key=lambda row: row.share is None)


def short_title(tissue: TissueClass) -> str:
    """Name a tissue in as few words as a narrow column needs, e.g. ``"Debris"``."""
    return tissue.title.partition(" (")[0]


@dataclass(frozen=True, slots=True)
class FeatureCell:
    """One spatial feature: its column name in the paper, its value, what it says."""

    column: str
    value: float
    sentence: str


def feature_table(features: SpatialFeatures) -> dict[str, list[FeatureCell]]:
    """Return the features by tissue; within a tissue in the order of `SHOWN_FAMILIES`."""
    return {
        tissue: [_cell(features, family, tissue) for family in SHOWN_FAMILIES] for tissue in TISSUES
    }


def _cell(features: SpatialFeatures, family: str, tissue: str) -> FeatureCell:
    definition = FEATURES[column_name(family, tissue)]
    told = f"{definition.sentence}\nFormula: {definition.formula}\nSource: {definition.source}"
    return FeatureCell(definition.column, features.values[definition.column], told)


def risk_headline(assessment: RiskAssessment) -> str:
    """Say score and group in a line."""
    group = "no risk group" if assessment.group is None else f"{assessment.group} risk"
    if assessment.score is not None:
        return f"Score {assessment.score:.3g}: {group}"
    low, high = assessment.possible_scores[0], assessment.possible_scores[-1]
    return f"Score between {low:.3g} and {high:.3g}: {group}"


def risk_cells(row: RiskRow) -> list[tuple[str, str]]:
    """Return (text, tooltip) of each cell of a term: feature, value, cut-off, weight, part."""
    definition = FEATURES[row.column]
    told = f"{row.column}\n{definition.sentence}\nHere {row.direction}."
    arrow = "↑" if row.coefficient > 0 else "↓"
    cutoff = UNKNOWN if row.cutoff is None else f"{row.cutoff:.4f}"
    # + 0.0: a weight below zero that adds nothing adds +0, not -0.
    part = UNKNOWN if row.contribution is None else f"{row.contribution + 0.0:+.3g}"
    return [
        (row.title, told),
        (UNKNOWN if row.value is None else f"{row.value:.4f}", told),
        (cutoff, row.cutoff_source or row.problem),
        (f"{arrow} {row.coefficient:+.3g}", row.direction),
        (part, row.problem or f"{row.coefficient:g} × {row.split}"),
    ]
