"""Slow work on the command line: a bar with rate and time left, and a kind Ctrl-C."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.text import Text

from napari_crlm_spa.core.progress import Progress

Result = TypeVar("Result")

#: What shells report for Ctrl-C.
EXIT_INTERRUPTED = 130
#: Messages for people go to stderr; stdout is for what another program may read.
console = Console(stderr=True)


class _Rate(ProgressColumn):
    """Units per second, e.g. ``41.2 tiles/s``."""

    def render(self, task: Task) -> Text:
        if not task.speed or not task.fields.get("unit"):
            return Text("")
        return Text(f"{task.speed:.1f} {task.fields['unit']}/s")


def run_with_progress(work: Generator[Progress, None, Result]) -> Result:
    """Drive slow work to its end, drawing a bar per stage; return its result.

    Ctrl-C closes the generator, so that it can keep what is finished, and ends the program.
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    try:
        with Bar(*columns, console=console) as bar:
            return _drive(work, bar)
    except KeyboardInterrupt:
        console.print(
            "[bold yellow]crlm-spa:[/] stopped. What was finished is kept; the same command goes "
            "on from there."
        )
        raise typer.Exit(EXIT_INTERRUPTED) from None
    finally:
        work.close()


def _drive(work: Generator[Progress, None, Result], bar: Bar) -> Result:
    tasks: dict[str, int] = {}
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            result: Result = end.value
            return result
        if step.stage not in tasks:
            tasks[step.stage] = bar.add_task(
                step.stage, total=step.total or None, completed=step.done, unit=step.unit
            )
        bar.update(
            tasks[step.stage],  # type: ignore[arg-type]
            completed=step.done,
            total=step.total or None,
        )
