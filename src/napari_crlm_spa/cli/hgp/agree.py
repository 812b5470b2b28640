"""``crlm-spa hgp agree``: readers, measurement and survival compared."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from napari_crlm_spa.cli.flags import with_options
from napari_crlm_spa.cli.hgp.problems import show_problems
from napari_crlm_spa.cli.progress import STARTS_AFRESH, console, run_with_progress
from napari_crlm_spa.core.hgp.agree_options import AgreeOptions

if TYPE_CHECKING:
    from napari_crlm_spa.core.cohort.study.contents import Study


@with_options("options", AgreeOptions)
def agree(
    reviews: Annotated[Path, typer.Argument(help="Table of reviews, of hgp import or your own")],
    measures: Annotated[
        Path | None,
        typer.Argument(
            help="Table of measured interfaces, of hgp measure; without it only "
            "readers are compared"
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for report and tables")] = Path(
        "hgp-study"
    ),
    cohort: Annotated[
        Path | None,
        typer.Option(help="Folder of cohort build, or a table with follow-up, for survival"),
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the study")] = "Growth pattern",
    *,
    options: AgreeOptions,
) -> None:
    """Compare readers with each other, the measured interface with them, and both with survival.

    Writes a table (CSV) of everything and a page with figures, report.html. Agreement of readers
    comes first: no estimate can agree with them better than they do.
    """
    from napari_crlm_spa.cli.cohort.show import check_out, write_with_report
    from napari_crlm_spa.core.cohort.study.folder import TABLES
    from napari_crlm_spa.core.cohort.table import read_cohort
    from napari_crlm_spa.core.hgp.agree import agree as compare
    from napari_crlm_spa.core.hgp.imports import with_patients
    from napari_crlm_spa.core.hgp.measures import patients_of, read_measures
    from napari_crlm_spa.core.hgp.reviews import read_reviews

    check_out(out)
    found = read_reviews(reviews)
    measured = None if measures is None else read_measures(measures)
    if measured is not None:
        found = with_patients(found, patients_of(measured))
    followed = None if cohort is None else read_cohort(cohort)
    work = compare(found, measured, followed, options, name=name)
    study = run_with_progress(work, STARTS_AFRESH)
    page = write_with_report(study, out)
    output = Console()
    show_problems((*found.problems, *(measured.problems if measured else ())), output)
    for sentence in study.warnings:
        console.print(f"[yellow]Note:[/] {escape(sentence)}", highlight=False, soft_wrap=True)
    for line in gist(study):
        output.print(line, soft_wrap=True, highlight=False, markup=False)
    output.print(f"[bold]{escape(study.facts['disclaimer'])}[/]", soft_wrap=True)
    output.print(f"Report: {page}", soft_wrap=True, highlight=False, markup=False)
    output.print(f"Tables: {out / TABLES}", soft_wrap=True, highlight=False, markup=False)


def gist(study: Study) -> list[str]:
    """Say the few numbers that matter most."""
    facts, tables = study.facts, study.tables
    readers = ", ".join(facts["raters"])
    n = facts["n_patients"]
    of = f"{n} patient{'' if n == 1 else 's'}"
    lines = [f"{_slides(facts['n_slides'])} of {of}, read by {readers}."]
    if "reliability" in tables:
        for row in tables["reliability"].frame.to_dict("records")[:2]:
            lines.append(
                f"Readers: {row['statistic']} of {row['what']} {_known(row['value'], '.2f')}"
                f"{_interval(row)}, {_slides(row['n'])}.{_why(row, 'value')}"
            )
    if "agreement" in tables:
        row = tables["agreement"].frame.to_dict("records")[0]
        limits = " to ".join(_known(row[end], ".1f") for end in ("low_limit", "high_limit"))
        lines.append(
            f"Measured - reviewed share D: {_known(row['bias'], '+.1f')} points (limits {limits}), "
            f"ICC {_known(row['icc'], '.2f')}, {_slides(row['n'])}.{_why(row, 'icc')}"
        )
    if "association" in tables:
        for row in tables["association"].frame.to_dict("records"):
            if row["stratum"] == "all":
                lines.append(
                    f"{row['label']}: rho {_known(row['rho'], '+.2f')}{_interval(row)} with "
                    f"reviewed non-D; given size {_known(row['partial_rho'], '+.2f')}."
                    f"{_why(row, 'rho')}"
                )
    if "outcome_added" in tables:
        row = tables["outcome_added"].frame.to_dict("records")[0]
        lines.append(
            f"Survival: {row['added']} beyond {row['base'].lower()}: likelihood ratio "
            f"{_known(row['lrt'], '.2f')}, p = {_known(row['p'], '.3g')} ({row['n']} patients, "
            f"{row['events']} deaths).{_why(row, 'lrt')}"
        )
    return lines


def _known(value: float, spelled: str) -> str:
    return "not known" if value != value else format(value, spelled)


def _slides(n: int) -> str:
    return f"{n} slide{'' if n == 1 else 's'}"


def _why(row: Mapping[Hashable, Any], name: str) -> str:
    """Say why a number is not known, if it isn't and the table says so."""
    return f" {row['note']}" if row[name] != row[name] and row["note"] else ""


def _interval(row: Mapping[Hashable, Any]) -> str:
    """Spell an interval; nothing where there is none."""
    if row["lower"] != row["lower"]:
        return ""
    return f" ({row['lower']:.2f} to {row['upper']:.2f})"
