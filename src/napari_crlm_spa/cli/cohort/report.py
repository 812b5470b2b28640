"""``crlm-spa cohort report``: draw the page of a study anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from napari_crlm_spa.cli.flags import with_options
from napari_crlm_spa.core.report.cohort.options import CohortReportOptions


@with_options("options", CohortReportOptions)
def report(
    study: Annotated[
        Path,
        typer.Argument(help="Folder that 'cohort fit', 'cohort validate' or 'hgp agree' wrote"),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="The page to write; report.html in the folder if not given"
        ),
    ] = None,
    *,
    options: CohortReportOptions,
) -> None:
    """Write the page and the figures of a finished analysis again.

    Nothing is computed: numbers come from the tables, titles and notes from study.json, where they
    may be edited.
    """
    from napari_crlm_spa.core.cohort.study.folder import FIGURES, read_study
    from napari_crlm_spa.core.report.cohort import write_cohort_report

    page = write_cohort_report(study, read_study(study), out=out, options=options)
    output = Console()
    output.print(f"Report: {page}", soft_wrap=True, highlight=False, markup=False)
    output.print(f"Figures: {study / FIGURES}", soft_wrap=True, highlight=False, markup=False)
