"""Predictions of a frozen fit in a second cohort, held against what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_crlm_spa.core.cohort.columns import SCORE
from napari_crlm_spa.core.cohort.prediction.calibration import CalibrationOptions
from napari_crlm_spa.core.cohort.prediction.external import EXTERNAL_NOTE, external_tables
from napari_crlm_spa.core.cohort.study.frozen import FrozenStudy
from napari_crlm_spa.core.cohort.study.gather import Gathering
from napari_crlm_spa.core.cohort.study.parts.models import LABELS
from napari_crlm_spa.core.cohort.study.parts.predictions import (
    Times,
    add_errors,
    warn_of_calibration,
)
from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.cohort.table import Cohort

if TYPE_CHECKING:
    import pandas as pd


def add_external(
    book: Gathering,
    cohort: Cohort,
    frozen: FrozenStudy,
    binary: pd.DataFrame,
    score: Floats,
    times: Times,
) -> None:
    """Add discrimination, calibration, Brier score and decision curves of the frozen models."""
    import pandas as pd

    if not frozen.models:
        book.warn(
            f"{frozen.cohort} is a risk model without a baseline hazard, so it predicts no "
            "survival: calibration, Brier score and decision curves are missing. Validate the "
            "folder of the fit to get them."
        )
        return
    if not times:
        return
    chosen = CalibrationOptions(times=times, resamples=0)
    # 0/1 features first: a model's features stand in the cohort as measured, too.
    frame = cohort.patients.assign(**{SCORE: score})
    frame[list(binary.columns)] = binary
    found, predicted = [], {}
    for name, model in frozen.models.items():
        missing = [c for c in model.columns if c not in frame.columns or not frame[c].notna().any()]
        if missing:
            book.warn(
                f"“{LABELS.get(name, name)}” needs {', '.join(missing)}, which {cohort.name} "
                "lacks: it is left out of what predicts survival."
            )
            continue
        found.append(external_tables(model, frame, cohort.survival, chosen))
        predicted[name] = model.predict(frame)
        warn_of_calibration(book, cohort, name, found[-1].warnings)
    if not found:
        return

    def stacked(part: str) -> pd.DataFrame:
        frames: list[pd.DataFrame] = [getattr(each, part) for each in found]
        return pd.concat(frames, ignore_index=True)

    book.table("external", "The frozen models here", stacked("external"), EXTERNAL_NOTE)
    book.table(
        "calibration",
        "Calibration",
        stacked("calibration"),
        f"Predicted with the baseline hazard of {frozen.cohort}; observed: Kaplan-Meier estimate "
        "of the group.",
    )
    book.table(
        "calibration_summary",
        "Calibration of all patients together",
        stacked("calibration_summary"),
        "observed_expected: observed over expected deaths; 1 is right.",
    )
    add_errors(book, cohort, predicted, times)
