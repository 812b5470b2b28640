"""Who is in the study: the flow of patients, and how long they were followed."""

from __future__ import annotations

from napari_crlm_spa.core.cohort.curves import follow_up_table
from napari_crlm_spa.core.cohort.curves.follow_up import NOTE as FOLLOW_UP_NOTE
from napari_crlm_spa.core.cohort.study.gather import Gathering
from napari_crlm_spa.core.cohort.table import Cohort, flow_frame


def add_people(book: Gathering, cohort: Cohort) -> None:
    """Add the tables ``flow`` and ``follow_up`` and what the methods paragraph says of patients."""
    survival = cohort.survival
    book.table("flow", "Patients and slides", flow_frame(cohort.flow), FLOW_NOTE)
    book.table("follow_up", "Follow-up", follow_up_table(survival), FOLLOW_UP_NOTE)
    book.warn_all(cohort.warnings)
    book.facts.update(
        n=len(survival), events=survival.n_events, time=cohort.time, event=cohort.event
    )
    if filters := cohort.record.get("filters"):
        book.facts["filters"] = filters


FLOW_NOTE = "Every step that left somebody out or changed a follow-up, with its reason."
