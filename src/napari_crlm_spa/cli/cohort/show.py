"""Writing a study, and telling on the terminal what matters of it."""

from __future__ import annotations

import math
from pathlib import Path
from tempfile import TemporaryFile

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from napari_crlm_spa.cli.progress import EXIT_INTERRUPTED, console
from napari_crlm_spa.core.cohort.study.contents import Study
from napari_crlm_spa.core.cohort.study.folder import RISK_MODEL_JSON
from napari_crlm_spa.core.files import write_errors
from napari_crlm_spa.core.risk import RESEARCH_USE_ONLY

#: Said of patients who are made up.
SIMULATED = "SIMULATED patients: nothing here says anything about people."


def check_out(out: Path) -> None:
    """Refuse a folder that can't be written before anything is computed.

    Raises
    ------
    StoreError
        If it can't.
    """
    # It is not made here: work that is refused or stopped leaves no empty folder.
    place = next(each for each in (out.absolute(), *out.absolute().parents) if each.exists())
    with write_errors(out), TemporaryFile(dir=place):
        pass


def show_study(study: Study, out: Path) -> None:
    """Write tables, risk model and report of a study into a folder; print the gist."""
    page = write_with_report(study, out)
    for sentence in study.warnings:
        console.print(f"[yellow]Note:[/] {escape(sentence)}", highlight=False, soft_wrap=True)
    output = Console()
    if study.facts.get("simulated"):
        console.print(f"[bold yellow]{SIMULATED}[/]", highlight=False, soft_wrap=True)
    output.print(
        f"{study.cohort}: {study.facts['n']} patients, {study.facts['events']} deaths",
        highlight=False,
    )
    _coefficients(study, output)
    _groups(study, output)
    output.print(f"[bold]{escape(RESEARCH_USE_ONLY)}[/]")
    if study.risk_model is not None:
        output.print(
            f"Next patient: crlm-spa analyze SLIDE --risk-model {out / RISK_MODEL_JSON}",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )
    output.print(f"Report: {page}", soft_wrap=True, highlight=False, markup=False)


def write_with_report(study: Study, out: Path) -> Path:
    """Write the tables, then the page; whoever stops it is told what is left to do."""
    from napari_crlm_spa.core.cohort.study.folder import is_study, write_study
    from napari_crlm_spa.core.report.cohort import write_cohort_report

    try:
        write_study(out, study)
        return write_cohort_report(out, study)
    except KeyboardInterrupt:
        left = (
            f"The tables are complete; for the page: crlm-spa cohort report {out}"
            if is_study(out)
            else "There is no finished study; the same command starts afresh."
        )
        console.print(f"[bold yellow]crlm-spa:[/] stopped. {escape(left)}", soft_wrap=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _coefficients(study: Study, output: Console) -> None:
    found = study.tables.get("coefficients")
    if found is None:
        return
    first = found.frame["model"].iloc[0]
    rows = found.frame[found.frame["model"] == first]
    table = Table(title=found.title, title_justify="left")
    for heading in ("", "hazard ratio", "95 % interval", "p"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for _, row in rows.iterrows():
        table.add_row(
            str(row["label"]),
            f"{row['hr']:.2f}",
            f"{row['hr_lower95']:.2f} to {row['hr_upper95']:.2f}",
            f"{row['p_wald']:.3g}",
        )
    output.print(table)


def _groups(study: Study, output: Console) -> None:
    found, tests = study.tables.get("groups"), study.tables.get("logrank")
    if found is None:
        return
    table = Table(
        title=found.title,
        title_justify="left",
        caption="months: median survival; p: log-rank",
        caption_justify="left",
    )
    for heading in ("groups", ""):
        table.add_column(heading, no_wrap=True)
    for heading in ("n", "deaths", "months", "5 years", "p"):
        table.add_column(heading, justify="right", no_wrap=True)
    p = {} if tests is None else dict(zip(tests.frame["grouping"], tests.frame["p"], strict=True))
    titles = study.facts.get("groupings", {})
    for grouping, rows in found.frame.groupby("grouping", sort=False):
        if str(grouping).startswith("adjuvant"):
            continue
        for place, (_, row) in enumerate(rows.iterrows()):
            first = place == 0
            table.add_row(
                titles.get(grouping, {}).get("title", str(grouping)) if first else "",
                str(row["group"]),
                f"{row['n']:.0f}",
                f"{row['events']:.0f}",
                _months(row["median_months"]),
                _percent(row["survival_5y"]),
                f"{p[grouping]:.3g}" if first and grouping in p else "",
            )
    output.print(table)


def _months(value: float) -> str:
    return "not reached" if math.isnan(value) else f"{value:.1f}"


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{100 * share:.1f} %"
