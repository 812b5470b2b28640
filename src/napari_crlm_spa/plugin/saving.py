"""What can be saved of the slide in view: figure, report, tiles and areas for other programs.

No Qt. Everything is taken as it is at the moment of asking, so that the reader may go on while
a thread writes.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.review import reader_folder
from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.core.store import REPORT_HTML, TILES_GEOJSON
from napari_crlm_spa.core.store.names import AREAS_GEOJSON, TILES_CSV, TILES_H5AD
from napari_crlm_spa.errors import ReviewError
from napari_crlm_spa.plugin.map_view import MapKind, MapView
from napari_crlm_spa.plugin.tools.comparing import still

if TYPE_CHECKING:
    from napari_crlm_spa.core.pipeline import Analysis
    from napari_crlm_spa.core.quality import TileQuality
    from napari_crlm_spa.core.review import Review
    from napari_crlm_spa.core.tile_table import TileSource
    from napari_crlm_spa.plugin.session import OpenSlide

#: x, y, width, height in the slide's frame.
RegionUm = tuple[float, float, float, float]


class Product(StrEnum):
    """What can be saved; the value is what the menu says."""

    FIGURE = "Figure of the whole slide…"
    FIGURE_IN_VIEW = "Figure of what is in view…"
    TABLE = "Tiles as a table (CSV)…"
    QUPATH = "Tiles for QuPath (GeoJSON)…"
    QUPATH_AREAS = "Areas for QuPath (GeoJSON)…"
    ANNDATA = "Tiles for scanpy (AnnData)…"

    @property
    def is_figure(self) -> bool:
        """Whether it is a picture."""
        return self in (Product.FIGURE, Product.FIGURE_IN_VIEW)

    @property
    def missing(self) -> str:
        """What has to be installed before it can be saved; empty if nothing."""
        if self is Product.ANNDATA and find_spec("anndata") is None:
            return "Needs the package anndata: pip install anndata"
        return ""


#: Ending of the proposed file name, and the choices of the file dialog.
FILES = {
    Product.FIGURE: ("figure.png", "Figure (*.png *.tif *.pdf *.svg)"),
    Product.FIGURE_IN_VIEW: ("figure.png", "Figure (*.png *.tif *.pdf *.svg)"),
    Product.TABLE: (TILES_CSV, "Table (*.csv *.csv.gz)"),
    Product.QUPATH: (TILES_GEOJSON, "GeoJSON (*.geojson.gz *.geojson)"),
    Product.QUPATH_AREAS: (AREAS_GEOJSON, "GeoJSON (*.geojson.gz *.geojson)"),
    Product.ANNDATA: (TILES_H5AD, "AnnData (*.h5ad)"),
}
#: Kinds of maps as `FigureOptions` calls them.
_FIGURE_KINDS = {
    MapKind.TISSUE: "tissue",
    MapKind.CONFIDENCE: "confidence",
    MapKind.ENTROPY: "entropy",
    MapKind.STRANGENESS: "strangeness",
    MapKind.ZONES: "zones",
    MapKind.INTERACTION: "interaction",
    MapKind.DISTANCE: "distance",
}


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """An analyzed slide as it stands at one moment."""

    path: Path
    stem: str
    mpp: float | None
    analysis: Analysis
    review: Review
    quality: TileQuality | None
    view: MapView

    @property
    def is_corrected(self) -> bool:
        """Whether the reader changed anything that a report would tell."""
        review = self.review
        return bool(review.steps) or review.mixture != self.analysis.features.mixture


def subject_of(slide: OpenSlide, view: MapView) -> Subject | None:
    """Take down how a slide stands; None without a result."""
    if slide.analysis is None or slide.review is None:
        return None
    review = still(slide.review)
    return Subject(
        slide.path, slide.stem, slide.user_mpp, slide.analysis, review, slide.quality, view
    )


def save_product(
    product: Product, path: Path, subject: Subject, region_um: RegionUm | None = None
) -> Generator[Progress, None, tuple[Path, ...]]:
    """Write one product; closing the generator leaves no file.

    Parameters
    ----------
    product
        What to write.
    path
        Where; its suffix is the format.
    subject
        Of what.
    region_um
        Of a figure: the part of the slide; all if None.

    Raises
    ------
    ReviewError
        If there is no such figure.
    StoreError
        If it cannot be written.
    """
    if product.is_figure:
        return (yield from _figure(path, subject, region_um))
    source = _tiles(subject)
    if product is Product.TABLE:
        from napari_crlm_spa.core.export import export_tile_table

        yield from export_tile_table(path, source)
    elif product is Product.ANNDATA:
        from napari_crlm_spa.core.export import SlideRecord, export_anndata

        record = SlideRecord(run=subject.analysis.run, risk=subject.review.risk)
        yield from export_anndata(path, source, record)
    else:
        yield from _qupath(product, path, source, subject)
    return (path,)


def write_report_of(subject: Subject) -> Generator[Progress, None, Path]:
    """Write the report of a corrected slide into the reader's folder; return the file."""
    from napari_crlm_spa.core.review.reports import export_report

    path = reader_folder(subject.analysis.folder, subject.review.reader) / REPORT_HTML
    with open_slide(subject.path, mpp=subject.mpp) as slide:
        yield from export_report(
            path, subject.analysis, slide, subject.review, palette=subject.view.palette
        )
    return path


def _figure(
    path: Path, subject: Subject, region_um: RegionUm | None
) -> Generator[Progress, None, tuple[Path, ...]]:
    from napari_crlm_spa.core.report.figure import FigureOptions, FigureSubject, render_figure

    view = subject.view
    kind = _FIGURE_KINDS.get(view.kind)
    if kind is None:
        raise ReviewError(
            f"There is no figure of the map {view.kind.value!r}. Choose another map under Tissue, "
            "then save the figure; the values of each tile are in the table of tiles."
        )
    is_heat = view.kind not in (MapKind.TISSUE, MapKind.ZONES)
    options = FigureOptions(
        kind=kind,
        tissue=view.tissue,
        palette=view.palette,
        opacity=view.heat_opacity if is_heat else view.opacity,
        min_probability=view.min_probability,
        outline=view.outline,
    )
    with open_slide(subject.path, mpp=subject.mpp) as slide:
        drawn = FigureSubject(
            tissue_map=subject.review.tissue_map,
            slide=slide,
            features=subject.review.features,
            run=subject.analysis.run,
            reader=subject.review.reader if subject.is_corrected else "",
        )
        written = yield from render_figure(
            path, drawn, options, region_um=region_um, hidden=view.hidden
        )
    return written


def _tiles(subject: Subject) -> TileSource:
    from napari_crlm_spa.core.quality import QualityMark
    from napari_crlm_spa.core.tile_table import TileSource

    review, quality = subject.review, subject.quality
    marks = {} if quality is None else {mark.title: quality.has(mark) for mark in QualityMark}
    return TileSource(
        tissue_map=review.tissue_map,
        features=review.features,
        predicted=review.predicted,
        reader=review.reader if subject.is_corrected else "",
        marks=marks,
    )


def _qupath(
    product: Product, path: Path, source: TileSource, subject: Subject
) -> Generator[Progress, None, int]:
    from napari_crlm_spa.core import geojson

    write: Any = (
        geojson.export_tiles_geojson if product is Product.QUPATH else geojson.export_areas_geojson
    )
    with open_slide(subject.path, mpp=subject.mpp) as slide:
        info = slide.info
    count: int = yield from write(path, source, info)
    return count


def region_in_view(slide: OpenSlide, corner_tiles: Any) -> RegionUm | None:
    """Return the part of a slide between two corners of its tile grid.

    Parameters
    ----------
    slide
        With a map.
    corner_tiles
        ((row, col), (row, col)) of the first tile in view and of the one after the last.
    """
    if slide.tissue_map is None:
        return None
    (top, left), (bottom, right) = corner_tiles
    stride, (x_um, y_um) = slide.tissue_map.stride_um, slide.tissue_map.origin_um
    if bottom <= top or right <= left:
        return None
    return (
        x_um + left * stride,
        y_um + top * stride,
        (right - left) * stride,
        (bottom - top) * stride,
    )
