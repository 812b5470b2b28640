"""Problems of tables on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from napari_crlm_spa.core.cohort.table import Problem

#: Problems that are printed.
SHOWN = 20


def show_problems(problems: Sequence[Problem], output: Console) -> None:
    """Print what is wrong with tables, errors first."""
    if not problems:
        return
    errors = sum(each.severity == "error" for each in problems)
    table = Table(
        title=f"{_count(errors, 'error')}, {_count(len(problems) - errors, 'warning')}",
        title_justify="left",
    )
    table.add_column("", no_wrap=True)
    table.add_column("where", overflow="fold", ratio=2)
    table.add_column("problem and remedy", ratio=3)
    for each in sorted(problems, key=lambda one: one.severity != "error")[:SHOWN]:
        mark = "[red]error[/]" if each.severity == "error" else "[yellow]warning[/]"
        row = "" if each.row is None else f"row {each.row}"
        place = f"{each.column}: {each.value}" if each.value else each.column
        where = ", ".join(part for part in (each.source, row, each.patient, place) if part)
        table.add_row(mark, escape(where), escape(f"{each.problem} {each.remedy}".strip()))
    if len(problems) > SHOWN:
        table.caption = f"and {len(problems) - SHOWN} more"
    output.print(table)


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
