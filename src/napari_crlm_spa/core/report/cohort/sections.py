"""The sections of the page, in the order of an article."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from napari_crlm_spa.core.cohort.columns import SOFS, label_of
from napari_crlm_spa.core.report.cohort import figures, numbers
from napari_crlm_spa.core.report.cohort.contents import Plot, Section, Tables
from napari_crlm_spa.core.report.cohort.facts import fact
from napari_crlm_spa.core.report.cohort.prediction_sections import (
    cross_validation_section,
    prediction_section,
)
from napari_crlm_spa.core.report.cohort.survival_sections import adjuvant_section, curves_section

if TYPE_CHECKING:
    import pandas as pd


def all_sections(tables: Tables) -> list[Section]:
    """Return the sections that have anything to show; tables that none of them knows come last."""
    makers = (
        patients_section,
        cutpoints_section,
        univariate_section,
        selection_section,
        model_section,
        score_section,
        curves_section,
        adjuvant_section,
        prediction_section,
        cross_validation_section,
        associations_section,
    )
    sections = [make(tables) for make in makers]
    others = [name for name in tables.study.tables if name not in tables.taken]
    sections.append(Section("more", "More tables", tables=tables.shown(*others)))
    return [section for section in sections if not section.is_empty]


def patients_section(tables: Tables) -> Section:
    """Return the flow diagram and the follow-up."""
    plots = []
    flow = tables.get("flow", "step", "unit", "before", "after", "excluded", "reason")
    if flow is not None:
        last = flow.to_dict("records")[-1]
        alt = f"Flow diagram that ends with {numbers.whole(float(last['after']))} {last['unit']}."
        plots.append(
            Plot("flow", partial(figures.draw_flow, flow), "Flow diagram.", alt, ("flow",))
        )
    return Section(
        "patients",
        "Patients and follow-up",
        plots=tuple(plots),
        tables=tables.shown("flow", "follow_up", "problems"),
        files=tables.files("patients"),
    )


def cutpoints_section(tables: Tables) -> Section:
    """Return where features are split, how stable that is and how much it flatters."""
    plots = []
    cutpoints = tables.get("cutpoints", "feature", "cutoff")
    paths = tables.get("cutpoint_paths", "feature", "cutoff", "statistic")
    resampled = tables.get("cutpoint_bootstrap", "feature", "cutoff")
    if cutpoints is not None and (paths is not None or resampled is not None):
        words = ["Dashed: the split that is used."]
        if paths is not None:
            words.insert(0, "Line: standardized log-rank statistic of every possible split.")
        if resampled is not None:
            words.append("Bars: splits that resamples of the patients led to; the wider they lie, "
                         "the less the split means.")  # fmt: skip
        alt = f"Possible splits of {len(cutpoints)} features, a panel each."
        draw = partial(figures.draw_cutpoints, cutpoints, paths, resampled)
        used = ("cutpoints", "cutpoint_paths", "cutpoint_bootstrap")
        plots.append(Plot("cutpoints", draw, " ".join(words), alt, tables.files(*used)))
    optimism = tables.get("cutpoint_optimism", "label", "hr_apparent", "hr_cross_validated")
    if optimism is not None:
        caption = (
            "How much splits flatter. Open: hazard ratio in the patients in whom the split was "
            "found; filled: in patients who were held out when it was found. Ratios below 1 are "
            "turned round."
        )
        alt = f"Hazard ratios of {len(optimism)} splits as found and in held-out patients."
        draw = partial(figures.draw_optimism, optimism)
        plots.append(Plot("cutpoint-optimism", draw, caption, alt, ("cutpoint_optimism",)))
    return Section(
        "cut-offs",
        "Cut-offs of the features",
        plots=tuple(plots),
        tables=tables.shown("cutpoints", "cutpoint_stability", "cutpoint_optimism"),
        files=tables.files("cutpoint_paths", "cutpoint_bootstrap"),
    )


def univariate_section(tables: Tables) -> Section:
    """Return each factor alone."""
    plots = []
    table = tables.get("univariate", "label", "hr", "hr_lower95", "hr_upper95")
    if table is not None:
        found = int((table["p_lrt"] < 0.05).sum()) if "p_lrt" in table else 0
        alt = f"Forest plot of {len(table)} factors, {found} of them with p below 0.05."
        plots.append(
            Plot("univariate", partial(figures.draw_univariate, table), _FOREST, alt,
                 ("univariate",))
        )  # fmt: skip
    return Section("univariate", "Each factor alone", plots=tuple(plots),
                   tables=tables.shown("univariate"))  # fmt: skip


_FOREST = (
    "Hazard ratios with 95\u00a0% intervals; filled where the interval excludes 1. Features enter "
    "as high (1) against low (0), numbers per unit."
)


def selection_section(tables: Tables) -> Section:
    """Return correlations and the path of the stepwise selection."""
    plots = []
    correlation = tables.get("correlation", "a", "b", "r")
    if correlation is not None:
        high = int((correlation["r"].abs() > _limit(tables)).sum())
        caption = (
            f"Pearson correlations of the features as measured; framed: |r| above "
            f"{_limit(tables):g}. Of two candidates that are so alike, one is dropped."
        )
        alt = f"Heat map of {len(correlation)} correlations, {high} above the limit."
        draw = partial(figures.draw_correlation, correlation, _limit(tables))
        plots.append(Plot("correlation", draw, caption, alt, ("correlation",)))
    path = tables.get("stepwise_path", "direction", "step", "change", "aic")
    if path is not None:
        ends = path.groupby("direction", sort=False)["aic"].last()
        told = ", ".join(f"{name} {numbers.fixed(float(aic))}" for name, aic in ends.items())
        plots.append(
            Plot("selection", partial(figures.draw_selection, path),
                 "Stepwise selection by AIC: what entered (+) or left (\u2212) at each step.",
                 f"AIC along the stepwise selection; it ends at {told}.", ("stepwise_path",))
        )  # fmt: skip
    return Section(
        "selection",
        "Correlation and selection",
        plots=tuple(plots),
        tables=tables.shown("collinear", "stepwise_path", "stepwise_candidates"),
        files=tables.files("correlation"),
    )


def model_section(tables: Tables) -> Section:
    """Return the models, their tests and whether hazards are proportional."""
    plots = []
    coefficients = tables.get("coefficients", "model", "column", "label", "hr")
    residuals = tables.get("schoenfeld", "model", "column", "time_months", "residual")
    smooth = tables.get("schoenfeld_smooth", "model", "column", "time_months", "beta")
    if coefficients is not None:
        for model, some in coefficients.groupby("model", sort=False):
            title = tables.model(model)
            told = "; ".join(
                f"{row['label']} {numbers.ratio(row['hr'], row['hr_lower95'], row['hr_upper95'])}"
                for row in some.to_dict("records")
            )
            draw = partial(figures.draw_coefficients, some)
            plots.append(Plot(f"model-{_file(model)}", draw, f"{title}. Hazard ratios with "
                              "95\u00a0% intervals.", f"Forest plot: {told}.",
                              ("coefficients",)))  # fmt: skip
    if residuals is not None:
        first = residuals["model"].iloc[0]
        for model, some in residuals.groupby("model", sort=False):
            parts = (
                None if table is None else table[table["model"] == model]
                for table in (smooth, coefficients, tables.get("ph_test", "model", "term", "p"))
            )  # fmt: skip
            draw = partial(figures.draw_schoenfeld, some, *parts)
            caption = (
                f"Schoenfeld residuals, model \u201c{tables.model(model)}\u201d: scaled residuals "
                "at each death, their smooth with 95\u00a0% band, and the constant that the model "
                "assumes (dashed). A smooth that leaves the dashed line says that the effect "
                "changes over time."
            )
            alt = f"Schoenfeld residuals of {some['column'].nunique()} terms over time."
            plots.append(Plot(f"schoenfeld-{_file(model)}", draw, caption, alt,
                              tables.files("schoenfeld", "schoenfeld_smooth"),
                              folded=model != first))  # fmt: skip
    return Section(
        "models",
        "Models",
        plots=tuple(plots),
        tables=tables.shown("models", "coefficients", "ph_test"),
        files=tables.files("schoenfeld", "schoenfeld_smooth"),
        risk=coefficients is not None,
    )


def score_section(tables: Tables) -> Section:
    """Return the score's distribution and cut-off, and its equation."""
    plots = []
    patients = tables.get("patients", "score")
    cutoffs = tables.get("score_cutoff", "cutoff")
    used = _cutoff_from_elsewhere(tables) if cutoffs is None else cutoffs
    path = _path_of_used(tables.get("score_cutoff_path", "rule", "cutoff", "p"), cutoffs)
    if patients is not None and patients["score"].notna().any():
        caption = "Score of the patients, and the cut-off that is used (dashed)."
        if path is not None:
            caption += " Below: p of low against high at every cut-off that was tried; the "
            caption += "smallest of many p values is no p value."
        draw = partial(figures.draw_score, patients, used, path)
        alt = f"Distribution of the score of {len(patients)} patients, split at the cut-off."
        plots.append(Plot("score", draw, caption, alt, tables.files(
            "patients", "score_cutoff", "score_cutoff_path")))  # fmt: skip
    return Section(
        "score",
        "Score and its cut-off",
        words=_equation(tables),
        plots=tuple(plots),
        tables=tables.shown("score_cutoff"),
        files=tables.files("score_cutoff_path"),
        risk=True,
    )


def _cutoff_from_elsewhere(tables: Tables) -> pd.DataFrame | None:
    """Return the cut-off that a validation took over, in the form of ``score_cutoff``."""
    import pandas as pd

    score = fact(tables.study, "score")
    if not isinstance(score, Mapping) or score.get("cutoff") is None:
        return None
    return pd.DataFrame({"cutoff": [float(score["cutoff"])], "used": [True]})


def _path_of_used(path: pd.DataFrame | None, cutoffs: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return what the rule tried that is used; other rules compute another p."""
    if path is None or cutoffs is None or "used" not in cutoffs or "rule" not in cutoffs:
        return path
    used = cutoffs.loc[cutoffs["used"].astype(str).str.casefold() == "true", "rule"]
    found = path[path["rule"].isin(used)]
    return found if len(found) else None


def associations_section(tables: Tables) -> Section:
    """Return how features hang together with clinical factors."""
    plots = []
    table = tables.get("association_correlations", "label", "factor_label", "r")
    if table is not None:
        sure = int((table["p_fdr"] < 0.05).sum()) if "p_fdr" in table else 0
        plots.append(
            Plot("associations", partial(figures.draw_association_map, table),
                 "Pearson correlations of features with clinical numbers; framed: p (FDR) < 0.05.",
                 f"Heat map of {len(table)} correlations, {sure} with p (FDR) below 0.05.",
                 ("association_correlations",))
        )  # fmt: skip
    return Section(
        "associations",
        "Associations with clinical factors",
        plots=tuple(plots),
        tables=tables.shown("association_groups", "association_correlations", "association_tables"),
    )


def _equation(tables: Tables) -> tuple[str, ...]:
    model = tables.study.risk_model
    if model is not None:
        weights = {each.column: each.coefficient for each in model.features}
        cutoffs = {each.column: each.cutoff for each in model.features}
        threshold, file = model.threshold, "risk-model.json"
    else:  # a validation, or features that are not a slide's
        score = fact(tables.study, "score")
        if not isinstance(score, Mapping) or not score.get("coefficients"):
            return ()
        weights, threshold, file = score["coefficients"], score["cutoff"], "study.json"
        split = tables.get("cutpoints", "feature", "cutoff")
        cutoffs = {} if split is None else dict(zip(split["feature"], split["cutoff"], strict=True))
    terms = []
    for i, (column, coefficient) in enumerate(weights.items()):
        size = f"{abs(coefficient):.3f}"
        sign = "\u2212" if coefficient < 0 else "+" if i else ""
        terms.append(f"{sign} {size} \u00d7 [{_above(column, cutoffs.get(column))}]".strip())
    sentence = (
        f"score = {' '.join(terms)}; high risk: score \u2265 {numbers.fixed(threshold, 4)}. A "
        f"bracket is 1 where it holds and 0 elsewhere. Numbers are rounded here; {file} has all "
        "digits."
    )
    return (sentence,)


def _above(column: str, cutoff: float | None) -> str:
    """Write when a feature is high: "Stroma, overall > 10.64 %"."""
    if cutoff is None or not numbers.known(cutoff):
        return label_of(column)
    value = numbers.percent(cutoff, 2) if column in SOFS else f"{cutoff:.4g}"
    return f"{label_of(column)} > {value}"


def _limit(tables: Tables) -> float:
    from napari_crlm_spa.core.report.cohort.facts import option

    found = option(tables.study, "selection", "correlation_limit")
    return float(found) if isinstance(found, (int, float)) else 0.7


def _file(model: object) -> str:
    return "".join(c if c.isalnum() else "-" for c in str(model).casefold())
