"""``crlm-spa convert``: a slide that cannot be looked at becomes one that can."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_crlm_spa.cli.flags import Decoder
from napari_crlm_spa.cli.progress import console, run_with_progress


def convert(
    slide: Annotated[Path, typer.Argument(help="Image without a pyramid")],
    target: Annotated[Path, typer.Argument(help="The TIFF to write, e.g. slide.tif")],
    mpp: Annotated[
        float | None,
        typer.Option(help="Pixel size in µm/px, where the file does not say", min=0.05, max=10.0),
    ] = None,
    decoder: Decoder = "auto",
) -> None:
    """Write a tiled TIFF with smaller copies (a pyramid) from an image that has none."""
    from napari_crlm_spa.core.slide.convert import convert_to_pyramid

    run_with_progress(convert_to_pyramid(slide, target, mpp=mpp, decoder=decoder))
    console.print(f"Wrote {target}")
