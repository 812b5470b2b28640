"""What may be chosen about how a cohort is put together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_crlm_spa.core.cohort.table.filters import EVENT_CODES_HELP
from napari_crlm_spa.core.options import Options, option

#: Months in a unit of follow-up; a year has 365.25 days.
MONTHS_IN = {"months": 1.0, "days": 12 / 365.25, "years": 12.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions(Options):
    """How tables and analyses become one row per patient."""

    name: str = option("", "Name of the cohort; the clinical table's if empty", label="Name")
    time: str = option(
        "", "Column of the follow-up, if it is not found by its name", label="Follow-up column"
    )
    event: str = option(
        "", "Column that says who died, if it is not found by its name", label="Event column"
    )
    time_unit: str = option(
        "months",
        "Unit of the follow-up in the table",
        choices=tuple(MONTHS_IN),
        label="Follow-up in",
    )
    died: str = option(
        "",
        "What the event column says of the dead, separated by commas (for instance 2); without it "
        "1 and words such as dead",
        label="Died is coded",
        advanced=True,
    )
    censored: str = option(
        "",
        "What the event column says of the living; without it 0 and words such as alive",
        label="Censored is coded",
        advanced=True,
    )
    event_codes: str = option(
        "error", EVENT_CODES_HELP, choices=("error", "delete"), label="Other event codes"
    )
    columns: str = option(
        "",
        "Which column is which, where the names don't tell: 'Gender=Sex of patient; patient=No.'",
        label="Columns",
    )
    sheet: str = option("", "Sheet of an Excel file; the first one if empty", label="Sheet")
    bad_values: str = option(
        "unknown",
        "Clinical values that can't be right (text in a number column, an age of 210) count as "
        "unknown, or exclude their patient",
        choices=("unknown", "exclude"),
        label="Impossible values",
    )
    slides: Path | None = option(  # noqa: RUF009
        None,
        "Table with columns slide and patient, if the clinical table does not name the slides",
        label="Table of slides",
    )
    pattern: str = option(
        "",
        "Regular expression that finds the patient in a slide's name: its first group, or all of "
        "it (for instance ^([A-Z]+-[0-9]+))",
        label="Patient in slide name",
    )
    reader: str = option(
        "", "Take the features as corrected by this reader; as predicted if empty", label="Reader"
    )
    uncorrected: str = option(
        "predicted",
        "Slides that the reader has not corrected: taken as predicted, or excluded",
        choices=("predicted", "exclude"),
        label="Not corrected",
        advanced=True,
    )
    patient_rule: str = option(
        "largest_tumor",
        "Which of a patient's slides counts: the one with the most contiguous tumor tiles, the one "
        "declared in the column use_slide, the worst by a risk model, or the mean of all",
        choices=("largest_tumor", "declared", "worst", "mean"),
        label="Several slides",
    )
    risk_model: str = option(
        "", "Preset or file of the risk model by which the worst slide is found", label="Risk model"
    )
