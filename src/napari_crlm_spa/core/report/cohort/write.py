"""Writing the report of a study beside its tables."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from napari_crlm_spa.core.cohort.study.contents import Study
from napari_crlm_spa.core.cohort.study.folder import (
    FIGURES,
    REPORT_HTML,
    figure_path,
    table_path,
)
from napari_crlm_spa.core.files import is_file, write_bytes, write_errors, write_text
from napari_crlm_spa.core.report.cohort.contents import Tables
from napari_crlm_spa.core.report.cohort.figures.style import as_file
from napari_crlm_spa.core.report.cohort.form import form_of
from napari_crlm_spa.core.report.cohort.options import CohortReportOptions
from napari_crlm_spa.core.report.cohort.page import Links, render_page

#: Names of figures begin with one of these; others in the folder are not ours to remove.
_OURS = (
    "adjuvant", "associations", "brier", "calibration", "correlation", "cutpoint", "decision",
    "flow", "growth-", "km-", "model-", "nested-cv", "roc", "schoenfeld-", "score", "selection",
    "univariate",
)  # fmt: skip


def write_cohort_report(
    folder: Path,
    study: Study,
    *,
    out: Path | None = None,
    options: CohortReportOptions | None = None,
) -> Path:
    """Draw the figures of a study and write its page.

    ``report.html`` holds its figures and needs nothing but itself; it links the tables that
    `write_study` wrote, and the figures as files of their own. Figures of an earlier report that
    this one does not have are removed.

    Parameters
    ----------
    folder
        Of the study.
    study
        What it shows. A table that is missing or empty has no figure.
    out
        The page; ``report.html`` in the folder by default.
    options
        Form of the figures' files; the defaults if None.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    StoreError
        If a file cannot be written.
    """
    options = options or CohortReportOptions()
    page = folder / REPORT_HTML if out is None else out
    form = form_of(study.kind)
    sections = form.sections(Tables(study, columns=form.columns))
    drawn: dict[str, bytes] = {}
    for plot in (plot for section in sections for plot in section.plots):
        figure = plot.draw()
        drawn[plot.name] = as_file(figure, "svg", salt=plot.name, foot=form.foot)
        write_bytes(figure_path(folder, plot.name), drawn[plot.name])
        if options.figures != "svg":
            data = as_file(figure, options.figures, dpi=options.dpi, foot=form.foot)
            write_bytes(figure_path(folder, plot.name, options.figures), data)
    _remove_earlier(folder, set(drawn))
    links = Links(
        table=lambda name: _link(table_path(folder, name), page),
        figure=lambda name: _link(figure_path(folder, name), page),
    )
    write_text(page, render_page(study, sections, drawn, links))
    return page


def _remove_earlier(folder: Path, kept: set[str]) -> None:
    for path in (folder / FIGURES).glob("*.*"):
        known = path.suffix in (".svg", ".pdf", ".png") and path.name.startswith(_OURS)
        if known and path.stem not in kept:
            with write_errors(path):
                path.unlink(missing_ok=True)


def _link(path: Path, page: Path) -> str | None:
    """Return the address of a file as seen from the page; None if the file is not there."""
    if not is_file(path):
        return None
    try:
        relative = Path(os.path.relpath(path.absolute(), page.absolute().parent)).as_posix()
    except ValueError:  # another drive
        return path.absolute().as_uri()
    return quote(relative)
