"""``crlm-spa cohort build``: from analyses and a clinical table to one checked row per patient."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from napari_crlm_spa.cli.flags import with_options
from napari_crlm_spa.cli.progress import STARTS_AFRESH, console, run_with_progress
from napari_crlm_spa.core.cohort.table import PROBLEMS_CSV, BuildOptions

if TYPE_CHECKING:
    from napari_crlm_spa.core.cohort.table import Cohort, Problem

#: Problems that are printed; the file has them all.
SHOWN = 20
#: Exit code of a build that left nobody, or that --strict stopped.
EXIT_PROBLEM = 2


@with_options("options", BuildOptions)
def build(
    analyses: Annotated[
        list[Path],
        typer.Argument(help="Results of crlm-spa analyze: slides' folders, or what holds them"),
    ],
    clinical: Annotated[
        Path,
        typer.Option(help="CSV or Excel table: patient, follow-up, event, clinical columns"),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the cohort")] = Path("cohort"),
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at any error in the tables; write no cohort")
    ] = False,
    *,
    options: BuildOptions,
) -> None:
    """Bring analyzed slides and a clinical table together: one checked row per patient.

    Whatever is wrong with a row is listed (problems.csv), rows that can't be used are counted
    (flow.csv); nothing is mended silently. Go on with: crlm-spa cohort fit COHORT -o STUDY.
    """
    from napari_crlm_spa.core.cohort.table import build_cohort, write_cohort

    cohort = run_with_progress(build_cohort(analyses, clinical, options), STARTS_AFRESH)
    errors = sum(each.severity == "error" for each in cohort.problems)
    stopped = strict and errors
    if stopped:
        _write_problems(out, cohort)
    else:
        write_cohort(out, cohort)
    output = Console()
    _show_taken(cohort)
    if cohort.problems:
        output.print(_problems(cohort, errors, out))
    output.print(_flow(cohort))
    if stopped:
        console.print(
            f"[bold red]crlm-spa:[/] {errors} errors, and --strict was given: no cohort was "
            f"written. {escape(str(out / PROBLEMS_CSV))} lists them.",
            highlight=False,
            soft_wrap=True,
        )
        raise typer.Exit(EXIT_PROBLEM)
    if not len(cohort):
        console.print(
            "[bold red]crlm-spa:[/] nobody is left. The table above says where they went; "
            f"{escape(str(out / PROBLEMS_CSV))} says why.",
            highlight=False,
            soft_wrap=True,
        )
        raise typer.Exit(EXIT_PROBLEM)
    deaths = int(cohort.survival.n_events)
    for line in (
        f"{cohort.name}: {_count(len(cohort), 'patient')}, {_count(deaths, 'death')}.",
        f"Cohort: {out}",
        f"Go on:  crlm-spa cohort fit {out} -o STUDY",
    ):
        output.print(line, soft_wrap=True, highlight=False, markup=False)


def _write_problems(out: Path, cohort: Cohort) -> None:
    from napari_crlm_spa.core.cohort.table import problems_frame
    from napari_crlm_spa.core.cohort.table.plain_csv import to_csv
    from napari_crlm_spa.core.files import write_text

    write_text(out / PROBLEMS_CSV, to_csv(problems_frame(cohort.problems)))


def _show_taken(cohort: Cohort) -> None:
    """Say which header was taken for which column, where the names differ."""
    read = cohort.record["clinical"]
    renamed = [f"{theirs} = {ours}" for ours, theirs in read["columns"].items() if ours != theirs]
    lines = [f"{read['file']} was read as {read['read_as']}."]
    if renamed:
        lines.append(f"Columns taken: {'; '.join(renamed)}.")
    for column, words in read["words"].items():
        told = ", ".join(f"{word} = {code}" for word, code in words.items())
        lines.append(f"Words read in {column}: {told}.")
    if read["decimal_commas"]:
        lines.append(f"Decimal commas in: {', '.join(read['decimal_commas'])}.")
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _problems(cohort: Cohort, errors: int, out: Path) -> Table:
    found = cohort.problems
    warnings = len(found) - errors
    title = f"{_count(errors, 'error')}, {_count(warnings, 'warning')}"
    table = Table(title=title, title_justify="left", show_lines=False)
    table.add_column("", no_wrap=True)
    table.add_column("where", overflow="fold", ratio=2)
    table.add_column("problem and remedy", ratio=3)
    for each in found[:SHOWN]:
        mark = "[red]error[/]" if each.severity == "error" else "[yellow]warning[/]"
        table.add_row(mark, escape(_where(each)), escape(f"{each.problem} {each.remedy}".strip()))
    if len(found) > SHOWN:
        table.caption = f"{len(found) - SHOWN} more in {out / PROBLEMS_CSV}"
        table.caption_justify = "left"
    return table


def _where(problem: Problem, most: int = 40) -> str:
    """Say where a problem is: ``row 4, P-12, Age: 210``."""
    value = problem.value
    value = value if len(value) <= most else f"{value[:most]}..."
    place = f"{problem.column}: {value}" if value and problem.column else problem.column or value
    row = "" if problem.row is None else f"row {problem.row}"
    return ", ".join(part for part in (row, problem.patient, place) if part)


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _flow(cohort: Cohort) -> Table:
    table = Table(title="Flow", title_justify="left")
    table.add_column("step")
    table.add_column("")
    for heading in ("excluded", "left"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("reason", ratio=1)
    for unit in ("patients", "slides"):
        for step in (each for each in cohort.flow if each.unit == unit):
            excluded = f"{step.excluded:,}" if step.excluded else ""
            table.add_row(escape(step.step), unit, excluded, f"{step.after:,}", escape(step.reason))
        table.add_section()
    return table
