"""``crlm-spa export``: an analyzed slide for other programs."""

from __future__ import annotations

from collections.abc import Generator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console

from napari_crlm_spa.cli.progress import STARTS_AFRESH, run_with_progress
from napari_crlm_spa.cli.stored import Stored, open_stored
from napari_crlm_spa.core.classes import PALETTES, STANDARD_PALETTE
from napari_crlm_spa.core.store import REPORT_HTML, TILES_GEOJSON
from napari_crlm_spa.core.store.names import (
    AREAS_GEOJSON,
    TILES_CSV,
    TILES_H5AD,
    TILES_PARQUET,
    TILES_SPATIALDATA,
)
from napari_crlm_spa.errors import StoreError

if TYPE_CHECKING:
    from napari_crlm_spa.core.progress import Progress


class Target(StrEnum):
    """For which program."""

    QUPATH = "qupath"
    QUPATH_AREAS = "qupath-areas"
    CSV = "csv"
    PARQUET = "parquet"
    ANNDATA = "anndata"
    SPATIALDATA = "spatialdata"
    REPORT = "report"


_NAMES = {
    Target.QUPATH: TILES_GEOJSON,
    Target.QUPATH_AREAS: AREAS_GEOJSON,
    Target.CSV: TILES_CSV,
    Target.PARQUET: TILES_PARQUET,
    Target.ANNDATA: TILES_H5AD,
    Target.SPATIALDATA: TILES_SPATIALDATA,
    Target.REPORT: REPORT_HTML,
}


#: How the name of a file of each kind ends.
_SUFFIXES = {
    Target.QUPATH: (".geojson", ".geojson.gz"),
    Target.QUPATH_AREAS: (".geojson", ".geojson.gz"),
    Target.CSV: (".csv", ".csv.gz"),
    Target.PARQUET: (".parquet",),
    Target.ANNDATA: (".h5ad",),
    Target.SPATIALDATA: (".zarr",),
    Target.REPORT: (".html", ".htm"),
}


def export(
    result: Annotated[Path, typer.Argument(help="Result folder of an analyzed slide")],
    to: Annotated[
        Target,
        typer.Option(
            help="qupath: every tile; qupath-areas: merged areas of one class; csv, parquet: a "
            "table of tiles; anndata, spatialdata: for scanpy, squidpy, SpatialData; report: the "
            "HTML report anew"
        ),
    ] = Target.QUPATH,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="File to write; else one in the result folder"),
    ] = None,
    reader: Annotated[
        str | None, typer.Option(help="With the corrections of this reader; else as classified")
    ] = None,
    slide: Annotated[
        Path | None,
        typer.Option(help="Where the slide is now, if it was moved (for QuPath, report)"),
    ] = None,
    palette: Annotated[
        Literal[tuple(PALETTES)],  # type: ignore[valid-type]
        typer.Option(help="Colors of the classes in the report"),
    ] = STANDARD_PALETTE,
) -> None:
    """Export the tiles of an analyzed slide with class, probabilities, doubts and zones."""
    if out is not None and not out.name.endswith(_SUFFIXES[to]):
        raise StoreError(
            f"{out.name} is no name for an export to {to}: it ends in "
            f"{' or '.join(_SUFFIXES[to])}. Choose another name, or another program with --to."
        )
    stored = open_stored(result, reader)
    path = out or stored.folder / _NAMES[to]
    if to is Target.REPORT:
        from napari_crlm_spa.core.review.reports import export_report

        with stored.open_slide(slide) as opened:
            report = export_report(path, stored.analysis, opened, stored.review, palette=palette)
            run_with_progress(report, STARTS_AFRESH)
        Console().print(f"Wrote {path}", soft_wrap=True, highlight=False, markup=False)
        return
    written = run_with_progress(_work(to, path, stored, slide), STARTS_AFRESH)
    what = "areas" if to is Target.QUPATH_AREAS else "tiles"
    Console().print(
        f"Wrote {written} {what}: {path}", soft_wrap=True, highlight=False, markup=False
    )


def _work(
    to: Target, path: Path, stored: Stored, slide: Path | None
) -> Generator[Progress, None, int]:
    source = stored.source()
    if to in (Target.QUPATH, Target.QUPATH_AREAS):
        from napari_crlm_spa.core import geojson

        write: Any = (
            geojson.export_tiles_geojson if to is Target.QUPATH else geojson.export_areas_geojson
        )
        with stored.open_slide(slide) as opened:
            info = opened.info
        written: int = yield from write(path, source, info)
        return written
    from napari_crlm_spa.core import export as exports

    if to in (Target.CSV, Target.PARQUET):
        return (yield from exports.export_tile_table(path, source))
    record = exports.SlideRecord(run=stored.analysis.run, risk=stored.risk)
    write = exports.export_anndata if to is Target.ANNDATA else exports.export_spatialdata
    written = yield from write(path, source, record)
    return written
