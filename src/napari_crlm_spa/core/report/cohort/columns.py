"""How the tables of a study are shown: which columns, called what, with how many digits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_crlm_spa.core.cohort.columns import label_of
from napari_crlm_spa.core.report.cohort import numbers
from napari_crlm_spa.core.report.words import MISSING

if TYPE_CHECKING:
    import pandas as pd

    from napari_crlm_spa.core.cohort.study.contents import StudyTable

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell, and what its tooltip says."""

    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a shown table.

    Parameters
    ----------
    head
        Its heading.
    needs
        Columns of the study's table that it is made of; without the first it is left out.
    write
        Makes a cell of a row.
    number
        Whether it is set flush right.
    """

    head: str
    needs: tuple[str, ...]
    write: Callable[[Record], Cell]
    number: bool = True


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table as the page shows it."""

    name: str
    title: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


def shown_table(
    table: StudyTable,
    frame: pd.DataFrame | None = None,
    columns: Mapping[str, tuple[Column, ...]] | None = None,
) -> ShownTable:
    """Make a table for readers of one of a study.

    Parameters
    ----------
    frame
        Some of its rows; all by default.
    columns
        How tables are shown, by their names; those of a cohort's study by default.
    """
    rows = [_plain(row) for row in (table.frame if frame is None else frame).to_dict("records")]
    there = [str(column) for column in table.frame.columns]
    known = COLUMNS if columns is None else columns
    wanted = known.get(table.name) or tuple(_guessed(table.frame, c) for c in there)
    chosen = tuple(
        column
        for column in wanted
        if column.needs[0] in there and (not column.head.endswith("*") or _filled(rows, column))
    )
    cells = tuple(tuple(column.write(row) for column in chosen) for row in rows)
    return ShownTable(table.name, table.title, table.note, chosen, cells)


def _filled(rows: Sequence[Record], column: Column) -> bool:
    """Tell whether a column that may be empty (its head ends in an asterisk) has anything."""
    return any(column.write(row).text not in ("", MISSING) for row in rows)


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): _python(value) for key, value in row.items()}


def _python(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _float(row: Record, name: str) -> float:
    """Read a number, also one that a table of words holds as words; NaN if it is none."""
    value = row.get(name)
    try:
        return float(value) if isinstance(value, (int, float, str)) else float("nan")
    except ValueError:
        return float("nan")


def text(head: str, name: str, words: Mapping[str, str] | None = None) -> Column:
    """Show words; keys are replaced by what they mean."""

    def write(row: Record) -> Cell:
        value = row.get(name)
        if value is None or value != value:
            return Cell("")
        return Cell((words or {}).get(str(value), str(value)))

    return Column(head, (name,), write, number=False)


#: Columns of the table of patients that the study itself makes.
_OWN = {
    "score": "Spatial score",
    "sof_group": "Spatial risk group",
    "crs_group": "Clinical risk group",
    "combined_grade": "Combined grade",
}


def name_of(column: str) -> str:
    """Return what readers call a column, those that a study makes among them."""
    return _OWN.get(column) or label_of(column)


def feature(head: str, name: str) -> Column:
    """Show the label of a column that stands in a cell."""

    def write(row: Record) -> Cell:
        key = str(row.get(name, ""))
        sign = key[:2] if key[:2] in ("+ ", "- ") else ""
        column = key[len(sign) :].removesuffix("_high")
        label = name_of(column)
        return Cell(sign.replace("-", "\u2212") + label, key if label != key else "")

    return Column(head, (name,), write, number=False)


def whole(head: str, name: str) -> Column:
    """Show a count."""
    return Column(head, (name,), lambda row: Cell(numbers.whole(_float(row, name))))


def fixed(head: str, name: str, digits: int = 2) -> Column:
    """Show a number with fixed digits; the tooltip has more."""

    def write(row: Record) -> Cell:
        value = _float(row, name)
        return Cell(numbers.fixed(value, digits), numbers.exact(value))

    return Column(head, (name,), write)


def share(head: str, name: str, digits: int = 1) -> Column:
    """Show a share of 0-1 as a percentage."""

    def write(row: Record) -> Cell:
        value = _float(row, name)
        return Cell(numbers.percent(value, digits), numbers.exact(value))

    return Column(head, (name,), write)


def p(head: str = "p", name: str = "p") -> Column:
    """Show a p value; the exact one is in the tooltip."""

    def write(row: Record) -> Cell:
        value = _float(row, name)
        return Cell(numbers.p_value(value), f"p = {numbers.exact(value)}" if value == value else "")

    return Column(head, (name,), write)


def hazard_ratio(head: str = "HR (95\u00a0% CI)") -> Column:
    """Show a hazard ratio with its interval."""
    names = ("hr", "hr_lower95", "hr_upper95")
    return Column(
        head,
        names,
        lambda row: Cell(
            numbers.ratio(*(_float(row, n) for n in names)), numbers.exact(_float(row, "hr"))
        ),
    )


def interval(
    head: str, name: str, low: str, high: str, digits: int, scale: float = 1, unit: str = ""
) -> Column:
    """Show a number with its interval."""

    def write(row: Record) -> Cell:
        value, lower, upper = (_float(row, n) for n in (name, low, high))
        shown = numbers.interval(value, lower, upper, digits, scale)
        if shown == MISSING and name.startswith("median"):
            return Cell("not reached")
        return Cell(shown + (unit if shown != MISSING else ""), numbers.exact(value))

    return Column(head, (name, low, high), write)


def quartiles(head: str, letter: str) -> Column:
    """Show median and quartiles of a share, in percent."""
    names = (f"median_{letter}", f"q1_{letter}", f"q3_{letter}")

    def write(row: Record) -> Cell:
        middle, low, high = (_float(row, name) for name in names)
        return Cell(numbers.interval(middle, low, high, 1, 100))

    return Column(
        head,
        names,
        write,
    )


def of_level(letter: str) -> Column:
    """Show a level and how many patients have it."""

    def write(row: Record) -> Cell:
        n = numbers.whole(_float(row, f"n_{letter}"))
        return Cell(f"{row.get(f'level_{letter}', '')} (n\u00a0=\u00a0{n})")

    return Column(
        "Level",
        (f"level_{letter}",),
        write,
        number=False,
    )


def _guessed(frame: pd.DataFrame, name: str) -> Column:
    """Show a column that nobody described: p values as such, fractions with four digits."""
    from pandas.api import types

    head = name.replace("_", " ")
    if not types.is_numeric_dtype(frame[name].dtype) or types.is_bool_dtype(frame[name].dtype):
        return text(head, name)
    if name == "p" or name.startswith("p_"):
        return p(head, name)
    if types.is_integer_dtype(frame[name].dtype):
        return whole(head, name)
    return Column(head, (name,), lambda row: Cell(numbers.exact(_float(row, name)) or MISSING))


def _lrt(row: Record) -> Cell:
    return Cell(f"{numbers.fixed(_float(row, 'lrt'), 1)} ({numbers.whole(_float(row, 'lrt_df'))})")


def _concordance(row: Record) -> Cell:
    value, error = _float(row, "concordance"), _float(row, "concordance_se")
    return Cell(f"{numbers.fixed(value, 3)} ({numbers.fixed(error, 3)})", numbers.exact(value))


GROUPINGS = {
    "overall": "All patients",
    "sof": "Spatial risk",
    "crs": "Clinical risk",
    "combined": "Combined grade",
}
DIRECTIONS = {"both": "both", "forward": "forward", "backward": "backward"}
RULES = {
    "code": "the authors' code",
    "text": "the paper's text",
    "median": "median",
    "fixed": "given",
}
_LABEL = text("", "label")
_N, _DEATHS = whole("n", "n"), whole("Deaths", "events")
_NOTE = text("Note*", "note")


def treated_words(grouping: str) -> str:
    """Say ``adjuvant_no_high`` in words: Not pretreated, high spatial risk."""
    parts = grouping.split("_")[1:]
    if len(parts) != 2:
        return grouping.replace("_", " ")
    before = {"all": "All patients", "no": "Not pretreated", "yes": "Pretreated"}
    risk = "" if parts[1] == "all" else f", {parts[1]} spatial risk"
    return before.get(parts[0], parts[0]) + risk


def _grouping(row: Record) -> Cell:
    name = str(row.get("grouping", ""))
    known = GROUPINGS.get(name)
    return Cell(known or (treated_words(name) if name.startswith("adjuvant") else name))


_GROUPING = Column("Grouping", ("grouping",), _grouping, number=False)
_MODEL = text("Model", "model")
_TIME = fixed("Months", "time_months", 0)

#: Columns by table; a head that ends in an asterisk is left out where the column is empty.
COLUMNS: dict[str, tuple[Column, ...]] = {
    "flow": (
        text("Step", "step"), text("Unit", "unit"), whole("Before", "before"),
        whole("Left out", "excluded"), whole("After", "after"), text("Reason", "reason"),
    ),
    "follow_up": (
        text("Patients", "group"), _N, _DEATHS,
        interval("Median months (95\u00a0% CI)", "median_months", "lower95", "upper95", 1),
        fixed("Lower quartile", "q1_months", 1), fixed("Upper quartile", "q3_months", 1),
        text("Method", "method"),
    ),
    "problems": (
        text("", "severity"), whole("Row", "row"), text("Patient", "patient"),
        text("Column", "column"), text("Value", "value"), text("Problem", "problem"),
        text("Remedy", "remedy"),
    ),
    "cutpoints": (
        _LABEL, text("Method", "method"), share("Cut-off", "cutoff", 2),
        whole("n low", "n_low"), whole("n high", "n_high"), fixed("|z|", "statistic"),
        p("p (Lau92)*", "p_lau92"), p("p (Lau94)*", "p_lau94"), p("p (exact)*", "p_exact_gauss"),
        p("p (permuted)*", "p_monte_carlo"), _NOTE,
    ),
    "cutpoint_stability": (
        _LABEL, share("Cut-off", "cutoff", 2), whole("Resamples", "resamples"),
        share("Median", "median", 2), share("2.5\u00a0%", "q025", 2),
        share("97.5\u00a0%", "q975", 2),
        share("Within \u00b110 percentiles", "within_10_percentiles", 0), _NOTE,
    ),
    "cutpoint_optimism": (
        _LABEL, whole("Folds", "folds"), whole("Repeats", "repeats"),
        fixed("HR, found", "hr_apparent"), fixed("HR, held out", "hr_cross_validated"),
        fixed("\u03c7\u00b2, found", "logrank_apparent", 1),
        fixed("\u03c7\u00b2, held out", "logrank_cross_validated", 1),
        fixed("Optimism, log HR", "optimism_log_hr"),
    ),
    "univariate": (
        _LABEL, _N, _DEATHS, hazard_ratio(), p("p (LRT)", "p_lrt"), p("p (FDR)", "p_fdr"),
        p("p (Wald)", "p_wald"), p("p (score)", "p_score"), fixed("C", "concordance", 3), _NOTE,
    ),
    "correlation": (
        feature("Feature", "a"), feature("and", "b"), whole("n", "n"),
        interval("r (95\u00a0% CI)", "r", "lower95", "upper95", 2), p(),
    ),
    "collinear": (
        feature("Kept", "kept"), feature("Dropped", "dropped"), fixed("r", "r"), p(),
        text("Reason", "reason"),
    ),
    "stepwise_path": (
        text("Direction", "direction", DIRECTIONS), whole("Step", "step"),
        feature("Change", "change"), whole("df", "df"), fixed("AIC", "aic"),
    ),
    "stepwise_candidates": (
        text("Direction", "direction", DIRECTIONS), whole("Step", "step"),
        feature("Change", "change"), whole("df", "df"), fixed("AIC", "aic"),
    ),
    "models": (
        _LABEL, _N, _DEATHS, whole("Left out", "n_missing"),
        Column("LRT (df)", ("lrt", "lrt_df"), _lrt), p("p (LRT)", "lrt_p"),
        fixed("Wald", "wald", 1), p("p (Wald)", "wald_p"),
        fixed("Score test", "score", 1), p("p (score)", "score_p"),
        Column("C (SE)", ("concordance", "concordance_se"), _concordance),
        fixed("AIC", "aic"),
        fixed("BIC", "bic"),
    ),
    "coefficients": (
        _MODEL, _LABEL, fixed("Coefficient", "coef", 3), fixed("SE", "se", 3), hazard_ratio(),
        fixed("z", "z"), p("p (Wald)", "p_wald"),
    ),
    "ph_test": (_MODEL, _LABEL, fixed("\u03c7\u00b2", "chisq"), whole("df", "df"), p()),
    "score_cutoff": (
        text("Rule", "rule", RULES), fixed("Cut-off", "cutoff", 4), text("Test", "test"), p(),
        whole("n low", "n_low"), whole("n high", "n_high"), hazard_ratio(),
        text("Used", "used", {"True": "yes", "False": ""}), _NOTE,
    ),
    "groups": (
        _GROUPING, text("Group", "group"), _N, _DEATHS,
        interval("Median months (95\u00a0% CI)", "median_months", "median_lower95",
                 "median_upper95", 1),
        interval("5-year survival, % (95\u00a0% CI)", "survival_5y", "survival_5y_lower95",
                 "survival_5y_upper95", 1, 100),
    ),
    "logrank": (
        _GROUPING, text("Stratified by*", "strata"), whole("Groups", "groups"),
        fixed("\u03c7\u00b2", "chisq"), whole("df", "df"), p(), hazard_ratio(),
    ),
    "logrank_pairwise": (
        _GROUPING, text("Group", "group_a"), text("against", "group_b"),
        fixed("\u03c7\u00b2", "chisq"), p(), p("p (FDR)", "p_fdr"),
    ),
    "adjuvant": (
        text("Pretreated", "pretreated"), text("Spatial risk", "sof_group"),
        whole("n without", "n_without"), whole("Deaths", "events_without"),
        whole("n with", "n_with"), whole("Deaths", "events_with"), hazard_ratio(),
        p("p (log-rank)"), _NOTE,
    ),
    "adjuvant_interaction": (
        text("Pretreated", "pretreated"), text("Term", "term"), _N, _DEATHS,
        hazard_ratio("Ratio of HRs (95\u00a0% CI)"), fixed("LRT", "lrt"), p(),
    ),
    "roc": (
        feature("Marker", "marker"), _TIME, whole("Cases", "cases"), whole("Controls", "controls"),
        whole("Censored", "censored"),
        interval("AUC (95\u00a0% CI)", "auc", "lower95", "upper95", 3), fixed("SE", "se", 3),
    ),
    "roc_compare": (
        feature("Marker", "marker_a"), feature("against", "marker_b"), _TIME,
        fixed("Difference in AUC", "difference", 3), fixed("SE", "se", 3), fixed("z", "z"), p(),
        p("p, all times*", "p_adjusted"), _NOTE,
    ),
    "calibration": (
        _MODEL, _TIME, whole("Group", "group"), _N, share("Predicted", "predicted"),
        interval("Observed, % (95\u00a0% CI)", "observed", "lower95", "upper95", 1, 100),
        fixed("SE of log", "std_err", 3), fixed("Optimism*", "optimism", 3),
        share("Corrected*", "corrected"), whole("Resamples*", "resamples"),
    ),
    "calibration_summary": (
        _MODEL, _TIME, _N, interval("Observed deaths, % (95\u00a0% CI)", "observed_deaths",
                                    "lower95", "upper95", 1, 100),
        share("Expected", "expected_deaths"), fixed("Observed/expected", "observed_expected"),
        fixed("Slope, corrected*", "slope_corrected"), whole("Resamples*", "resamples"),
    ),
    "external": (
        _MODEL, _N, _DEATHS, whole("Left out", "n_missing"),
        interval("Concordance (95\u00a0% CI)", "concordance", "concordance_lower95",
                 "concordance_upper95", 3),
        interval("Calibration slope (95\u00a0% CI)", "slope", "slope_lower95", "slope_upper95", 2),
        p("p (slope 1)", "slope_p"),
    ),
    "brier": (
        _MODEL, _TIME, fixed("Brier", "brier", 3), fixed("Without model", "brier_null", 3),
        share("Gain", "scaled"), fixed("Integrated", "integrated", 3),
    ),
    "nested_cv_summary": (
        text("Method", "label"),
        interval("Concordance (95\u00a0% CI)", "concordance", "lower95", "upper95", 3),
        fixed("SD over folds", "concordance_sd", 3),
        fixed("Features, median", "n_features_median", 1),
        _NOTE,
    ),
    "association_groups": (
        _LABEL, text("Factor", "factor_label"),
        of_level("a"), quartiles("Median, % (quartiles)", "a"),
        of_level("b"), quartiles("Median, % (quartiles)", "b"), p(), p("p (FDR)", "p_fdr"),
    ),
    "association_correlations": (
        _LABEL, text("Factor", "factor_label"), _N,
        interval("r (95\u00a0% CI)", "r", "lower95", "upper95", 2), p(), p("p (FDR)", "p_fdr"),
    ),
    "association_tables": (
        feature("Variable", "a"), feature("and", "b"), text("Test", "test"), _N,
        fixed("Statistic", "statistic"), whole("df*", "df"), p(), p("p (FDR)", "p_fdr"), _NOTE,
    ),
}  # fmt: skip
