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
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.table import Column
from rich.text import Text

from napari_crlm_spa.core.progress import Progress

Result = TypeVar("Result")

#: What is said after Ctrl-C of work that can be resumed, and of work that cannot.
RESUMES = "What was finished is kept; the same command goes on from there."
STARTS_AFRESH = "Nothing was written; the same command starts afresh."
#: What shells report for Ctrl-C.
EXIT_INTERRUPTED = 130
#: Messages for people go to stderr; stdout is for what another program may read.
console = Console(stderr=True)


class _Rate(ProgressColumn):
    """Units per second, e.g. ``41.2 tiles/s``."""

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True))

    def render(self, task: Task) -> Text:
        if not task.speed or not task.fields.get("unit"):
            return Text("")
        digits = 1 if task.speed < 100 else 0
        return Text(f"{task.speed:.{digits}f} {task.fields['unit']}/s")


def run_with_progress(work: Generator[Progress, None, Result], kept: str = RESUMES) -> Result:
    """Drive slow work to its end, drawing a bar per stage; return its result.

    Ctrl-C closes the generator, so that it can keep what is finished, and ends the program;
    `kept` says what is left.
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=7)),
        TextColumn("left"),
        TimeRemainingColumn(table_column=Column(no_wrap=True, min_width=7)),
    )
    try:
        with Bar(*columns, console=console) as bar:
            return _drive(work, bar)
    except KeyboardInterrupt:
        console.print(f"[bold yellow]crlm-spa:[/] stopped. {kept}")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    finally:
        work.close()


def _drive(work: Generator[Progress, None, Result], bar: Bar) -> Result:
    tasks: dict[str, TaskID] = {}
    reached: dict[TaskID, int] = {}
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            result: Result = end.value
            return result
        if step.stage not in tasks:
            tasks[step.stage] = _line(step, bar)
        line = tasks[step.stage]
        if step.done < reached.get(line, 0):  # the stage begins anew, as in the next fold
            bar.reset(line)
        reached[line] = step.done
        bar.update(
            line,
            description=step.stage,
            completed=step.done,
            total=step.total or None,
        )


def _line(step: Progress, bar: Bar) -> TaskID:
    """Give a stage a line: the last one if it goes on counting there, as epoch 2 does, or a new."""
    if bar.tasks:
        last = bar.tasks[-1]
        same = (last.total, last.fields["unit"]) == (step.total, step.unit)
        if same and 0 < last.completed < step.total and last.completed <= step.done:
            return last.id
    return bar.add_task(step.stage, total=step.total or None, completed=step.done, unit=step.unit)
