"""Who is in the study: the flow of patients, and how long they were followed."""

from __future__ import annotations

from napari_crlm_spa.core.cohort.columns import SIMULATED_MARK
from napari_crlm_spa.core.cohort.curves import follow_up_table
from napari_crlm_spa.core.cohort.curves.follow_up import NOTE as FOLLOW_UP_NOTE
from napari_crlm_spa.core.cohort.study.gather import Gathering
from napari_crlm_spa.core.cohort.table import Cohort, flow_frame
from napari_crlm_spa.core.cohort.table.contents import HOLES_REMEDY, problems_frame
from napari_crlm_spa.core.cohort.table.filters import people
from napari_crlm_spa.errors import CohortError


def add_people(book: Gathering, cohort: Cohort) -> None:
    """Add the tables ``flow`` and ``follow_up`` and what the methods paragraph says of patients."""
    survival = cohort.survival
    book.table("flow", "Patients and slides", flow_frame(cohort.flow), FLOW_NOTE)
    book.table("follow_up", "Follow-up", follow_up_table(survival), FOLLOW_UP_NOTE)
    _tell_left_out(book, cohort)
    _tell_problems(book, cohort)
    holes = [text for text in cohort.warnings if text.endswith(HOLES_REMEDY)]
    book.warn_all(text for text in cohort.warnings if text not in holes)
    book.warn_all(holes, last=True)
    book.facts.update(
        n=len(survival),
        events=survival.n_events,
        time=cohort.time,
        event=cohort.event,
        simulated=is_simulated(cohort),
    )
    if filters := cohort.record.get("filters"):
        book.facts["filters"] = filters


def check_events(cohort: Cohort) -> None:
    """Refuse a table whose event column has other codes: 1 and 2 may be censored and died.

    A cohort that was built has shown them before.

    Raises
    ------
    CohortError
        If there are such codes, and nobody said what they mean or that they be deleted.
    """
    if cohort.slides is not None:
        return
    for each in cohort.problems:
        if each.severity == "error" and each.row is None and each.column:
            raise CohortError(f"{each.problem} {each.remedy}")


def is_simulated(cohort: Cohort) -> bool:
    """Tell whether patients are made up: their record or their column says so."""
    if cohort.record.get(SIMULATED_MARK):
        return True
    frame = cohort.patients
    return SIMULATED_MARK in frame.columns and bool((frame[SIMULATED_MARK] == 1).any())


def _tell_left_out(book: Gathering, cohort: Cohort) -> None:
    """Say how many patients of the table are not in the analysis, and why."""
    steps = [each for each in cohort.flow if each.unit == "patients" and each.excluded]
    if not steps:
        return
    first = next(each for each in cohort.flow if each.unit == "patients")
    total = sum(each.excluded for each in steps)
    why = "; ".join(f"{each.step}: {each.excluded}" for each in steps)
    book.warn(
        f"{total} of {people(first.before)} {'is' if total == 1 else 'are'} not in the analysis "
        f"({why}). The flow says more."
    )
    deletes = cohort.record.get("filters", {}).get("beyond") == "delete"
    if deletes and any("beyond" in each.step for each in steps):
        book.warn(
            "Patients were deleted for a follow-up beyond the limit, as the authors did. That "
            "takes the longest survivors away, so survival looks shorter than it is. To keep them: "
            "--beyond censor."
        )


def _tell_problems(book: Gathering, cohort: Cohort) -> None:
    """List what is wrong with rows of a table that nobody has built a cohort of."""
    found = [each for each in cohort.problems if each.row is not None]
    if not found or cohort.slides is not None:
        return
    book.table(
        "problems",
        "Problems of the table",
        problems_frame(found),
        "error: the row is not used; warning: the value counts as unknown, or looks strange.",
    )
    first = found[0]
    cell = f", {first.column}: {first.value}" if first.column and first.value else ""
    more = f" {len(found) - 1} more such: table problems." if len(found) > 1 else ""
    book.warn(f"Row {first.row}{cell}. {first.problem} {first.remedy}{more}".strip())


FLOW_NOTE = "Every step that left somebody out or changed a follow-up, with its reason."
