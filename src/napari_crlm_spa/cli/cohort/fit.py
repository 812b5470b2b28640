"""``crlm-spa cohort fit``: from a cohort to a score, its tables, a report and a risk model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from napari_crlm_spa.cli.cohort.show import check_out, show_study
from napari_crlm_spa.cli.flags import with_options
from napari_crlm_spa.cli.progress import STARTS_AFRESH, run_with_progress
from napari_crlm_spa.core.cohort.columns import EVENT, TIME
from napari_crlm_spa.core.cohort.cox.selection import SelectionOptions
from napari_crlm_spa.core.cohort.curves.grouped import CurveOptions
from napari_crlm_spa.core.cohort.cutpoints.cutpoint import CutpointOptions
from napari_crlm_spa.core.cohort.score.cutoff import ScoreOptions
from napari_crlm_spa.core.cohort.study.options import StudyOptions
from napari_crlm_spa.core.cohort.table.filters import FilterOptions

COHORT = typer.Argument(
    help="A folder that cohort build wrote, or a CSV or Excel table with one row per patient"
)
TIME_FLAG = typer.Option("--time", help="Column of the follow-up")
EVENT_FLAG = typer.Option("--event", help="Column of deaths: 1 died, 0 not")
DIED_FLAG = typer.Option(
    "--died", help="What the event column says of the dead, if not 1 or a word such as dead"
)
COLUMNS_FLAG = typer.Option(
    "--columns", help="Which column of a table is which, for instance 'Gender=Sex of patient'"
)
SHEET_FLAG = typer.Option("--sheet", help="Sheet of an Excel file; the first one if not given")
UNIT_FLAG = typer.Option(
    "--time-unit", help="Unit of the follow-up in a table; a built cohort is in months"
)


@with_options("study", StudyOptions)
@with_options("filters", FilterOptions)
@with_options(
    "cutpoints",
    CutpointOptions,
    {"method": "cutoffs", "cutoffs": "cutoff_file", "resamples": "cutoff_permutations"},
    "cutoff",
)
@with_options("selection", SelectionOptions)
@with_options("score", ScoreOptions, prefix="score")
@with_options("curves", CurveOptions)
def fit(
    cohort: Annotated[Path, COHORT],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for tables and report")],
    features: Annotated[
        str,
        typer.Option(
            help="Columns to build the score of, separated by commas; the 20 spatial "
            "features if not given"
        ),
    ] = "",
    name: Annotated[str, typer.Option(help="Name of the risk model")] = "",
    time: Annotated[str, TIME_FLAG] = TIME,
    event: Annotated[str, EVENT_FLAG] = EVENT,
    time_unit: Annotated[Literal["months", "days", "years"], UNIT_FLAG] = "months",
    died: Annotated[str, DIED_FLAG] = "",
    columns: Annotated[str, COLUMNS_FLAG] = "",
    sheet: Annotated[str, SHEET_FLAG] = "",
    *,
    study: StudyOptions,
    filters: FilterOptions,
    cutpoints: CutpointOptions,
    selection: SelectionOptions,
    score: ScoreOptions,
    curves: CurveOptions,
) -> None:
    """Analyze a cohort as the paper did: cut-offs, Cox models, score, curves, prediction.

    Writes a table (CSV) of everything, figures (SVG), report.html, and risk-model.json for the
    next patient: crlm-spa analyze SLIDE --risk-model FOLDER/risk-model.json. Add
    --stability-resamples, --calibration-resamples and --cv-repeats for what needs resampling.
    """
    from napari_crlm_spa.core.cohort.study.fit import FitOptions, fit_cohort
    from napari_crlm_spa.core.cohort.table import BuildOptions, read_cohort

    named = tuple(part.strip() for part in features.split(",") if part.strip())
    options = FitOptions(
        filters=filters,
        cutpoints=cutpoints,
        selection=selection,
        score=score,
        curves=curves,
        study=study,
    )
    found = read_cohort(
        cohort,
        time=time,
        event=event,
        features=named,
        options=BuildOptions(
            time_unit=time_unit,
            died=died,
            columns=columns,
            sheet=sheet,
            event_codes=filters.event_codes,
        ),
    )
    check_out(out)
    done = run_with_progress(fit_cohort(found, options, features=named, name=name), STARTS_AFRESH)
    show_study(done.of(cohort), out)
