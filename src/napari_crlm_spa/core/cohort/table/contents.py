"""What a cohort holds: patients, slides, how they became as many, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.cohort.columns import EVENT, PATIENT, TIME
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

Unit = Literal["patients", "slides"]
Severity = Literal["error", "warning"]
#: Column of the table of slides: whether the slide speaks for its patient.
USED = "used"
#: What is said about the holes of a column; such problems come last.
HOLES_REMEDY = "Analyses of this column leave them out."
#: Column of the table of slides: why a slide is not used.
LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One box of the flow diagram.

    Parameters
    ----------
    step
        What was done, in a few words.
    unit
        What is counted: ``"patients"`` or ``"slides"``.
    before, after
        How many there were, and how many were left.
    reason
        Why some were excluded, or what else the reader should know.
    """

    step: str
    unit: Unit
    before: int
    after: int
    reason: str = ""

    @property
    def excluded(self) -> int:
        """How many the step took away."""
        return self.before - self.after


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a table.

    Parameters
    ----------
    severity
        ``"error"``: the row is not used. ``"warning"``: it is, but look at it.
    row
        As the spreadsheet counts, the header being row 1; None if the whole table is meant.
    patient, column, value
        Where it is and what stands there; empty if that says nothing.
    problem, remedy
        What is wrong, and the way out, each a sentence.
    source
        Name of the file.
    """

    severity: Severity
    row: int | None
    patient: str
    column: str
    value: str
    problem: str
    remedy: str
    source: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """Patients with follow-up, clinical values and spatial features.

    Parameters
    ----------
    name
        Of the cohort.
    patients
        One row per patient, RangeIndex; numbers are floats with NaN for holes, text is text.
    flow
        How they became as many.
    problems
        What was wrong with the tables that it was made of.
    slides
        One row per slide, paths absolute; None for a cohort that was read from one table.
    time, event
        Columns of the follow-up in months and of 1 = died, 0 = censored.
    record
        What it was made of and how (sources, options, versions, columns), ready for JSON.
    """

    name: str
    patients: pd.DataFrame
    flow: tuple[FlowStep, ...] = ()
    problems: tuple[Problem, ...] = ()
    slides: pd.DataFrame | None = None
    time: str = TIME
    event: str = EVENT
    record: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.patients)

    @property
    def survival(self) -> Survival:
        """The follow-up of all patients.

        Raises
        ------
        SurvivalDataError
            If a time is missing or negative, or an event is not 0/1.
        """
        return Survival.of(self.patients[self.time], self.patients[self.event])

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences of the problems that concern the whole table or a column."""
        return tuple(
            " ".join(part for part in (each.problem, each.remedy) if part)
            for each in self.problems
            if each.row is None
        )

    def take(self, mask: ArrayLike, step: str, reason: str) -> Cohort:
        """Keep some patients and count it in the flow.

        Parameters
        ----------
        mask
            True for those to keep, shape (patients,). Positions are refused: R's
            ``x[-which(condition), ]`` loses everybody if the condition holds for nobody.
        step, reason
            For the flow.

        Raises
        ------
        CohortError
            If `mask` is not one truth value for each patient.
        """
        keep: NDArray[np.bool_] = np.asarray(mask)
        if keep.dtype != np.bool_ or keep.shape != (len(self.patients),):
            raise CohortError(
                f"Patients are chosen with one true or false for each of the {len(self.patients)};"
                f" got {keep.dtype} of shape {keep.shape}."
            )
        left = self.patients[keep].reset_index(drop=True)
        flow = [FlowStep(step, "patients", len(keep), len(left), reason)]
        slides = self.slides
        if slides is not None:
            slides, counted = _slides_of(slides, set(left[PATIENT]), step, reason)
            flow += counted
        return replace(self, patients=left, slides=slides, flow=(*self.flow, *flow))


def _slides_of(
    slides: pd.DataFrame, patients: set[str], step: str, reason: str
) -> tuple[pd.DataFrame, list[FlowStep]]:
    n = len(slides)
    used = slides[USED].to_numpy(bool) if USED in slides else np.ones(n, bool)
    kept = used & slides[PATIENT].isin(patients).to_numpy(bool)
    if kept.sum() == used.sum():
        return slides, []
    told = np.full(n, np.nan, object)
    if LEFT_OUT in slides:
        told = slides[LEFT_OUT].to_numpy(object, copy=True)
    told[used & ~kept] = f"patient excluded: {step}"
    changed = slides.assign(**{USED: kept, LEFT_OUT: told})
    return changed, [FlowStep(step, "slides", int(used.sum()), int(kept.sum()), reason)]


class Flow:
    """Counts patients and slides while a cohort is made; the sums add up by construction."""

    def __init__(self) -> None:
        self.steps: list[FlowStep] = []
        self._left: dict[Unit, int] = {}

    def start(self, unit: Unit, step: str, n: int, reason: str = "") -> None:
        """Count those that there are to begin with."""
        self._left[unit] = n
        self.steps.append(FlowStep(step, unit, n, n, reason))

    def left(self, unit: Unit) -> int:
        """How many are left."""
        return self._left[unit]

    def drop(self, unit: Unit, step: str, n: int, reason: str) -> None:
        """Exclude n; a step that excludes nobody is not told."""
        if n:
            before = self._left[unit]
            self._left[unit] = before - n
            self.steps.append(FlowStep(step, unit, before, before - n, reason))


def flow_frame(flow: Iterable[FlowStep]) -> pd.DataFrame:
    """Return the flow as a table: step, unit, before, after, excluded, reason."""
    import pandas as pd

    rows = [
        (each.step, each.unit, each.before, each.after, each.excluded, each.reason) for each in flow
    ]
    return pd.DataFrame(rows, columns=["step", "unit", "before", "after", "excluded", "reason"])


#: Columns of the table of problems.
PROBLEM_COLUMNS = ("severity", "row", "patient", "column", "value", "problem", "remedy", "source")


def problems_frame(problems: Iterable[Problem]) -> pd.DataFrame:
    """Return the problems as a table of text; a problem of a whole table has no row number."""
    import pandas as pd

    rows = [
        ["" if (cell := getattr(each, name)) is None else str(cell) for name in PROBLEM_COLUMNS]
        for each in problems
    ]
    return pd.DataFrame(rows, columns=list(PROBLEM_COLUMNS), dtype=object)


def sort_problems(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Put what concerns whole tables first, then errors before warnings, row by row; holes last."""
    return tuple(
        sorted(
            dict.fromkeys(problems),
            key=lambda each: (
                each.remedy == HOLES_REMEDY,
                each.row is not None,
                each.severity != "error",
                each.source,
                each.row or 0,
            ),
        )
    )
