"""The methods paragraph of a growth-pattern study: only what was done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from napari_crlm_spa.core.report.cohort import numbers
from napari_crlm_spa.core.report.cohort.contents import Tables
from napari_crlm_spa.core.report.cohort.facts import fact, is_simulated
from napari_crlm_spa.core.report.cohort.methods import Methods, versions
from napari_crlm_spa.core.report.cohort.references import Citations
from napari_crlm_spa.core.report.cohort.summary import row_numbers
from napari_crlm_spa.core.report.growth.references import REFERENCES
from napari_crlm_spa.core.report.growth.rows import ALL
from napari_crlm_spa.core.report.growth.words import adjusted_words


def growth_methods(tables: Tables) -> Methods:
    """Write the paragraphs of a study from its tables and facts."""
    cite = Citations(REFERENCES)
    parts = (_slides, _readers, _measured, _association, _calls, _survival, _software)
    found = (" ".join(filter(None, part(tables, cite))) for part in parts)
    paragraphs = tuple(text for text in found if text)
    return Methods(paragraphs, tuple(cite.listed()))


def _slides(tables: Tables, cite: Citations) -> Iterable[str]:
    study = tables.study
    if is_simulated(study):
        yield "All slides, readings and patients are simulated."
    slides, patients = fact(study, "n_slides"), fact(study, "n_patients")
    readers = fact(study, "raters") or ()
    if slides is None or patients is None:
        return
    n = len(readers)
    by = f" read by {n} reader{'s' if n != 1 else ''}" if n else ""
    yield (
        f"{numbers.whole(float(slides))} slides of {numbers.whole(float(patients))} patients, "
        f"{by.strip()}, were analyzed; the growth pattern is given as share of the length of the "
        f"tumor-liver interface {cite('consensus2017', 'consensus2022')}."
    )
    least = _option(tables, "min_assessable_pct")
    if numbers.known(least):
        yield (
            "Slides without viable tumor and readings of which less than "
            f"{least:g}\u00a0% of the interface could be judged were left out."
        )


def _readers(tables: Tables, cite: Citations) -> Iterable[str]:
    table = tables.get("reliability", "what", "statistic")
    if table is not None:
        yield (
            "Agreement of readers is given as intraclass correlation ICC(A,1) of the desmoplastic "
            f"share {cite('icc')}"
        )
        kinds = set(table["statistic"].astype(str))
        of_calls = [
            f"{kind} {cite(key)}"
            for kind, key in (("Cohen's kappa", "cohen"), ("Fleiss' kappa", "fleiss"))
            if kind in kinds
        ]
        yield (f"and {' and '.join(of_calls)} of calls, first readings only." if of_calls else ".")
    if tables.get("rater_pairs") is not None:
        yield f"Every two readers were compared by bias and limits of agreement {cite('bland')}."
    if tables.get("within_readers") is not None:
        yield "Readings that a reader repeated were compared with the first."
    way, count = _options(tables).get("consensus"), fact(tables.study, "raters") or ()
    if way in ("mean", "median") and len(count) > 1:
        yield f"The reviewed share is the {way} of the readers' shares, the call their majority's."


def _measured(tables: Tables, cite: Citations) -> Iterable[str]:
    row = tables.row("agreement", stratum=ALL)
    if row:
        yield (
            f"The desmoplastic share that was measured on tissue maps was compared with the "
            f"reviewed share on {numbers.whole(*row_numbers(row, 'n'))} slides by ICC(A,1) "
            f"{cite('icc')} and bias with limits of agreement {cite('bland', 'limits')}; it "
            "distinguishes desmoplastic from all other growth, not replacement from pushing."
        )
    if tables.get("calibration") is not None:
        yield (
            "Calibration compares both in groups of about equal size by the measured share, with "
            f"Student's and Wilson's {cite('wilson')} intervals."
        )


def _association(tables: Tables, cite: Citations) -> Iterable[str]:
    table = tables.get("association", "marker")
    if table is not None:
        yield (
            "Spearman's rank correlation with the reviewed non-desmoplastic share was computed "
            f"for tumor-hepatocyte interaction {cite('paper')} and other measurements"
        )
        given = [g for g in table["given"].astype(str) if g] if "given" in table else []
        yield f"and, as partial correlation, given {given[0]}." if given else "."
    extremes = tables.row("extremes", stratum=ALL)
    if extremes:
        k = numbers.whole(*row_numbers(extremes, "k"))
        yield (
            f"The {k} slides of lowest and the {k} of highest score were compared by Fisher's "
            f"exact test {cite('paper')}, which selects extremes."
        )


def _calls(tables: Tables, cite: Citations) -> Iterable[str]:
    rules = tables.get("rules", "rule")
    if rules is not None:
        names = set(rules["rule"].astype(str))
        told = []
        if "strict" in names:
            told.append(f"strict (desmoplastic all along {cite('galjart', 'consensus2022')})")
        if "tolerant" in names:
            share = _option(tables, "tolerance_pct")
            most = f"at most {share:g}\u00a0% other" if numbers.known(share) else "nearly all"
            told.append(f"tolerant ({most}; a choice of the program, compare {cite('maps')})")
        if "predominant" in names:
            told.append(f"predominant (more than half {cite('consensus2017')})")
        yield (
            f"Slides were called D or non-D by {len(told)} rules: {', '.join(told)}; calls of the "
            f"measurement were compared with the readers' by Cohen's kappa {cite('cohen')}."
        )
    if tables.get("auc") is not None:
        yield f"Areas under the ROC curve are for a reviewed D {cite('delong')}."
    if tables.get("cutoff") is not None:
        folds = _option(tables, "folds")
        parts = f" {numbers.whole(folds)} parts of" if numbers.known(folds) else ""
        yield (
            f"A cut-off of the contact with liver was chosen and judged on different patients "
            f"({parts.strip()} the patients in turn)."
        )
    tables_of = (tables.get(name, "stratum") for name in ("agreement", "association"))
    strata = (str(each) for some in tables_of if some is not None for each in some["stratum"])
    others = [each for each in dict.fromkeys(strata) if each != ALL]
    if others:
        yield f"The same was done in {' and '.join(others)} patients."


def _survival(tables: Tables, cite: Citations) -> Iterable[str]:
    models = tables.get("outcome_models", "adjusted")
    n, events = fact(tables.study, "outcome_n"), fact(tables.study, "outcome_events")
    if models is None:
        return
    size = ""
    if n is not None and events is not None:
        size = f" of {numbers.whole(float(n))} patients with {numbers.whole(float(events))} deaths"
    words = dict.fromkeys(filter(None, map(adjusted_words, models["adjusted"])))
    also = f", plain and adjusted for {'; '.join(words)}" if words else ""
    yield (
        f"Survival{size} was modeled by Cox regression {cite('cox')} (Efron's method for ties "
        f"{cite('efron')}){also}; discrimination is given as concordance {cite('harrell')}."
    )
    if tables.get("outcome_added") is not None:
        yield "What a measurement adds to the review was tested by the likelihood ratio."


def _software(tables: Tables, cite: Citations) -> Iterable[str]:
    resamples, seed = _option(tables, "resamples"), _option(tables, "seed")
    drawn = any(tables.get(each) is not None for each in ("agreement", "association", "auc"))
    if drawn and numbers.known(resamples) and resamples > 0:
        start = f" (seed {seed:g})" if numbers.known(seed) else ""
        yield (
            f"Intervals of what was measured are percentiles of {numbers.whole(resamples)} "
            f"bootstrap samples of whole patients{start}."
        )
    yield versions(tables.study, cite)


def _options(tables: Tables) -> Mapping[str, Any]:
    options = fact(tables.study, "options")
    return options if isinstance(options, Mapping) else {}


def _option(tables: Tables, name: str) -> float:
    value = _options(tables).get(name)
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if known and value is not None else float("nan")
