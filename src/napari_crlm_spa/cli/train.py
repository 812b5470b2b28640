"""``crlm-spa train``: a classifier from labeled tiles."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from napari_crlm_spa.cli.flags import with_options
from napari_crlm_spa.cli.progress import console, run_with_progress
from napari_crlm_spa.core.classifier.training import TrainingOptions, preset

if TYPE_CHECKING:
    from napari_crlm_spa.core.classifier.training import TrainingResult


@with_options("options", TrainingOptions)
def train(
    context: typer.Context,
    data: Annotated[
        list[Path],
        typer.Argument(help="Folders with one folder of tiles per class (and a manifest.csv)"),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Model folder to write")] = Path(
        "crlm-spa-model"
    ),
    recipe: Annotated[
        Literal["modern", "paper"],
        typer.Option(
            "--preset", help="Where the other options start from: our recipe, or the paper's"
        ),
    ] = "modern",
    *,
    options: TrainingOptions,
) -> None:
    """Train a classifier on labeled tiles; slides are held back for validation, never tiles.

    Ctrl-C keeps the best model so far; the same command goes on after the last finished epoch.
    """
    from napari_crlm_spa.core.classifier.training import train_classifier

    given = {
        field.name: getattr(options, field.name)
        for field in dataclasses.fields(TrainingOptions)
        if _typed(context, field.name)
    }
    result = run_with_progress(train_classifier(data, out, preset(recipe, **given)))
    for note in result.notes:
        console.print(f"[yellow]Note:[/] {escape(note)}", highlight=False)
    _show(result)


def _typed(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _show(result: TrainingResult) -> None:
    output = Console()
    if result.validation is not None:
        table = Table(title="Held-back slides", title_justify="left")
        table.add_column("class")
        table.add_column("recall", justify="right")
        for name, recall in result.validation.recall.items():
            table.add_row(name, "-" if recall is None else f"{recall:.3f}")
        table.add_row("balanced accuracy", f"{result.validation.balanced_accuracy:.3f}")
        output.print(table)
    output.print(f"Model: {result.folder}", soft_wrap=True)
    output.print(f"Use it: crlm-spa analyze SLIDE --model {result.folder}", soft_wrap=True)
