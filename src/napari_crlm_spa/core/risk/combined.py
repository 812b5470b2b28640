"""The combined SOF-CRS grade: one point for high spatial risk, one for high clinical risk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Grade = Literal["low", "medium", "high"]
GRADES: tuple[Grade, Grade, Grade] = ("low", "medium", "high")
SOURCE = "Qi et al., iScience 2023;26:107702"


@dataclass(frozen=True, slots=True)
class CombinedGrade:
    """Low (0 points), medium (1) or high (2); None if either group is unknown."""

    grade: Grade | None
    points: int | None
    sentence: str


def combined_grade(sof_group: str | None, crs_group: str | None) -> CombinedGrade:
    """Combine the group of the spatial score with that of the clinical risk score.

    Parameters
    ----------
    sof_group, crs_group
        ``"low"``, ``"high"``, or None if unknown.
    """
    unknown = [
        name
        for name, group in (("spatial risk group", sof_group), ("clinical risk group", crs_group))
        if group is None
    ]
    if unknown:
        verb = "is" if len(unknown) == 1 else "are"
        return CombinedGrade(
            None, None, f"No combined grade: the {' and the '.join(unknown)} {verb} unknown."
        )
    points = (sof_group == "high") + (crs_group == "high")
    grade = GRADES[points]
    return CombinedGrade(
        grade,
        points,
        f"Combined grade {grade}: spatial risk {sof_group}, clinical risk {crs_group} "
        f"({points} of 2 points).",
    )
