"""The section on telling D from non-D: ROC curves, calls by rule, a cut-off on other patients."""

from __future__ import annotations

from functools import partial

from napari_crlm_spa.core.report.cohort import numbers
from napari_crlm_spa.core.report.cohort.contents import Plot, Section, Tables
from napari_crlm_spa.core.report.growth import figures
from napari_crlm_spa.core.report.growth.rows import ALL, of_stratum
from napari_crlm_spa.core.report.growth.words import MARKERS, RULES


def telling_section(tables: Tables) -> Section:
    """Return how well a reviewed D is told from non-D."""
    plots = (*_curves(tables), *_areas(tables), *_rules(tables))
    shown = tables.shown("auc", "rules", "cutoff")
    return Section(
        "telling",
        "Telling D from non-D",
        plots=plots,
        tables=shown,
        files=tables.files("roc"),
        risk=bool(plots or shown),
    )


def _curves(tables: Tables) -> list[Plot]:
    curves = of_stratum(tables.get(
        "roc", "stratum", "marker", "false_positive_rate", "true_positive_rate"), ALL)  # fmt: skip
    if curves is None:
        return []
    areas: dict[str, tuple[float, float, float]] = {}
    table = of_stratum(tables.get("auc", "stratum", "marker", "rule", "auc"), ALL)
    if table is not None:
        for row in table[table["rule"] == "strict"].to_dict("records"):
            areas[str(row["marker"])] = (row["auc"], row["lower"], row["upper"])
    told = "; ".join(
        f"{MARKERS.get(marker, marker)} {numbers.interval(*area, 3)}"
        for marker, area in areas.items()
    )
    caption = (
        "ROC curves for D by the reviewed strict call. Interaction, contact and rim count in the "
        "direction in which they should go."
    )
    return [
        Plot("growth-roc", partial(figures.draw_roc, curves, areas), caption,
             f"ROC curves; area under the curve: {told}.", tables.files("roc", "auc"))
    ]  # fmt: skip


def _areas(tables: Tables) -> list[Plot]:
    table = tables.get("auc", "stratum", "marker", "rule", "auc", "lower", "upper")
    table = None if table is None else table[table["rule"] == "strict"]
    if table is None or table["stratum"].nunique() < 2 or not table["auc"].notna().any():
        return []
    caption = "The same areas in all, in chemotherapy-na\u00efve and in pretreated patients."
    alt = f"Forest plot of {len(table)} areas under the ROC curve."
    return [Plot("growth-auc", partial(figures.draw_areas, table), caption, alt, ("auc",))]


def _rules(tables: Tables) -> list[Plot]:
    table = of_stratum(tables.get("rules", "stratum", "rule", "reviewed_rule", "kappa"), ALL)
    if table is None or not table["kappa"].notna().any():
        return []
    told = "; ".join(
        f"{RULES.get(str(row['rule']), row['rule'])} against {row['reviewed_rule']} "
        f"{numbers.fixed(row['kappa'], 2)}"
        for row in table.to_dict("records")
    )
    caption = (
        "Calls of the measurement against the review. Filled: agreement beyond chance; open: "
        "not, or there is no interval. One false gap turns a strict D into non-D."
    )
    draw = partial(figures.draw_rules, table)
    return [Plot("growth-rules", draw, caption, f"Cohen's kappa: {told}.", ("rules",))]
