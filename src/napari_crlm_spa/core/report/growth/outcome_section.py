"""The section on survival: growth pattern alone, and what a measurement adds to the review."""

from __future__ import annotations

from functools import partial

from napari_crlm_spa.core.report.cohort import numbers
from napari_crlm_spa.core.report.cohort.contents import Plot, Section, Tables
from napari_crlm_spa.core.report.growth import figures
from napari_crlm_spa.core.report.growth.words import adjusted_words, short

_HR = ("n", "events", "hr", "hr_lower95", "hr_upper95")


def outcome_section(tables: Tables) -> Section:
    """Return hazard ratios of reviewed and measured growth pattern."""
    plots = []
    models = tables.get("outcome_models", "model", "label", "adjusted", *_HR)
    if models is not None and models["hr"].notna().any():
        told = "; ".join(
            f"{row['label']} {numbers.ratio(row['hr'], row['hr_lower95'], row['hr_upper95'])}"
            for row in models[models["label"] == models["model"]].to_dict("records")
            if not adjusted_words(row["adjusted"])
        )
        plots.append(
            Plot("growth-survival", partial(figures.draw_models, models),
                 "Survival by growth pattern, a Cox model each: as readers see it and as it is "
                 "measured. A hazard ratio above 1: more deaths with less desmoplasia.",
                 f"Forest plot. Alone: {told}.", ("outcome_models",))
        )  # fmt: skip
    added = tables.get("outcome_added", "base", "added", "adjusted", "p", *_HR)
    if added is not None and added["hr"].notna().any():
        told = "; ".join(
            f"{short(row['added'])} beyond {str(row['base']).lower()}: "
            f"{numbers.p_equation(row['p'])}"
            for row in added.to_dict("records")
            if not adjusted_words(row["adjusted"])
        )
        plots.append(
            Plot("growth-added", partial(figures.draw_added, added),
                 "What a measurement adds to what readers see, by the likelihood ratio of Cox "
                 f"models with and without it. These are {len(added)} tests: one p below 0.05 "
                 "is no proof.",
                 f"Forest plot of what is added. {told}.", ("outcome_added",))
        )  # fmt: skip
    return Section(
        "survival",
        "Survival",
        plots=tuple(plots),
        tables=tables.shown("outcome_models", "outcome_added"),
        risk=bool(plots),
    )
