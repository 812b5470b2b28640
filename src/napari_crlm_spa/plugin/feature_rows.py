"""The spatial features of a slide under review as table cells: now, before, in the risk. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

from napari_crlm_spa.core.review import Review
from napari_crlm_spa.plugin.map_view import MapKind
from napari_crlm_spa.plugin.tables import SHOWN_FAMILIES, feature_table

#: The map that shows where a family of features comes from, in the order of `SHOWN_FAMILIES`.
_MAP_OF = {
    "overall": MapKind.TISSUE,
    "infiltrating": MapKind.ZONES,
    "distal": MapKind.ZONES,
    "interaction": MapKind.INTERACTION,
}
FAMILY_MAPS = tuple(_MAP_OF[family] for family in SHOWN_FAMILIES)


@dataclass(frozen=True, slots=True)
class ShownFeature:
    """One spatial feature.

    Parameters
    ----------
    column
        Its name in the paper.
    now
        Its value with the corrections, as text; empty if it cannot be computed.
    was
        Its value as predicted; empty if the text is the same.
    in_risk_model
        Whether the risk model in use has it as a term.
    tip
        What it says, its change, its part in the risk.
    """

    column: str
    now: str
    was: str
    in_risk_model: bool
    tip: str


def feature_rows(review: Review) -> dict[str, list[ShownFeature]]:
    """Return the features by tissue; within a tissue in the order of `SHOWN_FAMILIES`."""
    before = review.analysis.features.values
    terms = {term.column: term for term in review.risk_model.features}
    found: dict[str, list[ShownFeature]] = {}
    for tissue, cells in feature_table(review.features).items():
        found[tissue] = []
        for cell in cells:
            now, was = _text(cell.value), _text(before[cell.column])
            told = [cell.column, cell.sentence]
            if now != was:
                told.append(f"As predicted: {was or 'not computed'}. Now: {now or 'not computed'}.")
            term = terms.get(cell.column)
            if term is not None:
                weight = f"weight {term.coefficient:+g}"
                told.append(f"A term of the risk model {review.risk_model.name}, {weight}.")
            shown_was = (was or "–") if now != was else ""
            found[tissue].append(
                ShownFeature(cell.column, now, shown_was, term is not None, "\n".join(told))
            )
    return found


def _text(value: float) -> str:
    return "" if isnan(value) else f"{value:.4f}"
