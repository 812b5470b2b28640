"""A methods paragraph for a paper: only what was done, with its numbers and citations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from napari_crlm_spa.core.cohort.study.contents import Study
from napari_crlm_spa.core.report.cohort import numbers
from napari_crlm_spa.core.report.cohort.contents import Tables
from napari_crlm_spa.core.report.cohort.facts import fact, is_simulated, option
from napari_crlm_spa.core.report.cohort.figures.prediction import years
from napari_crlm_spa.core.report.cohort.references import Citations

TIES = ("efron", "breslow")
_WORDS = {"maxstat": "maximally selected log-rank statistics", "median": "the median",
          "fixed": "cut-offs given in advance"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Methods:
    """Paragraphs and the references they cite."""

    paragraphs: tuple[str, ...]
    references: tuple[str, ...]


def methods(tables: Tables) -> Methods:
    """Write the paragraph of a study from its tables and facts."""
    cite = Citations()
    parts = (_patients, _cutoffs, _models, _score, _curves, _prediction, _others, _software)
    found = (" ".join(part(tables, cite)) for part in parts)
    paragraphs = tuple(text for text in found if text)
    return Methods(paragraphs, tuple(cite.listed()))


def _patients(tables: Tables, cite: Citations) -> Iterable[str]:
    study = tables.study
    if is_simulated(study):
        yield "All patients are simulated."
    n, events = fact(study, "n"), fact(study, "events")
    if n is not None and events is not None:
        yield (
            f"{numbers.whole(float(n))} patients with {numbers.whole(float(events))} deaths were "
            "analyzed; overall survival was counted from resection to death of any cause."
        )
    limit, beyond = (option(study, "filters", name) for name in ("limit_months", "beyond"))
    if limit:
        did = {
            "censor": f"Follow-up was censored at {limit:g} months.",
            "delete": f"Patients with follow-up beyond {limit:g} months were removed.",
        }
        yield did.get(str(beyond), "")
    follow = tables.row("follow_up")
    if numbers.known(follow.get("median_months")):
        middle, low, high = (_number(follow, c) for c in ("median_months", "lower95", "upper95"))
        median = numbers.interval(middle, low, high, 1)
        yield (
            f"Median follow-up was {median} months (95\u00a0% CI; reverse Kaplan-Meier) "
            f"{cite('reverse')}."
        )


def _cutoffs(tables: Tables, cite: Citations) -> Iterable[str]:
    study = tables.study
    cutpoints = tables.get("cutpoints", "feature", "method")
    if study.kind == "validate":
        source = fact(study, "discovery")
        source = source.get("cohort") if isinstance(source, dict) else source
        known = f" found in {source}" if source else ""
        yield (
            f"The model{known} was applied unchanged: cut-offs, coefficients and threshold were "
            "not fitted to these patients."
        )
    elif cutpoints is not None:
        ways = [_WORDS.get(m, m) for m in dict.fromkeys(cutpoints["method"].astype(str))]
        yield (
            f"Spatial organization features {cite('paper')} were dichotomized by "
            f"{' or '.join(ways)}"
        )
        if "maxstat" in set(cutpoints["method"]):
            share = option(study, "cutpoints", "minprop")
            least = f" with at least {numbers.percent(share, 0)} of patients on either side" if (
                numbers.known(share)) else ""  # fmt: skip
            yield f"{cite('maxstat', 'conditional')}{least}"
        yield "(high: above the cut-off)."
    stability = tables.row("cutpoint_stability")
    if stability:
        yield (
            f"Their stability was examined in {numbers.whole(_number(stability, 'resamples'))} "
            "bootstrap resamples."
        )
    optimism = tables.row("cutpoint_optimism")
    if optimism:
        yield (
            f"How much selected cut-offs overstate effects {cite('optimal')} was estimated by "
            f"{numbers.whole(_number(optimism, 'folds'))}-fold cross-validation, repeated "
            f"{_times(_number(optimism, 'repeats'))} {cite('held_out')}."
        )


def _models(tables: Tables, cite: Citations) -> Iterable[str]:
    study = tables.study
    if tables.get("univariate") is not None:
        yield (
            f"Each factor was entered alone in a Cox model {cite('cox')}{_tied(study, cite)}; "
            "p values are those "
            "of the likelihood-ratio test, beside them false discovery rates "
            f"{cite('fdr')}."
        )
    path = tables.get("stepwise_path", "direction")
    if path is not None:
        level = option(study, "selection", "p_univariate")
        limit = option(study, "selection", "correlation_limit")
        if numbers.known(level):
            yield f"Features with p < {level:g} were candidates."
        if numbers.known(limit):
            yield (f"Of two candidates with a Pearson correlation above {limit:g} one was dropped.")
        chosen = option(study, "selection", "direction")
        ways = ", ".join(dict.fromkeys(path["direction"].astype(str)))
        took = f"; the model of direction '{chosen}' was taken" if chosen and "," in ways else ""
        yield (
            f"Features were selected stepwise by Akaike's criterion {cite('aic', 'mass')} "
            f"({ways}){took}."
        )
    models = tables.get("models", "model", "n", "events")
    if models is not None:
        told = [
            f"{tables.model(row['model'])}: n\u00a0=\u00a0{numbers.whole(row['n'])}, "
            f"{numbers.whole(row['events'])} deaths" for row in models.to_dict("records")
        ]  # fmt: skip
        yield f"Cox models were fitted to complete cases ({'; '.join(told)})."
        if "concordance" in models:
            yield f"Discrimination is given as concordance {cite('harrell')}."
    if tables.get("ph_test") is not None:
        yield (
            "Proportionality of hazards was tested by the score test on scaled Schoenfeld "
            f"residuals {cite('ph')}."
        )


def _tied(study: Study, cite: Citations) -> str:
    ties = option(study, "selection", "ties")
    return f" ({ties.capitalize()}'s method for ties {cite(ties)})" if ties in TIES else ""


def _score(tables: Tables, cite: Citations) -> Iterable[str]:
    cutoffs = tables.get("score_cutoff", "rule", "cutoff", "used")
    if cutoffs is None or tables.study.kind == "validate":
        return
    used = cutoffs[cutoffs["used"].astype(str).str.casefold() == "true"].to_dict("records")
    ways = {
        "code": "where the Wald p of a Cox model was smallest, as in the published code",
        "text": "where the log-rank p was smallest, as the published text says",
        "text_values": "where the log-rank p was smallest, over evenly spaced values",
        "median": "at the median",
        "fixed": "at a value given in advance",
    }
    for row in used[:1]:
        yield (
            "The score is the sum of coefficients times dichotomized features; it was split at "
            f"{numbers.fixed(float(row['cutoff']), 4)} (high: at or above), "
            f"{ways.get(str(row['rule']), str(row['rule']))} {cite('paper')}."
        )


def _curves(tables: Tables, cite: Citations) -> Iterable[str]:
    km = tables.get("km", "grouping")
    if km is not None:
        scale = option(tables.study, "curves", "interval")
        on = f" on the {scale} scale" if scale in ("log", "log-log") else ""
        yield f"Survival was estimated by Kaplan-Meier {cite('km')} with 95\u00a0% intervals{on}."
    if tables.get("logrank") is not None:
        yield "Groups were compared by the log-rank test."
    groupings = set() if km is None else set(km["grouping"].astype(str))
    if "crs" in groupings:
        yield f"Clinical risk groups follow Fong {cite('crs')} (high: 3 to 5 points)."
    if "combined" in groupings:
        yield (
            "The combined grade counts a point each for high spatial and high clinical risk "
            f"{cite('paper')}."
        )
    if tables.get("adjuvant") is not None:
        yield (
            "Adjuvant chemotherapy was compared with none inside risk groups; patients of unknown "
            "treatment were left out after the groups had been formed."
        )
    if tables.get("adjuvant_interaction") is not None:
        yield (
            "Whether its effect differs between groups was tested by the likelihood-ratio test of "
            "the interaction."
        )


def _prediction(tables: Tables, cite: Citations) -> Iterable[str]:
    roc = tables.get("roc", "time_months")
    if roc is not None:
        times = " and ".join(years(float(t)) for t in sorted(roc["time_months"].unique()))
        compared = " and compared" if tables.get("roc_compare") is not None else ""
        yield (
            f"Time-dependent areas under the ROC curve (cumulative cases, dynamic controls, "
            f"inverse-probability-of-censoring weights) were estimated{compared} at {times} "
            f"{cite('roc')}."
        )
    calibration = tables.row("calibration")
    if calibration:
        resamples = _number(calibration, "resamples")
        how = f" with optimism from {numbers.whole(resamples)} bootstrap resamples" if (
            numbers.known(resamples) and resamples > 0) else ""  # fmt: skip
        yield (
            f"Calibration compares predicted and Kaplan-Meier survival in groups{how} "
            f"{cite('harrell')}."
        )
    if tables.get("brier") is not None:
        yield f"Brier scores were weighted for censoring {cite('brier')}."
    if tables.get("decision") is not None:
        yield f"Net benefit is shown in decision curves {cite('decision')}."
    folds = tables.get("nested_cv", "method", "repeat", "fold")
    if folds is not None:
        yield (
            f"{folds['fold'].nunique()}-fold nested cross-validation, "
            f"{_times(folds['repeat'].nunique())}, grouped by patient, learned "
            "cut-offs, selection, coefficients and penalties anew in each training part "
            f"{cite('penalized')}."
        )


def _others(tables: Tables, cite: Citations) -> Iterable[str]:
    tests = []
    if tables.get("association_groups") is not None:
        tests.append("Wilcoxon rank-sum tests")
    if tables.get("association_correlations") is not None:
        tests.append("Pearson correlations")
    other = tables.get("association_tables", "test")
    if other is not None:
        tests += list(dict.fromkeys(other["test"].astype(str)))
    if tests:
        yield f"Associations with clinical factors: {', '.join(tests)}, with FDR {cite('fdr')}."


def versions(study: Study, cite: Citations) -> str:
    """Name what computed."""
    if not study.versions:
        return ""
    told = ", ".join(f"{name} {version}" for name, version in study.versions.items())
    cited = f" {cite('lifelines')}" if "lifelines" in study.versions else ""
    return f"Software: {told}{cited}."


def _software(tables: Tables, cite: Citations) -> Iterable[str]:
    study = tables.study
    if study.versions:
        yield versions(study, cite)
    seeds = sorted(_seeds(study.facts.get("options", {})))
    random = ("cutpoint_bootstrap", "cutpoint_optimism", "nested_cv")
    drawn = any(tables.get(name) is not None for name in random)
    drawn = drawn or _number(tables.row("calibration"), "resamples") > 0
    if seeds and drawn:
        yield f"Random numbers began at seed {', '.join(map(str, seeds))}."


def _seeds(options: Any) -> set[int]:
    """Return the seeds of the study as a whole, or else of its parts."""
    if not isinstance(options, dict):
        return set()
    of_parts = {
        name: part["seed"] for name, part in options.items()
        if isinstance(part, dict) and isinstance(part.get("seed"), int)
    }  # fmt: skip
    return {of_parts["study"]} if "study" in of_parts else set(of_parts.values())


def _times(count: float) -> str:
    return "once" if count == 1 else f"{numbers.whole(count)} times"


def _number(row: Any, name: str) -> float:
    value = row.get(name)
    return float(value) if isinstance(value, (int, float)) else float("nan")
