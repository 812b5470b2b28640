"""Forest plots of a growth-pattern study: agreement, correlation, areas, hazard ratios."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from napari_crlm_spa.core.report.cohort import numbers
from napari_crlm_spa.core.report.cohort.figures.forest import ForestRow, Scale, draw_forest
from napari_crlm_spa.core.report.growth.rows import number, with_interval
from napari_crlm_spa.core.report.growth.words import (
    MARKERS,
    RULES,
    STRATA,
    VIEWS,
    adjusted_words,
    short,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: 0: as by chance; 1: full agreement.
AGREEMENT = Scale(least=-1, most=1, always=(0.0, 1.0))
CORRELATION = Scale(least=-1, most=1, always=(-1.0, 1.0))
AREA = Scale(least=0, most=1, always=(0.4, 1.0), neutral=0.5)
#: Percentage points.
POINTS = Scale(least=-100, most=100, always=(-10.0, 10.0))
#: Of more pairs of readers those that differ most are drawn.
PAIRS_DRAWN = 30
_CI = "95 % CI"


def draw_reliability(table: pd.DataFrame) -> Figure:
    """Draw the table ``reliability``: agreement of all readers, beyond chance."""
    rows = [
        _row(VIEWS.get(str(each["what"]), str(each["what"])), each, "value",
             left=(str(each.get("statistic", "")), _count(each, "n")))
        for each in _dicts(table)
    ]  # fmt: skip
    return draw_forest(rows, left_heads=("", "", "Slides"), right_heads=(f"Value ({_CI})",),
                       axis="Agreement (1: full; 0: as by chance)", scale=AGREEMENT)  # fmt: skip


def draw_pairs(table: pd.DataFrame, *, within: bool = False) -> Figure:
    """Draw Bland-Altman limits of every two readers, or of readers and their earlier reading.

    Parameters
    ----------
    table
        ``rater_pairs``, or ``within_readers``.
    within
        Whether it is the latter.
    """
    if len(table) > PAIRS_DRAWN:
        width = (table["high_limit"] - table["low_limit"]).fillna(0)
        table = table.loc[width.nlargest(PAIRS_DRAWN).index]
    rows = []
    for each in _dicts(table):
        name = str(each["rater"]) if within else f"{each['rater_a']} \u2212 {each['rater_b']}"
        ends = number(each, "low_limit"), number(each, "high_limit")
        limits = f"{numbers.fixed(ends[0], 1)} to {numbers.fixed(ends[1], 1)}"
        bias, icc = (with_interval(each, what, f"{what}_") for what in ("bias", "icc"))
        right = (numbers.fixed(bias[0], 1), limits, numbers.interval(*icc, 2))
        rows.append(ForestRow(name, *bias, (_count(each, "n"),), right, outer=ends))
    minus = "first minus second reading" if within else "first minus second reader"
    return draw_forest(rows, left_heads=("", "Slides"),
                       right_heads=("Bias", "Limits", f"ICC ({_CI})"),
                       axis=f"Desmoplastic share, {minus} (points)", scale=POINTS)  # fmt: skip


def draw_association(table: pd.DataFrame) -> Figure:
    """Draw rows of the table ``association``: plain and given the tumor's size."""
    rows = []
    for each in _dicts(table):
        name = MARKERS.get(str(each["marker"]), str(each["marker"]))
        rows.append(_row(name, each, "rho", left=(_count(each, "n"),), p="p"))
        if numbers.known(number(each, "partial_rho")):
            rows.append(_row("\u2003given size", each, "partial_rho", ends="partial_",
                             left=(_count(each, "partial_n"),), p="partial_p"))  # fmt: skip
    return draw_forest(rows, left_heads=("", "Slides"), right_heads=(f"\u03c1 ({_CI})", "p"),
                       axis="Spearman's \u03c1 with the reviewed non-desmoplastic share",
                       scale=CORRELATION)  # fmt: skip


def draw_strata(
    association: pd.DataFrame | None, agreement: pd.DataFrame | None, rules: pd.DataFrame | None
) -> Figure:
    """Draw what matters most in all, in chemotherapy-naive and in pretreated patients."""
    rows: list[ForestRow] = []
    if agreement is not None:
        rows.append(ForestRow("Share D, ICC", heading=True))
        rows += [_in_stratum(each, "icc", "icc_") for each in _dicts(agreement)]
    if rules is not None:
        strict = rules[(rules["rule"] == "strict") & (rules["reviewed_rule"] == "strict")]
        if len(strict):
            rows.append(ForestRow("Strict call, \u03ba", heading=True))
            rows += [_in_stratum(each, "kappa", "kappa_") for each in _dicts(strict)]
    if association is not None:
        for marker, some in association.groupby("marker", sort=False):
            name = MARKERS.get(str(marker), str(marker))
            rows.append(ForestRow(f"{name}, \u03c1", heading=True))
            rows += [_in_stratum(each, "rho", "") for each in _dicts(some)]
    return draw_forest(rows, left_heads=("", "Slides"), right_heads=(f"Value ({_CI})",),
                       axis="Agreement, or correlation with reviewed non-D",
                       scale=CORRELATION)  # fmt: skip


def draw_areas(table: pd.DataFrame) -> Figure:
    """Draw rows of the table ``auc``: areas under the ROC curve by marker and stratum."""
    rows: list[ForestRow] = []
    for marker, some in table.groupby("marker", sort=False):
        rows.append(ForestRow(MARKERS.get(str(marker), str(marker)), heading=True))
        for each in _dicts(some):
            left = (f"{_count(each, 'd')}/{_count(each, 'non_d')}",)
            rows.append(_row(_stratum(each), each, "auc", left=left, digits=3))
    return draw_forest(rows, left_heads=("", "D/non-D"), right_heads=(f"AUC ({_CI})",),
                       axis="Area under the ROC curve for a reviewed strict D (0.5: chance)",
                       scale=AREA)  # fmt: skip


def draw_rules(table: pd.DataFrame) -> Figure:
    """Draw rows of the table ``rules``: kappa of the measured against the reviewed call."""
    rows: list[ForestRow] = []
    same = table["rule"] == table["reviewed_rule"]
    for title, some in (("Reviewed by the same rule", table[same]),
                        ("Reviewed by the strict rule", table[~same])):  # fmt: skip
        if len(some):
            rows.append(ForestRow(title, heading=True))
        for each in _dicts(some):
            right = tuple(
                numbers.percent(number(each, what), 0) for what in ("sensitivity", "specificity")
            )
            rows.append(_row(RULES.get(str(each["rule"]), str(each["rule"])), each, "kappa",
                             ends="kappa_", left=(_count(each, "n"),), right=right))  # fmt: skip
    return draw_forest(rows, left_heads=("Measured by rule", "Slides"),
                       right_heads=(f"\u03ba ({_CI})", "Sens. for D", "Spec."),
                       axis="Cohen's \u03ba (1: full agreement; 0: as by chance)",
                       scale=AGREEMENT)  # fmt: skip


def draw_models(table: pd.DataFrame) -> Figure:
    """Draw the table ``outcome_models``: growth pattern and survival, plain and adjusted."""
    rows: list[ForestRow] = []
    for adjusted, some in _by_adjustment(table):
        rows.append(ForestRow(f"Adjusted for {adjusted}" if adjusted else "Alone", heading=True))
        for each in _dicts(some[some["label"] == some["model"]]):
            rows.append(_hazard(each, "label", "p_wald", number(each, "concordance")))
    return draw_forest(rows, left_heads=("", "Deaths/n"),
                       right_heads=("HR (95 % CI)", "p (Wald)", "C"))  # fmt: skip


def draw_added(table: pd.DataFrame) -> Figure:
    """Draw the table ``outcome_added``: what a measurement adds to the review."""
    rows: list[ForestRow] = []
    for adjusted, part in _by_adjustment(table):
        for base, some in part.groupby("base", sort=False):
            also = f", {adjusted}" if adjusted else ""
            rows.append(ForestRow(f"Beyond: {str(base)[:1].lower()}{str(base)[1:]}{also}",
                                  heading=True))  # fmt: skip
            for each in _dicts(some):
                rows.append(_hazard(each, "added", "p", number(each, "lrt")))
    return draw_forest(rows, left_heads=("", "Deaths/n"),
                       right_heads=("HR (95 % CI)", "p (LRT)", "LRT"))  # fmt: skip


def _hazard(each: Mapping[str, Any], label: str, p: str, last: float) -> ForestRow:
    hr = with_interval(each, "hr", "hr_", "95")
    right = (numbers.ratio(*hr), numbers.p_value(number(each, p)), numbers.fixed(last, 2))
    counts = (f"{_count(each, 'events')}/{_count(each, 'n')}",)
    return ForestRow(short(each[label]), *hr, counts, right)


def _by_adjustment(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    words = table["adjusted"].map(adjusted_words)
    for adjusted, some in table.groupby(words, sort=False):
        yield str(adjusted), some


def _in_stratum(each: Mapping[str, Any], name: str, ends: str) -> ForestRow:
    return _row(_stratum(each), each, name, ends=ends, left=(_count(each, "n"),))


def _row(
    label: str,
    each: Mapping[str, Any],
    name: str,
    *,
    ends: str = "",
    left: tuple[str, ...] = (),
    right: tuple[str, ...] = (),
    p: str = "",
    digits: int = 2,
) -> ForestRow:
    """Make a row of a column and its interval, in the columns ``<ends>lower`` and ``upper``."""
    value, low, high = with_interval(each, name, ends)
    cells = [numbers.interval(value, low, high, digits)]
    if p:
        cells.append(numbers.p_value(number(each, p)))
    return ForestRow(label, value, low, high, left, (*cells, *right))


def _stratum(each: Mapping[str, Any]) -> str:
    return STRATA.get(str(each["stratum"]), str(each["stratum"]))


def _count(each: Mapping[str, Any], name: str) -> str:
    return numbers.whole(number(each, name))


def _dicts(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]
