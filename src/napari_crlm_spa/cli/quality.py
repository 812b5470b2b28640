"""``crlm-spa quality``: marks blurred, penned, folded and empty tiles of an analyzed slide."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from napari_crlm_spa.cli.flags import with_options
from napari_crlm_spa.cli.progress import STARTS_AFRESH, console, run_with_progress
from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.quality import MARK_SENTENCES, QualityMark, QualityOptions, TileQuality
from napari_crlm_spa.core.tissue_map import TissueMap

if TYPE_CHECKING:
    import pandas as pd


@with_options("options", QualityOptions)
def quality(
    result: Annotated[Path, typer.Argument(help="Result folder of an analyzed slide")],
    slide: Annotated[
        Path | None, typer.Option(help="The slide file, if it was moved since the analysis")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Also write a row for each measured tile to this file")
    ] = None,
    *,
    options: QualityOptions,
) -> None:
    """Mark blurred, penned, folded and empty tiles of an analyzed slide.

    Writes quality.zarr into the folder, where the viewer finds it. Marks only: no tile is dropped,
    no number of the analysis changes.
    """
    from napari_crlm_spa.core.pipeline.quality import check_stored_quality

    work = check_stored_quality(result, slide=slide, options=options)
    tissue_map, found = run_with_progress(work, STARTS_AFRESH)
    for note in found.notes:
        console.print(f"[yellow]Note:[/] {escape(note)}", highlight=False)
    Console().print(_counts(tissue_map, found))
    if csv is not None:
        write_text(csv, _rows(tissue_map, found).to_csv(index=False, lineterminator="\n"))
        console.print(f"Wrote {csv}", soft_wrap=True, highlight=False, markup=False)


def _counts(tissue_map: TissueMap, found: TileQuality) -> Table:
    """Count the marks by class, so that a mark that is about one tissue only can be seen."""
    title = f"{found.marked_tiles:,} of {found.measured_tiles:,} tiles are marked"
    table = Table(title=title, title_justify="left")
    table.add_column("class")
    for name in ("tiles", *(mark.title for mark in QualityMark), "median sharpness"):
        table.add_column(name, justify="right")
    for name in tissue_map.scheme.names:
        here = found.measured & tissue_map.mask(name)
        if here.any():
            marks = [f"{np.count_nonzero(found.has(mark) & here):,}" for mark in QualityMark]
            median = found.medians.get(name)
            sharp = "-" if median is None else f"{median:.2f}"
            table.add_row(name, f"{np.count_nonzero(here):,}", *marks, sharp)
    totals = [f"{count:,}" for count in found.counts().values()]
    table.add_row("all", f"{found.measured_tiles:,}", *totals, f"{found.median_sharpness:.2f}")
    table.caption = "\n".join(f"{mark.title}: {MARK_SENTENCES[mark]}" for mark in QualityMark)
    table.caption_justify = "left"
    return table


def _rows(tissue_map: TissueMap, found: TileQuality) -> pd.DataFrame:
    import pandas as pd

    rows, cols = np.nonzero(found.measured)
    names = np.array(["", *tissue_map.scheme.names])
    left, top = tissue_map.origin_um
    columns = {
        "row": rows,
        "col": cols,
        "x_um": left + cols * tissue_map.stride_um,
        "y_um": top + rows * tissue_map.stride_um,
        "class": names[tissue_map.classes[rows, cols]],
    }
    for mark in QualityMark:
        columns[mark.title] = found.has(mark)[rows, cols].astype(np.uint8)
    for name in ("sharpness", "blur", "pen", "fold", "air"):
        columns[f"{name}_measured"] = getattr(found, name)[rows, cols]
    return pd.DataFrame(columns)
