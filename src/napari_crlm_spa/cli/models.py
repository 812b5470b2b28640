"""``crlm-spa models``: what a classifier is, what it saw, what it reached, what it knows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from napari_crlm_spa.cli.progress import run_with_progress
from napari_crlm_spa.errors import ModelError

if TYPE_CHECKING:
    from napari_crlm_spa.core.classifier.card import ModelCard


class _ShowFirst(TyperGroup):
    """A group whose first command needs no name: ``models default`` is ``models show default``."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_ShowFirst, help="Show a model's card, or give it a reference set.")


@app.command("show")
def show(
    model: Annotated[str, typer.Argument(help="Name or folder of a model")] = "default",
    json: Annotated[bool, typer.Option("--json", help="Print the card as JSON")] = False,
) -> None:
    """Show a model's card."""
    from napari_crlm_spa.core.classifier.card import load_card, model_folder

    folder = model_folder(model)
    card = load_card(folder)
    if json:
        typer.echo(card.model_dump_json(indent=2))
        return
    table = Table(title=f"{card.name} {card.version}", show_header=False, title_justify="left")
    table.add_column()
    table.add_column(overflow="fold")
    table.add_row("Folder", str(folder))
    table.add_row("Classes", ", ".join(card.classes))
    table.add_row("Tiles", f"{card.tile_px} px at {card.mpp} µm/px, seen at {card.input_px} px")
    table.add_row("Network", f"{card.architecture.name}, {card.architecture.hidden} hidden units")
    normalized = card.stain.method != "none"
    stain = f"{card.stain.method} to {card.stain.reference}" if normalized else "as scanned"
    table.add_row("Stain", stain)
    table.add_row("Trained on", card.training_data.description or "the card does not say")
    for name, value in card.metrics.items():
        if isinstance(value, int | float | str):
            text = f"{value:.3f}" if isinstance(value, float) else str(value)
            table.add_row(name.replace("_", " "), text)
    table.add_row("Reference set", _reference(folder, card))
    table.add_row("Limits", "\n".join(card.known_limits))
    table.add_row("Intended use", card.intended_use)
    table.add_row("SHA-256", card.sha256)
    Console().print(table)


def _reference(folder: Path, card: ModelCard) -> str:
    from napari_crlm_spa.core.classifier.reference_set import load_reference_set

    reference = load_reference_set(folder, card)
    if reference is None:
        return "none (crlm-spa models reference makes one)"
    held = int(reference.held_out.sum())
    return (
        f"{len(reference) - held} tiles trained on, {held} held back, "
        f"of {len(set(reference.slides))} slides"
    )


@app.command("reference", short_help="Give a model a reference set, for retraining and doubt.")
def reference(
    model: Annotated[str, typer.Argument(help="Name or folder of a model")],
    data: Annotated[
        list[Path], typer.Argument(help="Folders of the labeled tiles, as for crlm-spa train")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Write a copy of the model with the set to this folder"),
    ] = None,
    held_out_slides: Annotated[
        str,
        typer.Option(
            help="Slides that the model was not trained on, comma-separated; empty takes those "
            "that its card does not list"
        ),
    ] = "",
    per_class: Annotated[
        int, typer.Option(help="Tiles kept of each class, half as many held back", min=1, max=10000)
    ] = 300,
    in_place: Annotated[
        bool,
        typer.Option("--in-place", help="Write into the installed package for a model of its own"),
    ] = False,
) -> None:
    """Give a model a reference set: what it knows, for retraining and for telling unknown tissue.

    Models that this version trains have one already.
    """
    from napari_crlm_spa.core.classifier.card import list_models, model_folder
    from napari_crlm_spa.core.classifier.training.known import add_reference_set

    folder = model_folder(model)
    if out is None and not in_place and folder in [model_folder(name) for name in list_models()]:
        raise ModelError(
            f"The model {model} belongs to the installed package. Write a copy with --out FOLDER, "
            "or say --in-place to change the package."
        )
    slides = [name.strip() for name in held_out_slides.split(",") if name.strip()]
    card = run_with_progress(
        add_reference_set(model, data, out, held_out_slides=slides, per_class=per_class)
    )
    typer.echo(f"Model: {out or folder}")
    typer.echo(f"Reference set: {_reference(out or folder, card)}")
