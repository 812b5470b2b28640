"""Associations: features between groups (S3) and with numbers (S4), groups with groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_crlm_spa.core.cohort.associations.counts import chi_square, fisher
from napari_crlm_spa.core.cohort.associations.factors import (
    DFI,
    PAPER_FACTORS,
    PAPER_NUMBERS,
    TwoLevels,
)
from napari_crlm_spa.core.cohort.associations.tests import (
    TestOutcome,
    kruskal,
    pearson,
    rank_sum,
)
from napari_crlm_spa.core.cohort.columns import (
    CLINICAL,
    CLINICAL_RISK,
    COMBINED_GRADE,
    CRS_GROUP,
    CRS_SCORE,
    SOFS,
    SPATIAL_RISK,
    label_of,
)
from napari_crlm_spa.core.cohort.columns import numbers as column_numbers
from napari_crlm_spa.core.cohort.cox.univariate import false_discovery_rate
from napari_crlm_spa.core.cohort.survival import Floats

if TYPE_CHECKING:
    import pandas as pd

_CRS = (
    *(CRS_SCORE, "Pathological_Nstage", DFI),
    *("Number_of_LM", "Largest_diameter_of_CRLM", "Preoperative_CEA"),
)
#: What a group is made of goes with it by definition: no question for a test.
_MADE_OF = {CLINICAL_RISK: _CRS, COMBINED_GRADE: (SPATIAL_RISK, CLINICAL_RISK, *_CRS)}
#: Columns of groups that patients get from a study, "" unknown.
GROUPS = (SPATIAL_RISK, CLINICAL_RISK, COMBINED_GRADE)


@dataclass(frozen=True, slots=True, eq=False)
class Associations:
    """The three tables, and what is doubtful about them.

    Parameters
    ----------
    groups
        Of `groups_table`.
    correlations
        Of `correlations_table`.
    tables
        Of `tables_table`.
    warnings
        Sentences for the user.
    """

    groups: pd.DataFrame
    correlations: pd.DataFrame
    tables: pd.DataFrame
    warnings: tuple[str, ...]


def associations(
    frame: pd.DataFrame,
    features: Sequence[str] = SOFS,
    *,
    factors: Sequence[TwoLevels] = PAPER_FACTORS,
    numbers: Sequence[str] = PAPER_NUMBERS,
    groups: Sequence[str] = GROUPS,
) -> Associations:
    """Compute all tables of those columns that the table has.

    Parameters
    ----------
    frame
        One row per patient: continuous features, clinical columns, groups (as words, "" unknown).
    features
        Continuous features.
    factors, numbers
        What they are compared with.
    groups
        Risk groups, compared with each other and with the clinical columns.
    """
    present = [feature for feature in features if feature in frame.columns]
    flat = [
        label_of(feature)
        for feature in present
        if len(np.unique(_known(column_numbers(frame, feature)))) < 2
    ]
    warnings = []
    if flat:
        names = ", ".join(flat)
        warnings.append(f"{names}: the same in all patients, so no association is computed.")
    missing = [f.column for f in factors] + list(numbers)
    missing = [column for column in missing if column not in frame.columns]
    if missing:
        names = ", ".join(label_of(column) for column in missing)
        warnings.append(f"The table has no {names}; their associations are missing.")
    return Associations(
        groups_table(frame, present, factors),
        correlations_table(frame, present, numbers),
        tables_table(frame, groups),
        tuple(warnings),
    )


def groups_table(
    frame: pd.DataFrame,
    features: Sequence[str] = SOFS,
    factors: Sequence[TwoLevels] = PAPER_FACTORS,
) -> pd.DataFrame:
    """Compare features between two groups by Wilcoxon's rank sum test (the paper's table S3).

    Returns
    -------
    DataFrame
        feature, label, factor, factor_label, level_a, n_a, q1_a, median_a, q3_a, level_b, n_b,
        q1_b, median_b, q3_b, w, p, p_fdr. Quantiles of type 7; w counts pairs in which the first
        level is larger; p_fdr is over the whole table.
    """
    import pandas as pd

    rows = []
    for factor in (factor for factor in factors if factor.column in frame.columns):
        first, second = factor.split(frame)
        for feature in (feature for feature in features if feature in frame.columns):
            values = column_numbers(frame, feature)
            a, b = _known(values[first]), _known(values[second])
            test = rank_sum(a, b)
            named = (feature, label_of(feature), factor.column, factor.label)
            low = (factor.level_a, len(a), *_quartiles(a))
            high = (factor.level_b, len(b), *_quartiles(b))
            rows.append((*named, *low, *high, test.statistic, test.p))
    columns = [
        *("feature", "label", "factor", "factor_label"),
        *("level_a", "n_a", "q1_a", "median_a", "q3_a"),
        *("level_b", "n_b", "q1_b", "median_b", "q3_b", "w", "p"),
    ]
    return _adjusted(pd.DataFrame(rows, columns=columns))


def correlations_table(
    frame: pd.DataFrame,
    features: Sequence[str] = SOFS,
    numbers: Sequence[str] = PAPER_NUMBERS,
) -> pd.DataFrame:
    """Correlate features with clinical numbers by Pearson's r (the paper's table S4).

    Returns
    -------
    DataFrame
        feature, label, factor, factor_label, n, r, lower95, upper95, p, p_fdr (over the table).
    """
    import pandas as pd

    rows = []
    for number in (number for number in numbers if number in frame.columns):
        other = column_numbers(frame, number)
        for feature in (feature for feature in features if feature in frame.columns):
            test = pearson(column_numbers(frame, feature), other)
            named = (feature, label_of(feature), number, label_of(number))
            rows.append((*named, test.n, test.estimate, test.lower, test.upper, test.p))
    columns = [
        *("feature", "label", "factor", "factor_label"),
        *("n", "r", "lower95", "upper95", "p"),
    ]
    return _adjusted(pd.DataFrame(rows, columns=columns))


def tables_table(frame: pd.DataFrame, groups: Sequence[str] = GROUPS) -> pd.DataFrame:
    """Compare risk groups with each other and with clinical columns.

    Columns of few values by chi-square and, where two rows or columns allow it, Fisher's exact
    test; numbers by Kruskal and Wallis.

    Returns
    -------
    DataFrame
        a, b, test, n, statistic, df, p, p_fdr, note. p_fdr is over the rows of the same test, since
        chi-square and Fisher ask the same question twice.
    """
    import pandas as pd

    tests = [(a, b, test) for a, b in _pairs(frame, groups) for test in _tests(frame, a, b)]
    columns = ["a", "b", "test", "n", "statistic", "df", "p", "note"]
    table = pd.DataFrame(
        [(a, b, t.test, t.n, t.statistic, t.df, t.p, t.note) for a, b, t in tests], columns=columns
    )
    adjusted = np.full(len(table), np.nan)
    for name in table["test"].unique():
        same = (table["test"] == name).to_numpy()
        adjusted[same] = false_discovery_rate(table["p"].to_numpy(np.float64)[same])
    table.insert(columns.index("p") + 1, "p_fdr", adjusted)
    return table


def _pairs(frame: pd.DataFrame, groups: Sequence[str]) -> Iterator[tuple[str, str]]:
    clinical = [column for column in CLINICAL if column in frame.columns and column != CRS_GROUP]
    present = [group for group in groups if group in frame.columns]
    for place, group in enumerate(present):
        for other in (*present[place + 1 :], *clinical):
            if other not in _MADE_OF.get(group, ()) and group not in _MADE_OF.get(other, ()):
                yield group, other


def _tests(frame: pd.DataFrame, a: str, b: str) -> Iterator[TestOutcome]:
    import pandas as pd

    labels = frame[a].to_numpy(object)
    known = np.array([not pd.isna(label) and label != "" for label in labels], bool)
    if b in CLINICAL and CLINICAL[b].kind != "binary" and b != CRS_SCORE:
        values = column_numbers(frame, b)
        yield kruskal([values[known & (labels == level)] for level in dict.fromkeys(labels[known])])
        return
    other = frame[b].to_numpy(object)
    known &= np.array([not pd.isna(label) and label != "" for label in other], bool)
    counts = pd.crosstab(labels[known], other[known]).to_numpy() if known.any() else [[0]]
    yield chi_square(counts)
    exact = fisher(counts)
    if exact.note:  # too large to be exact: chi-square has to do
        return
    if np.isfinite(exact.estimate):
        limits = f"{exact.lower:.3g} to {exact.upper:.3g}"
        exact = replace(exact, note=f"Odds ratio {exact.estimate:.3g} ({limits}).")
    yield exact


def _adjusted(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(p_fdr=false_discovery_rate(table["p"].to_numpy(np.float64)))


def _quartiles(values: Floats) -> tuple[float, float, float]:
    if not len(values):
        return float("nan"), float("nan"), float("nan")
    first, median, third = np.quantile(values, (0.25, 0.5, 0.75))
    return float(first), float(median), float(third)


def _known(values: Floats) -> Floats:
    return values[np.isfinite(values)]
