"""``crlm-spa figure``: a picture of an analyzed slide for a paper or a talk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from napari_crlm_spa.cli.flags import with_options
from napari_crlm_spa.cli.progress import STARTS_AFRESH, run_with_progress
from napari_crlm_spa.cli.stored import open_stored
from napari_crlm_spa.core.report.figure.options import FigureOptions
from napari_crlm_spa.errors import ReviewError


@with_options("options", FigureOptions, rename={"slide": "tissue_picture", "kind": "map"})
def figure(
    result: Annotated[Path, typer.Argument(help="Result folder of an analyzed slide")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="File to write: .png, .tif, .pdf or .svg")
    ] = Path("figure.png"),
    region: Annotated[
        str | None,
        typer.Option(help="x,y,width,height in µm from the slide's top-left corner; else all"),
    ] = None,
    hide: Annotated[
        str, typer.Option(help="Classes that the tissue map leaves out, e.g. BACK,MUC")
    ] = "",
    reader: Annotated[
        str | None, typer.Option(help="With the corrections of this reader; else as classified")
    ] = None,
    slide: Annotated[
        Path | None, typer.Option(help="Where the slide is now, if it was moved")
    ] = None,
    *,
    options: FigureOptions,
) -> None:
    """Write a figure with legend and scale bar, and a CSV with the legend's numbers."""
    from napari_crlm_spa.core.report.figure import FigureSubject, render_figure

    stored = open_stored(result, reader)
    hidden = [name.strip() for name in hide.split(",") if name.strip()]
    with stored.open_slide(slide) as opened:
        subject = FigureSubject(
            tissue_map=stored.tissue_map,
            slide=opened,
            features=stored.features,
            run=stored.analysis.run,
            reader="" if stored.review is None else stored.review.reader,
        )
        work = render_figure(out, subject, options, region_um=_region(region), hidden=hidden)
        written = run_with_progress(work, STARTS_AFRESH)
    for path in written:
        Console().print(f"Wrote {path}", soft_wrap=True, highlight=False, markup=False)


def _region(text: str | None) -> tuple[float, float, float, float] | None:
    if text is None:
        return None
    try:
        x, y, width, height = (float(part) for part in text.split(","))
    except ValueError:
        raise ReviewError(
            f"--region {text} is no region. Write x,y,width,height in micrometers, e.g. "
            "--region 2000,1500,3000,2000."
        ) from None
    return x, y, width, height
