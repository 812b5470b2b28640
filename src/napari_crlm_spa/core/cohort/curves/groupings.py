"""Who belongs to which group: spatial risk, clinical risk, combined grade, two-level columns.

A group that is not known stays unknown: such a patient is in no curve, and counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.cohort.columns import (
    CLINICAL,
    CRS_GROUP,
    CRS_SCORE,
    label_of,
    numbers,
    zero_or_one,
)
from napari_crlm_spa.core.risk.combined import GRADES, combined_grade
from napari_crlm_spa.core.risk.crs import HIGH_FROM
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

Labels = NDArray[np.object_]
LOW, HIGH, UNKNOWN = "low", "high", ""


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """Patients in groups.

    Parameters
    ----------
    name
        Key in tables, e.g. ``"crs"``.
    title
        For people.
    levels
        Keys of the groups in order, lowest risk first.
    labels
        What people call each level.
    groups
        The key of each patient's group, "" if unknown; shape (n,).
    warnings
        What is doubtful about it, in sentences.
    n_outside
        Patients that this comparison is not about; they have no group either.
    """

    name: str
    title: str
    levels: tuple[str, ...]
    labels: tuple[str, ...]
    groups: Labels
    warnings: tuple[str, ...] = ()
    n_outside: int = 0

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which patients have a group."""
        return np.asarray(self.groups != UNKNOWN, bool)

    @property
    def n_unknown(self) -> int:
        """Patients whose group is not known."""
        return int(np.count_nonzero(~self.known)) - self.n_outside

    def only(self, mask: ArrayLike, name: str, title: str) -> Grouping:
        """Return the same groups of some patients; the others are outside."""
        inside = np.asarray(mask, bool)
        groups = np.where(inside, self.groups, UNKNOWN).astype(object)
        outside = int(np.count_nonzero(~inside))
        return Grouping(name, title, self.levels, self.labels, groups, self.warnings, outside)


def overall(n: int) -> Grouping:
    """Return everybody as one group."""
    return Grouping("overall", "All patients", ("all",), ("All",), np.full(n, "all", object))


def sof_grouping(score: ArrayLike, cutoff: float) -> Grouping:
    """Group by the spatial score: high is ``score >= cutoff``; NaN is unknown."""
    values = np.asarray(score, np.float64)
    groups = np.where(values >= cutoff, HIGH, LOW).astype(object)
    groups[np.isnan(values)] = UNKNOWN
    return Grouping("sof", "Spatial risk", (LOW, HIGH), ("Low", "High"), groups)


def crs_grouping(frame: pd.DataFrame) -> Grouping:
    """Group by the clinical risk score: `CRS_group` where it is known, else `CRS_score` >= 3.

    Raises
    ------
    CohortError
        If the table has neither column, or they have other values.
    """
    present = [column for column in (CRS_GROUP, CRS_SCORE) if column in frame.columns]
    if not present:
        raise CohortError(
            f"The table has neither {CRS_GROUP} nor {CRS_SCORE}, so there are no clinical risk "
            "groups. Add one of them, or the five factors that it is made of."
        )
    unknown = np.full(len(frame), np.nan)
    given = zero_or_one(frame, CRS_GROUP) if CRS_GROUP in present else unknown
    score = numbers(frame, CRS_SCORE) if CRS_SCORE in present else unknown
    counted = np.where(np.isnan(score), np.nan, score >= HIGH_FROM)
    both = ~np.isnan(given) & ~np.isnan(counted)
    contradict = int(np.count_nonzero(both & ((given != 0) != (counted != 0))))
    warning = (
        f"{contradict} patients have a {CRS_GROUP} that contradicts {CRS_SCORE} >= {HIGH_FROM}; "
        f"{CRS_GROUP} was used. Correct one of the columns."
    )
    high = np.where(np.isnan(given), counted, given)
    groups = np.where(high != 0, HIGH, LOW).astype(object)
    groups[np.isnan(high)] = UNKNOWN
    return Grouping(
        "crs",
        "Clinical risk",
        (LOW, HIGH),
        ("Low", "High"),
        groups,
        (warning,) if contradict else (),
    )


def combined_grouping(sof: Grouping, crs: Grouping) -> Grouping:
    """Combine spatial and clinical risk to the grade low, medium or high."""
    grade: Mapping[tuple[str, str], str] = {
        (a, b): combined_grade(a or None, b or None).grade or UNKNOWN
        for a in (*sof.levels, UNKNOWN)
        for b in (*crs.levels, UNKNOWN)
    }
    groups = np.array(
        [grade[a, b] for a, b in zip(sof.groups, crs.groups, strict=True)] or [], object
    )
    titles = tuple(level.capitalize() for level in GRADES)
    warnings = tuple(dict.fromkeys((*sof.warnings, *crs.warnings)))
    return Grouping("combined", "Combined grade", GRADES, titles, groups, warnings)


def two_level_grouping(
    frame: pd.DataFrame,
    column: str,
    *,
    name: str = "",
    levels: Sequence[str] = (),
    labels: Sequence[str] = (),
) -> Grouping:
    """Group by a column of 0 and 1.

    Parameters
    ----------
    frame
        One row per patient.
    column
        Holes are unknown.
    name
        Of the grouping; without it, the column's.
    levels
        Keys of 0 and 1; without it, the codes of a clinical column, or low and high.
    labels
        For people; without it, as `levels`.

    Raises
    ------
    CohortError
        If the column is missing or has other values.
    """
    values = zero_or_one(frame, column)
    codes = CLINICAL[column].codes if column in CLINICAL else ()
    keys = tuple(levels or codes or (LOW, HIGH))
    words = tuple(labels or (key[:1].upper() + key[1:] for key in keys))
    groups = np.where(values == 1, keys[1], keys[0]).astype(object)
    groups[np.isnan(values)] = UNKNOWN
    return Grouping(name or column, label_of(column), keys, words, groups)
