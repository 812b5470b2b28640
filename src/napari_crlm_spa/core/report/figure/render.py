"""From an analyzed slide to a figure on disk, with the numbers of its legend beside it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection, Generator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from napari_crlm_spa.core.files import atomic_path, write_text
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.report.figure.draw import draw, notes_of
from napari_crlm_spa.core.report.figure.layout import lay_out
from napari_crlm_spa.core.report.figure.maps import CodeMap, FigureMap, map_of
from napari_crlm_spa.core.report.figure.numbers import (
    HEADINGS,
    RegionUm,
    legend_rows,
    numbers_csv,
)
from napari_crlm_spa.core.report.figure.options import FIGURE_SUFFIXES, FigureOptions
from napari_crlm_spa.core.report.figure.pixels import draw_pixels
from napari_crlm_spa.core.report.record import public_record
from napari_crlm_spa.core.slide import Slide
from napari_crlm_spa.core.spatial import SpatialFeatures
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import ReviewError, StoreError

#: What of a run's record is kept inside a figure.
_KEPT = ("identity", "created", "slide", "model", "versions")
#: A region of so many times the map's width or height shows no tile any more.
_LARGEST = 20


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FigureSubject:
    """What a figure is of.

    Parameters
    ----------
    tissue_map
        The classes; a reader's corrections included if they are to be seen.
    slide
        The open slide, for the tissue; white if None.
    features
        The spatial features of the map, for zones, interaction, distance and the outline.
    run
        The record of the run; what identifies slide and model is written into the figure.
    reader
        Whose corrections the map holds; empty if nobody's.
    """

    tissue_map: TissueMap
    slide: Slide | None = None
    features: SpatialFeatures | None = None
    run: Mapping[str, Any] = field(default_factory=dict)
    reader: str = ""

    def whole_um(self) -> RegionUm:
        """Return the rectangle of the tile grid."""
        rows, cols = self.tissue_map.shape
        stride = self.tissue_map.stride_um
        return (*self.tissue_map.origin_um, cols * stride, rows * stride)


def render_figure(
    path: Path,
    subject: FigureSubject,
    options: FigureOptions | None = None,
    *,
    region_um: RegionUm | None = None,
    hidden: Collection[str] = (),
    shown: FigureMap | None = None,
) -> Generator[Progress, None, tuple[Path, ...]]:
    """Write a figure, and a CSV of the same name with the numbers of its legend.

    The tissue is read from the pyramid level that fits the resolution. Slide, model, region and
    view stand as JSON in the file (PNG ``Description``, TIFF ``ImageDescription``, PDF
    ``Subject``, SVG ``description``), so that the figure can be made again.

    Parameters
    ----------
    path
        Ends in one of `FIGURE_SUFFIXES`; the suffix is the format.
    subject
        What it is of.
    options
        How it looks.
    region_um
        x, y, width, height in micrometers from the slide's top-left corner; the whole grid if
        None.
    hidden
        Names of classes that the tissue map leaves out.
    shown
        A map of the caller's own (e.g. of contributions to the risk) instead of ``options.kind``.

    Yields
    ------
    Progress
        Closing the generator leaves no file.

    Returns
    -------
    tuple of Path
        The figure, then the CSV if there is a map.

    Raises
    ------
    StoreError
        If the suffix is unknown, the files cannot be written, or a table of something else has
        the name of the figure's.
    ReviewError
        If the region is empty or the figure too large.
    FeatureError
        If the map needs features and there are none.
    """
    options = options or FigureOptions()
    if path.suffix.lower() not in FIGURE_SUFFIXES:
        raise StoreError(
            f"{path.name} does not say which kind of picture to write. End its name in "
            f"{', '.join(FIGURE_SUFFIXES)}."
        )
    region = checked_region(subject, region_um)
    shown = shown or map_of(subject.tissue_map, subject.features, options, hidden)
    if shown is not None:
        _refuse_other_table(path.with_suffix(".csv"))
    rows = legend_rows(shown, subject.tissue_map, region) if isinstance(shown, CodeMap) else []
    rows = [row for row in rows if row.tiles]
    outline = None
    if options.outline and subject.features is not None:
        outline = (subject.tissue_map, subject.features.regions.mask)
    notes = notes_of(shown, outlined=outline is not None)
    layout = lay_out(region, shown, len(rows), len(notes), options)
    picture = yield from draw_pixels(
        subject.slide if options.slide else None,
        region,
        layout.picture,
        subject.tissue_map,
        None if shown is None else shown.rgba(),
        options.opacity,
    )
    yield Progress("Writing the figure", 0, 1)
    drawn = draw(picture, region, layout, shown, rows, options, outline)
    told = figure_record(subject, options, region, shown, hidden)
    _save(path, drawn, json.dumps(told, ensure_ascii=True))
    written = [path]
    if shown is not None:
        written.append(path.with_suffix(".csv"))
        write_text(written[1], numbers_csv(shown, subject.tissue_map, region))
    yield Progress("Writing the figure", 1, 1)
    return tuple(written)


def checked_region(subject: FigureSubject, region_um: RegionUm | None) -> RegionUm:
    """Return the region; the whole grid if None.

    Raises
    ------
    ReviewError
        If it has no size, lies beside the tiles, or is far larger than all of them.
    """
    whole = subject.whole_um()
    if region_um is None:
        return whole
    x, y, width, height = region_um
    beside = (
        x >= whole[0] + whole[2]
        or y >= whole[1] + whole[3]
        or x + width <= whole[0]
        or y + height <= whole[1]
    )
    # Not "<=": a nan is refused, too.
    sized = 0 < width <= _LARGEST * whole[2] and 0 < height <= _LARGEST * whole[3]
    if not sized or not (isfinite(x) and isfinite(y)) or beside:
        raise ReviewError(
            f"The region x={x:g}, y={y:g}, width={width:g}, height={height:g} µm holds no part of "
            f"the map, or is far larger: the map spans x={whole[0]:g} to {whole[0] + whole[2]:g} "
            f"and y={whole[1]:g} to {whole[1] + whole[3]:g} µm. Choose a region inside."
        )
    return region_um


def _refuse_other_table(path: Path) -> None:
    """Refuse to replace a table that is no figure's, as ``features.csv``."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            heading = file.readline().strip()
    except FileNotFoundError:
        return
    if heading and heading not in HEADINGS:
        raise StoreError(
            f"{path} is another table; the numbers of the figure's legend would replace it. Choose "
            "another name for the figure."
        )


def figure_record(
    subject: FigureSubject,
    options: FigureOptions,
    region_um: RegionUm,
    shown: FigureMap | None,
    hidden: Collection[str],
) -> dict[str, Any]:
    """Return what is written into the figure: of what it is and how it was made."""
    run = public_record({name: subject.run.get(name) for name in _KEPT})
    return {
        "software": f"napari-crlm-spa {version('napari-crlm-spa')}",
        **run,
        "reader": subject.reader or None,
        "region_um": [float(value) for value in region_um],
        "map": None if shown is None else shown.title,
        "view": {**options.as_dict(), "hidden": sorted(hidden)},
    }


def _save(path: Path, drawn: Figure, told: str) -> None:
    kind = path.suffix.lower().lstrip(".").replace("tiff", "tif")
    title = "napari-crlm-spa"
    extras: dict[str, dict[str, Any]] = {
        "png": {"metadata": {"Description": told, "Software": title}},
        "tif": {"pil_kwargs": {"compression": "tiff_lzw", "description": told}},
        "pdf": {"metadata": {"Subject": told, "Creator": title, "CreationDate": None}},
        "svg": {"metadata": {"Description": told, "Creator": title, "Date": None}},
    }
    # Letters stay letters, and the same figure is the same file.
    look: Any = {"svg.fonttype": "none", "svg.hashsalt": "napari-crlm-spa", "pdf.fonttype": 42}
    with (
        atomic_path(path) as temporary,
        matplotlib.rc_context(look),
        warnings.catch_warnings(),
    ):
        # The font may lack a letter of a name; a box is drawn in its place.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        drawn.savefig(temporary, format=kind, dpi=drawn.dpi, **extras[kind])
