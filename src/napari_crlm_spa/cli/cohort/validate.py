"""``crlm-spa cohort validate``: a fitted score, as it is, in a second cohort."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from napari_crlm_spa.cli.cohort.fit import (
    COHORT,
    COLUMNS_FLAG,
    DIED_FLAG,
    EVENT_FLAG,
    SHEET_FLAG,
    TIME_FLAG,
    UNIT_FLAG,
)
from napari_crlm_spa.cli.cohort.show import check_out, show_study
from napari_crlm_spa.cli.flags import with_options
from napari_crlm_spa.cli.progress import STARTS_AFRESH, run_with_progress
from napari_crlm_spa.core.cohort.columns import EVENT, TIME
from napari_crlm_spa.core.cohort.curves.grouped import CurveOptions
from napari_crlm_spa.core.cohort.study.options import JudgeOptions
from napari_crlm_spa.core.cohort.table.filters import FilterOptions


@with_options("study", JudgeOptions)
@with_options("filters", FilterOptions)
@with_options("curves", CurveOptions)
def validate(
    model: Annotated[
        str,
        typer.Argument(
            help="Folder of a fit; or a risk model with cut-offs (without a baseline hazard, so "
            "without calibration)"
        ),
    ],
    cohort: Annotated[Path, COHORT],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for tables and report")],
    time: Annotated[str, TIME_FLAG] = TIME,
    event: Annotated[str, EVENT_FLAG] = EVENT,
    time_unit: Annotated[Literal["months", "days", "years"], UNIT_FLAG] = "months",
    died: Annotated[str, DIED_FLAG] = "",
    columns: Annotated[str, COLUMNS_FLAG] = "",
    sheet: Annotated[str, SHEET_FLAG] = "",
    *,
    study: JudgeOptions,
    filters: FilterOptions,
    curves: CurveOptions,
) -> None:
    """Judge a fitted score in other patients; nothing that it is made of is fitted anew.

    Cut-offs of the features, coefficients, the score's cut-off and the baseline hazard are those
    of the fit. Patients that belong to both cohorts are named.
    """
    from napari_crlm_spa.core.cohort.study.folder import read_study
    from napari_crlm_spa.core.cohort.study.frozen import FrozenStudy
    from napari_crlm_spa.core.cohort.study.validate import ValidateOptions, validate_cohort
    from napari_crlm_spa.core.cohort.table import BuildOptions, read_cohort
    from napari_crlm_spa.core.risk import load_risk_model

    adjusted: tuple[str, ...] = ()
    if Path(model).is_dir():
        fitted = read_study(Path(model))
        frozen = FrozenStudy.of_study(fitted)
        adjusted = tuple(fitted.facts.get("adjusted_for", ()))
    else:
        frozen = FrozenStudy.of_risk_model(load_risk_model(model))
    found = read_cohort(
        cohort,
        time=time,
        event=event,
        features=tuple(frozen.coefficients),
        options=BuildOptions(
            time_unit=time_unit,
            died=died,
            columns=columns,
            sheet=sheet,
            event_codes=filters.event_codes,
        ),
    )
    options = ValidateOptions(filters=filters, curves=curves, study=study)
    check_out(out)
    done = run_with_progress(
        validate_cohort(frozen, found, options, adjust_for=adjusted), STARTS_AFRESH
    )
    show_study(done.of(cohort), out)
