"""Survival curves of groups, and what is read off them. No Qt.

The statistics are `core.cohort.curves`'s; here is only what the panel says of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.plugin.cohort.groupings import Grouping

if TYPE_CHECKING:
    from napari_crlm_spa.core.cohort.curves import CurveTables, KaplanMeier


@dataclass(frozen=True, slots=True, eq=False)
class GroupCurves:
    """The survival of each group of a grouping.

    Parameters
    ----------
    grouping
        Which groups.
    survival
        Follow-up of all patients, in months.
    curves
        By level.
    tables
        The same with tests, as the report tells it.
    """

    grouping: Grouping
    survival: Survival
    curves: Mapping[str, KaplanMeier]
    tables: CurveTables

    def labels(self) -> dict[str, str]:
        """Name each group with its number of patients."""
        shown = {level: level for level in self.grouping.levels}
        if self.grouping.key == "overall":
            shown = {"all": "All patients"}
        return {level: f"{shown[level]} ({curve.n:,})" for level, curve in self.curves.items()}


def group_curves(survival: Survival, grouping: Grouping) -> GroupCurves:
    """Estimate the curves of all groups (Kaplan-Meier, log interval) and compare them."""
    from napari_crlm_spa.core.cohort import curves

    names = np.array([*grouping.levels, ""], object)[grouping.codes]
    groups = curves.Grouping(grouping.key, grouping.title, grouping.levels, grouping.levels, names)
    joined = survival.joined()
    found = {
        level: curves.kaplan_meier(joined.take(grouping.codes == code))
        for code, level in enumerate(grouping.levels)
    }
    return GroupCurves(grouping, survival, found, curves.curve_tables(survival, [groups]))


def test_line(data: GroupCurves) -> str:
    """Say the log-rank test and, of two groups, the hazard ratio; empty of one group."""
    from napari_crlm_spa.core.report.cohort.numbers import fixed, p_equation

    table = data.tables.logrank
    if not len(table) or np.isnan(table["p"].iloc[0]):
        return ""
    row = table.iloc[0]
    line = f"Log-rank {p_equation(float(row['p']))}"
    if not np.isnan(row["hr"]):
        low, high = fixed(float(row["hr_lower95"])), fixed(float(row["hr_upper95"]))
        first, second = (level.partition(" (")[0] for level in data.grouping.levels)
        line += f"\nHR {second} vs {first}: {fixed(float(row['hr']))} ({low} to {high})"
    return line


def median_lines(data: GroupCurves) -> list[str]:
    """Say deaths and median survival of each group, with the 95 % interval."""
    return [
        f"{level}: {curve.n_events:,} of {curve.n:,} died, {_median(curve)}"
        for level, curve in data.curves.items()
    ]


def _median(curve: KaplanMeier) -> str:
    if not curve.n:
        return "nobody"
    found = curve.quantile(0.5)
    if np.isnan(found.value):
        return "median not reached"
    return f"median {found.value:.1f} months ({_limit(found.lower)} to {_limit(found.upper)})"


def _limit(months: float) -> str:
    return "not reached" if np.isnan(months) else f"{months:.1f}"


def read_out(data: GroupCurves, months: float) -> list[str]:
    """Read all curves at a time: survival, its 95 % interval, patients at risk."""
    lines = []
    for level in data.grouping.levels:
        curve = data.curves[level]
        if not curve.n:
            continue
        row = curve.at(months).iloc[0]
        name = "" if len(data.grouping.levels) == 1 else f"{level}: "
        if months > curve.last:
            lines.append(f"{name}nobody was followed so long")
            continue
        interval = ""
        if not np.isnan(row["lower95"]):
            interval = f" (95 % {row['lower95']:.1%} to {row['upper95']:.1%})"
        lines.append(f"{name}{row['survival']:.1%}{interval}, {int(row['n_risk']):,} at risk")
    return lines


@dataclass(frozen=True, slots=True)
class Place:
    """Where a patient stands on the curve of its group.

    Parameters
    ----------
    level
        The group; empty if it is unknown, and then there is no place.
    months, survival
        End of the patient's follow-up, and the curve there.
    died
        Whether it ended with death.
    """

    level: str
    months: float
    survival: float
    died: bool


def place_of(data: GroupCurves, row: int) -> Place | None:
    """Return where a patient stands; None if its group is unknown."""
    level = data.grouping.label(row)
    if row < 0 or not level:
        return None
    months = float(data.survival.time[row])
    share = float(data.curves[level].at(months)["survival"].iloc[0])
    return Place(level, months, share, bool(data.survival.event[row]))


def follow_up_line(survival: Survival) -> str:
    """Say how many patients there are, how many died, and how long they were followed."""
    from napari_crlm_spa.core.cohort.curves import follow_up_table

    n, events = len(survival), survival.n_events
    line = f"{n:,} patients · {events:,} died"
    median = float(follow_up_table(survival)["median_months"].iloc[0]) if n else np.nan
    if np.isnan(median):
        return f"{line} · median follow-up not reached"
    return f"{line} · median follow-up {median:.1f} months"


def write_curves(path: Path, data: GroupCurves) -> None:
    """Save the curves as a table.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    write_text(path, data.tables.km.to_csv(index=False, lineterminator="\n"))
