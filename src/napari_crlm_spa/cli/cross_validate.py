"""``crlm-spa cross-validate``: how good a recipe is on slides that it has not seen."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from napari_crlm_spa.cli.flags import with_options
from napari_crlm_spa.cli.progress import console, run_with_progress
from napari_crlm_spa.cli.train import options_of
from napari_crlm_spa.core.classifier.training import TrainingOptions
from napari_crlm_spa.core.classifier.training.folds import FoldOptions

if TYPE_CHECKING:
    from napari_crlm_spa.core.classifier.training.crossval import CrossValidation


@with_options("options", TrainingOptions)
@with_options("folding", FoldOptions)
def cross_validate(
    context: typer.Context,
    data: Annotated[
        list[Path],
        typer.Argument(help="Folders with one folder of tiles per class (and a manifest.csv)"),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the folds' models and the report")
    ] = Path("crlm-spa-crossval"),
    recipe: Annotated[
        Literal["modern", "paper", "retrain", "finetune"],
        typer.Option("--preset", help="Where the other options start from"),
    ] = "modern",
    *,
    folding: FoldOptions,
    options: TrainingOptions,
) -> None:
    """Train several times, each time without some of the slides, and judge those.

    Every tile is judged once, by a model that never saw it; the test split is not touched. A slide
    that alone carries a class is cut into blocks, and what was judged on such blocks is counted
    apart. Ctrl-C keeps the finished folds; the same command goes on from there.
    """
    from napari_crlm_spa.core.classifier.training.crossval import cross_validate as run
    from napari_crlm_spa.core.report.evaluation import (
        subject_of_crossval,
        write_evaluation_report,
    )

    done = run_with_progress(run(data, out, options_of(context, recipe, options), folding))
    page = write_evaluation_report(out, done.judgement, subject_of_crossval(done))
    for note in (*done.notes, *done.judgement.notes):
        console.print(f"[yellow]Note:[/] {escape(note)}", highlight=False)
    _show(done)
    Console().print(f"Report: {page}", soft_wrap=True, highlight=False, markup=False)


def _show(done: CrossValidation) -> None:
    from napari_crlm_spa.core.classifier.training.crossval_tables import balanced

    slides = len(set(done.judgement.predictions.slides))
    table = Table(
        title=f"{len(done.judgement.predictions)} tiles of {slides} slides in "
        f"{len(done.folds)} folds; recall where the model saw",
        title_justify="left",
    )
    table.add_column("class")
    for name in ("nothing of the slide", "tiles", "slides", "other blocks of it", "tiles"):
        table.add_column(name, justify="right")
    for row in done.classes:
        table.add_row(
            row.name,
            _figure(row.unseen_slide_recall),
            _count(row.unseen_slide_tiles),
            _count(row.unseen_slides),
            _figure(row.block_recall),
            _count(row.block_tiles),
        )
    table.add_section()
    table.add_row(
        "mean",
        _figure(balanced(done.classes, "unseen_slide_recall")),
        _count(sum(row.unseen_slide_tiles for row in done.classes)),
        "",
        _figure(balanced(done.classes, "block_recall")),
        _count(sum(row.block_tiles for row in done.classes)),
    )
    Console().print(table)


def _figure(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _count(value: int) -> str:
    return str(value) if value else "-"
