"""How the tables of a growth-pattern study are shown."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from napari_crlm_spa.core.report.cohort import numbers
from napari_crlm_spa.core.report.cohort.columns import (
    COLUMNS,
    Cell,
    Column,
    Record,
    fixed,
    hazard_ratio,
    interval,
    p,
    share,
    text,
    whole,
)
from napari_crlm_spa.core.report.growth.words import (
    MARKERS,
    RULES,
    STRATA,
    VIEWS,
    adjusted_words,
)

_STRATUM = text("Patients", "stratum", STRATA)
_MARKER = text("Measured", "marker", MARKERS)
_NOTE = text("Note*", "note")
_N = whole("Slides", "n")
_CI = "(95\u00a0% CI)"


def _adjusted(row: Record) -> Cell:
    return Cell(adjusted_words(row.get("adjusted")))


def _count_of(head: str, count: str, of: str) -> Column:
    """Show "4 of 15"."""

    def write(row: Record) -> Cell:
        values = [row.get(each) for each in (count, of)]
        if not all(map(numbers.known, values)):
            return Cell("")
        first, second = (numbers.whole(float(each)) for each in values if each is not None)
        return Cell(f"{first} of {second}")

    return Column(head, (count, of), write)


def _ci(head: str, name: str, digits: int = 2, *, prefix: str = "", scale: float = 1) -> Column:
    """Show a number with the interval in the columns ``<name>_lower`` and ``<name>_upper``."""
    low, high = (f"{prefix}{end}" for end in ("lower", "upper"))
    return interval(head, name, low, high, digits, scale)


def _limits(row: Record) -> Cell:
    ends = [row.get(each) for each in ("low_limit", "high_limit")]
    if not all(map(numbers.known, ends)):
        return Cell("")
    return Cell(" to ".join(numbers.fixed(float(end), 1) for end in ends if end is not None))


_LIMITS = Column("Limits, points", ("low_limit", "high_limit"), _limits)
_ADJUSTED = Column("Adjusted for*", ("adjusted",), _adjusted, number=False)
_PAIR = (
    _N,
    _ci(f"ICC {_CI}", "icc", prefix="icc_"),
    _ci(f"Bias, points {_CI}", "bias", 1, prefix="bias_"),
    _LIMITS,
    *(
        _ci(f"\u03ba, {what} {_CI}", f"kappa_{what}", prefix=f"kappa_{what}_")
        for what in ("strict", "predominant")
    ),
    share("Same strict call", "agree_strict", 0),
    _NOTE,
)

_OWN: dict[str, tuple[Column, ...]] = {
    "raters": (
        text("Reader", "rater"), whole("Readings", "readings"), whole("Slides", "slides"),
        whole("Read again", "repeated"), fixed("Mean share D, %", "mean_pct_D", 1),
        whole("Strict D", "n_strict_D"),
    ),
    "reliability": (
        text("What", "what", VIEWS), text("Statistic", "statistic"), _N,
        whole("Readers", "raters"), _ci(f"Value {_CI}", "value"),
        share("Agreement, observed", "observed"), _NOTE,
    ),
    "rater_pairs": (text("Reader", "rater_a"), text("and", "rater_b"), *_PAIR),
    "within_readers": (text("Reader", "rater"), *_PAIR),
    "agreement": (
        _STRATUM, _N, whole("Patients", "patients"), _ci(f"ICC {_CI}", "icc", prefix="icc_"),
        _ci(f"Bias, points {_CI}", "bias", 1, prefix="bias_"),
        _LIMITS,
        _ci(f"Intercept {_CI}", "calibration_intercept", 1, prefix="calibration_intercept_"),
        _ci(f"Slope {_CI}", "calibration_slope", prefix="calibration_slope_"), _NOTE,
    ),
    "calibration": (
        _STRATUM, whole("Group", "group"), _N,
        interval("Measured, % (range)", "measured_mean", "measured_low", "measured_high", 1),
        _ci(f"Reviewed, % {_CI}", "reviewed_mean", 1, prefix="reviewed_"),
        _count_of("Strict D", "d", "called"),
        _ci(f"Strict D, % {_CI}", "share_d", 0, prefix="share_d_", scale=100),
    ),
    "association": (
        _STRATUM, _MARKER, _N, whole("Patients", "patients"), _ci(f"\u03c1 {_CI}", "rho"), p(),
        _ci(f"\u03c1 given size {_CI}", "partial_rho", prefix="partial_"),
        p("p given size", "partial_p"), _NOTE,
    ),
    "extremes": (
        _STRATUM, _MARKER, _count_of("D among the lowest", "low_d", "k"),
        _count_of("D among the highest", "high_d", "k"), _ci(f"Odds ratio {_CI}", "odds_ratio"),
        p("p (Fisher)"), _NOTE,
    ),
    "auc": (
        _STRATUM, _MARKER, text("Reviewed call", "rule", RULES), whole("D", "d"),
        whole("Non-D", "non_d"), _ci(f"AUC {_CI}", "auc", 3),
        interval("DeLong", "auc", "lower_delong", "upper_delong", 3), _NOTE,
    ),
    "rules": (
        _STRATUM, text("Measured call", "rule", RULES),
        text("Reviewed call", "reviewed_rule", RULES), _N,
        whole("Both D", "both_d"), whole("Only reviewed D", "only_reviewed_d"),
        whole("Only measured D", "only_measured_d"), whole("Neither", "neither_d"),
        _ci(f"\u03ba {_CI}", "kappa", prefix="kappa_"),
        _ci(f"Sensitivity, % {_CI}", "sensitivity", 0, prefix="sensitivity_", scale=100),
        _ci(f"Specificity, % {_CI}", "specificity", 0, prefix="specificity_", scale=100), _NOTE,
    ),
    "cutoff": (
        _STRATUM, _MARKER, _N,
        interval("Cut-off, % (lowest, highest of the parts)", "cutoff", "cutoff_lowest",
                 "cutoff_highest", 1),
        fixed("\u03ba on others", "kappa_held_out"), fixed("\u03ba as chosen", "kappa_apparent"),
        _ci(f"Sensitivity, % {_CI}", "sensitivity", 0, prefix="sensitivity_", scale=100),
        _ci(f"Specificity, % {_CI}", "specificity", 0, prefix="specificity_", scale=100), _NOTE,
    ),
    "outcome_models": (
        text("Model", "model"), text("Term", "label"), _ADJUSTED, whole("Patients", "n"),
        whole("Deaths", "events"), hazard_ratio(), p("p (Wald)", "p_wald"),
        fixed("C", "concordance", 3), fixed("AIC", "aic"), _NOTE,
    ),
    "outcome_added": (
        text("Added", "added"), text("to", "base"), _ADJUSTED, whole("Patients", "n"),
        whole("Deaths", "events"), hazard_ratio(), fixed("LRT", "lrt"), whole("df", "df"),
        p("p (LRT)"), fixed("C before", "concordance_base", 3),
        fixed("C after", "concordance_full", 3), _NOTE,
    ),
}  # fmt: skip
GROWTH_COLUMNS: Mapping[str, tuple[Column, ...]] = MappingProxyType(
    {name: COLUMNS[name] for name in ("flow", "problems")} | _OWN
)
