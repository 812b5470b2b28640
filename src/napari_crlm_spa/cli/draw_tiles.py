"""``crlm-spa draw-tiles``: drawn tiles to train with beside real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_crlm_spa.cli.progress import console, run_with_progress

_INCOMPLETE = "Some tiles are missing yet; the same command draws all of them again."


def draw_tiles(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write into")] = Path("drawn"),
    per_class: Annotated[
        int, typer.Option(min=1, max=100_000, help="Tiles of each of the seven classes")
    ] = 700,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same tiles")] = 7,
) -> None:
    """Draw tiles of the seven tissues in many forms and stains, to train with beside real ones.

    A classifier trained on few slides learns to know the slides; drawn tiles show it the same
    tissue in other looks. Pass the folder to train as a second one: crlm-spa train TILES drawn.
    """
    from napari_crlm_spa.core.sample import write_drawn_tiles

    run_with_progress(write_drawn_tiles(out, per_class, seed), kept=_INCOMPLETE)
    console.print(f"Tiles: {out}", soft_wrap=True, highlight=False, markup=False)
