"""``crlm-spa info``: what is known of a slide without analyzing it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from napari_crlm_spa.cli.flags import Decoder

if TYPE_CHECKING:
    from napari_crlm_spa.core.slide import SlideInfo


def info(
    slide: Annotated[Path, typer.Argument(help="Slide file, or the folder of a DICOM slide")],
    mpp: Annotated[
        float | None,
        typer.Option(help="Pixel size in µm/px, where the file does not say", min=0.05, max=10.0),
    ] = None,
    decoder: Decoder = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Show size, levels, pixel size and its source, decoder and embedded images.

    Ends with exit code 2 where the pixel size is unknown: such a slide cannot be analyzed
    without --mpp.
    """
    from napari_crlm_spa.core.slide import open_slide
    from napari_crlm_spa.core.store import to_json

    with open_slide(slide, mpp=mpp, decoder=decoder) as opened:
        known = opened.info
    if json:
        typer.echo(to_json(dataclasses.asdict(known)))
    else:
        Console().print(_table(known))
    known.known_pixel_size()


def _table(known: SlideInfo) -> Table:
    table = Table(title=known.path.name, show_header=False, title_justify="left")
    table.add_column()
    table.add_column(overflow="fold")
    table.add_row("Kind", known.vendor)
    table.add_row("Decoder", f"{known.decoder} (another can be forced: --decoder)")
    table.add_row("Size", f"{known.width_px} x {known.height_px} px")
    size = known.pixel_size
    if size is None:
        table.add_row("Pixel size", "unknown")
    else:
        width, height = known.width_px * size.x_um / 1000, known.height_px * size.y_um / 1000
        table.add_row("Pixel size", f"{size.mpp:.4g} µm/px ({size.source})")
        table.add_row("Extent", f"{width:.1f} x {height:.1f} mm")
    if known.objective_power:
        table.add_row("Objective", f"{known.objective_power:g}x")
    for index, level in enumerate(known.levels):
        text = f"{level.width_px} x {level.height_px} px, 1/{level.downsample:.6g}"
        table.add_row(f"Level {index}", text)
    if known.bounds_xy0 != (0, 0, known.width_px, known.height_px):
        x, y, width_px, height_px = known.bounds_xy0
        table.add_row("Scanned area", f"{width_px} x {height_px} px at ({x}, {y})")
    table.add_row("Color profile", "embedded (not applied)" if known.icc_profile else "none")
    table.add_row("Images inside", ", ".join(known.associated_images) or "none")
    table.add_row("Fingerprint", known.fingerprint)
    return table
