"""The slides of each patient together, as they were measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from napari_crlm_spa.core.cohort.columns import PATIENT
from napari_crlm_spa.core.hgp.columns import CHEMO
from napari_crlm_spa.core.hgp.patients import N_SLIDES, WORST
from napari_crlm_spa.core.hgp.slide_list import KnownSlide
from napari_crlm_spa.core.spatial.interface import (
    Interface,
    InterfaceOptions,
    patient_summary,
    worst_of_patient,
)
from napari_crlm_spa.core.spatial.interface.calls import calls, refusals
from napari_crlm_spa.core.spatial.interface.notes import patient_notes

N_MEASURED = "n_measured"
#: Of a map or of one lesion, so unknown of a patient.
_NOT_OF_PATIENTS = ("lesion", "interaction_paper", "interaction_border", "detection_limit_um")


def measured_patients(
    slides: Sequence[tuple[KnownSlide, Interface | None]], options: InterfaceOptions
) -> list[dict[str, Any]]:
    """Return a row per patient, in the order of the slides.

    Parameters
    ----------
    slides
        What is known of each slide, and its interface; None if it couldn't be measured. Slides
        without a patient are left out.
    options
        Limits of the calls.

    Returns
    -------
    list of dict
        ``patient, n_slides, n_measured, chemo``, the numbers of all slides together (each weighted
        with its length), the lesion with the least rim, calls, refusal and notes.
    """
    by_patient: dict[str, list[tuple[KnownSlide, Interface | None]]] = {}
    for known, interface in slides:
        if known.patient:
            by_patient.setdefault(known.patient, []).append((known, interface))
    return [_row(patient, own, options) for patient, own in by_patient.items()]


def slides_by_patient(slides: Sequence[KnownSlide]) -> Mapping[str, int]:
    """Count the slides of each patient that is named."""
    counts: dict[str, int] = {}
    for known in slides:
        if known.patient:
            counts[known.patient] = counts.get(known.patient, 0) + 1
    return counts


def _row(
    patient: str, slides: Sequence[tuple[KnownSlide, Interface | None]], options: InterfaceOptions
) -> dict[str, Any]:
    measured = [interface for _, interface in slides if interface is not None]
    told = {known.pretreated for known, _ in slides} - {None}
    # One slide that says yes is enough: the same patient was treated.
    pretreated = any(told) if told else None
    summary, worst = patient_summary(measured), worst_of_patient(measured)
    refused = refusals(summary, options)
    if not summary.interface_mm:
        refused = ("No call: no interface was measured on any slide of this patient.",)
    called = calls(summary, refused, options)
    notes = list(patient_notes(len(slides), pretreated))
    if len(measured) < len(slides):
        notes.insert(0, f"{len(slides) - len(measured)} of {len(slides)} slides not measured.")
    numbers = {k: v for k, v in summary.as_dict().items() if k not in _NOT_OF_PATIENTS}
    return {
        PATIENT: patient,
        N_SLIDES: len(slides),
        N_MEASURED: len(measured),
        CHEMO: spelled(pretreated),
        **numbers,
        WORST: None if worst is None else worst.pct_D,
        **{f"call_{rule}": call.call or "" for rule, call in called.items()},
        "refusal": " ".join(refused),
        "notes": " ".join(notes),
    }


def spelled(known: bool | None) -> str:
    """Spell yes, no, or nothing where it isn't known."""
    return "" if known is None else "yes" if known else "no"
