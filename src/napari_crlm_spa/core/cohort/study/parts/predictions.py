"""How well score and groups predict: ROC over time, calibration, Brier score, decision curves."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_crlm_spa.core.cohort.columns import (
    CLINICAL_RISK,
    COMBINED_GRADE,
    CRS_SCORE,
    SCORE,
    SPATIAL_RISK,
)
from napari_crlm_spa.core.cohort.cox.fit import CoxFit
from napari_crlm_spa.core.cohort.cox.partial_likelihood import Ties
from napari_crlm_spa.core.cohort.curves import Grouping
from napari_crlm_spa.core.cohort.prediction.brier import BRIER_NOTE, brier_table
from napari_crlm_spa.core.cohort.prediction.calibration import CalibrationOptions, calibrate
from napari_crlm_spa.core.cohort.prediction.decision import DECISION_NOTE, decision_table
from napari_crlm_spa.core.cohort.prediction.predicted import Predicted, PredictionModel
from napari_crlm_spa.core.cohort.prediction.roc_tables import (
    ROC_COMPARE_NOTE,
    ROC_NOTE,
    roc_tables,
)
from napari_crlm_spa.core.cohort.study.gather import Gathering
from napari_crlm_spa.core.cohort.study.options import JudgeOptions, StudyOptions
from napari_crlm_spa.core.cohort.study.parts.groups import RiskGroups
from napari_crlm_spa.core.cohort.study.parts.models import FINAL, LABELS, WITH_CRS
from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.cohort.table import Cohort
from napari_crlm_spa.core.progress import Progress

if TYPE_CHECKING:
    import pandas as pd


Times = tuple[float, ...]
#: With fewer patients beyond a time its results are not to be trusted; a limit of ours.
FEW_BEYOND = 10


@dataclass(frozen=True, slots=True, eq=False)
class Predictor:
    """A model with the patients' columns that it needs, and how it treats tied deaths."""

    model: PredictionModel
    frame: pd.DataFrame
    ties: Ties


def prediction_times(book: Gathering, cohort: Cohort, options: JudgeOptions) -> Times:
    """Return the times that somebody was followed beyond; tell the others once."""
    asked, last = options.times(), float(cohort.survival.time.max())
    late = [f"{time:g}" for time in asked if time >= last]
    if late:
        book.warn(
            f"Nobody was followed beyond {' and '.join(late)} months (the longest: {last:.1f}): "
            "ROC, calibration, Brier score and decision curves at that time are missing. Choose "
            "earlier times: --times-months."
        )
    times = tuple(time for time in asked if time < last)
    for time in times:
        beyond = _beyond(cohort, time)
        if beyond < FEW_BEYOND:
            book.warn(
                f"Only {beyond} of {len(cohort)} patients {'was' if beyond == 1 else 'were'} "
                f"followed beyond {time:g} months: ROC, calibration, Brier score and decision "
                "curves at that time are unreliable, more than their intervals tell. Choose an "
                "earlier time: --times-months."
            )
    book.facts["times_months"] = list(times)
    return times


def _beyond(cohort: Cohort, time: float) -> int:
    return int((cohort.survival.time > time).sum())


def warn_of_calibration(
    book: Gathering, cohort: Cohort, model: str, warnings: Sequence[str]
) -> None:
    """Add warnings by what the model is called; none for times that were told to be too late."""
    for text in warnings:
        at = re.search(r" at ([0-9.e+]+) months: a group has no estimate", text)
        if at is None or _beyond(cohort, float(at[1])) >= FEW_BEYOND:
            book.warn(text.replace(f"of {model}", f"of “{LABELS.get(model, model)}”", 1))


def marker_frame(cohort: Cohort, score: Floats | None, groups: RiskGroups) -> pd.DataFrame:
    """Return what is judged as a marker, one column each; a higher value means a worse course."""
    import pandas as pd

    markers: dict[str, object] = {}
    if score is not None:
        markers[SCORE] = score
    if groups.sof is not None:
        markers[SPATIAL_RISK] = points(groups.sof)
    if CRS_SCORE in cohort.patients.columns and cohort.patients[CRS_SCORE].notna().any():
        markers[CRS_SCORE] = cohort.patients[CRS_SCORE].to_numpy()
    elif groups.crs is not None:
        markers[CLINICAL_RISK] = points(groups.crs)
    if groups.combined is not None:
        markers[COMBINED_GRADE] = points(groups.combined)
    return pd.DataFrame(markers, index=cohort.patients.index)


def points(grouping: Grouping) -> Floats:
    """Return 0, 1, ... for the levels of a grouping; NaN where the group is unknown."""
    import numpy as np

    places = {level: float(place) for place, level in enumerate(grouping.levels)}
    return np.array([places.get(group, np.nan) for group in grouping.groups])


def add_roc(
    book: Gathering, cohort: Cohort, score: Floats | None, groups: RiskGroups, times: Times
) -> None:
    """Add time-dependent ROC curves of score, groups and clinical risk score."""
    markers = marker_frame(cohort, score, groups)
    if not times or not len(markers.columns):
        return
    found = roc_tables(markers, cohort.survival, times)
    book.table("roc", "Area under the time-dependent ROC curve", found.roc, ROC_NOTE)
    book.table("roc_curve", "ROC curves", found.roc_curve)
    book.table("roc_compare", "Markers compared", found.roc_compare, ROC_COMPARE_NOTE)
    book.warn_all(found.warnings)


def predictors(
    cohort: Cohort, binary: pd.DataFrame, score: Floats | None, fits: Mapping[str, CoxFit]
) -> dict[str, Predictor]:
    """Return the models that predict survival, with the columns that they need."""
    frames = {FINAL: binary}
    if score is not None:
        frames[WITH_CRS] = cohort.patients.assign(**{SCORE: score})
    return {
        name: Predictor(
            PredictionModel.of_fit(fits[name], name=name, cohort=cohort.name),
            frames[name],
            fits[name].ties,
        )
        for name in (FINAL, WITH_CRS)
        if name in fits and name in frames and fits[name].has_coef.any()
    }


def add_predictions(
    book: Gathering,
    cohort: Cohort,
    models: Mapping[str, Predictor],
    times: Times,
    options: StudyOptions,
) -> Generator[Progress, None, None]:
    """Add calibration, Brier score and decision curves of models in their own patients."""
    import pandas as pd

    if not times:
        return
    chosen = CalibrationOptions(
        times=times, resamples=options.calibration_resamples, seed=options.seed
    )
    tables, summaries, note = [], [], ""
    for name, each in models.items():
        found = yield from calibrate(
            each.frame, cohort.survival, each.model.columns, chosen, model=name, ties=each.ties
        )
        tables.append(found.table)
        summaries.append(found.summary)
        warn_of_calibration(book, cohort, name, found.warnings)
        note = found.note
    if tables:
        book.table("calibration", "Calibration", pd.concat(tables, ignore_index=True), note)
        book.table(
            "calibration_summary",
            "Calibration of all patients together",
            pd.concat(summaries, ignore_index=True),
        )
        book.facts["calibration"] = chosen.as_dict()
    predicted = {name: each.model.predict(each.frame) for name, each in models.items()}
    add_errors(book, cohort, predicted, times)


def add_errors(
    book: Gathering, cohort: Cohort, predicted: Mapping[str, Predicted], times: Times
) -> None:
    """Add Brier scores and decision curves of predictions for the cohort's patients."""
    if not predicted:
        return
    book.table("brier", "Brier score", brier_table(predicted, cohort.survival, times), BRIER_NOTE)
    book.table(
        "decision",
        "Decision curves",
        decision_table(predicted, cohort.survival, times),
        DECISION_NOTE,
    )
