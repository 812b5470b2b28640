"""``crlm-spa models``: what a classifier is, what it saw and what it reached."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table


def models(
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
    table.add_row("Limits", "\n".join(card.known_limits))
    table.add_row("Intended use", card.intended_use)
    table.add_row("SHA-256", card.sha256)
    Console().print(table)
