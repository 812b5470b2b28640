"""``crlm-spa train``: a classifier from labeled tiles."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from napari_crlm_spa.cli.flags import with_options
from napari_crlm_spa.cli.progress import console, run_with_progress
from napari_crlm_spa.core.classifier.training import TrainingOptions, preset

if TYPE_CHECKING:
    from napari_crlm_spa.core.classifier.training import TrainingResult
    from napari_crlm_spa.core.classifier.training.compare import Comparison


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
        Literal["auto", "modern", "paper", "retrain", "finetune"],
        typer.Option(
            "--preset",
            help="Where the other options start from. auto: modern, but with --init and the same "
            "classes retrain (the head alone) for few tiles, finetune for many",
        ),
    ] = "auto",
    *,
    options: TrainingOptions,
) -> None:
    """Train a classifier on labeled tiles; slides are held back for validation, never tiles.

    Ctrl-C keeps the best model so far; the same command goes on after the last finished epoch.
    """
    from napari_crlm_spa.core.classifier.training import train_classifier
    from napari_crlm_spa.core.classifier.training.suggest import suggest_preset

    chosen: str = recipe
    if recipe == "auto":
        chosen, why = suggest_preset(data, _given(context, options))
        if why:
            console.print(f"[yellow]Note:[/] {escape(why)}", highlight=False)
    result = run_with_progress(train_classifier(data, out, options_of(context, chosen, options)))
    for note in result.notes:
        console.print(f"[yellow]Note:[/] {escape(note)}", highlight=False)
    _show(result)


def options_of(context: typer.Context, recipe: str, options: TrainingOptions) -> TrainingOptions:
    """Return the preset's options with what was typed on the command line."""
    return preset(recipe, **_given(context, options))


def _given(context: typer.Context, options: TrainingOptions) -> dict[str, Any]:
    """Return what was typed on the command line."""
    return {
        field.name: getattr(options, field.name)
        for field in dataclasses.fields(TrainingOptions)
        if _typed(context, field.name)
    }


def _typed(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _show(result: TrainingResult) -> None:
    output = Console()
    if result.comparison is not None:
        output.print(_before_after(result.comparison))
    elif result.validation is not None:
        table = Table(title="Held-back slides", title_justify="left")
        table.add_column("class")
        table.add_column("recall", justify="right")
        for name, recall in result.validation.recall.items():
            table.add_row(name, "-" if recall is None else f"{recall:.3f}")
        table.add_row("balanced accuracy", f"{result.validation.balanced_accuracy:.3f}")
        output.print(table)
    for line in (
        f"Model: {result.folder}",
        f"Use it: crlm-spa analyze SLIDE --model {result.folder}",
    ):
        output.print(line, soft_wrap=True, highlight=False, markup=False)


def _before_after(comparison: Comparison) -> Table:
    """Show the recalls of the model that was started from and of the new one side by side."""
    table = Table(title="Recall before and after", title_justify="left")
    table.add_column("class")
    kinds = [kind for kind in ("new", "old") if comparison.of(kind)]
    names = {"new": "new tiles, held back", "old": "tiles of the old slides"}
    for kind in kinds:
        for column in (names[kind], "before", "after"):
            table.add_column(column, justify="right")
    changes = {(change.name, change.kind): change for change in comparison.changes}
    for name in sorted({change.name for change in comparison.changes}):
        cells = []
        for kind in kinds:
            change = changes.get((name, kind))
            if change is None:
                cells += ["-", "-", "-"]
                continue
            style = "bold red" if change in comparison.worse else ""
            after = f"[{style}]{change.after:.3f}[/]" if style else f"{change.after:.3f}"
            cells += [str(change.tiles), f"{change.before:.3f}", after]
        table.add_row(name, *cells)
    return table
