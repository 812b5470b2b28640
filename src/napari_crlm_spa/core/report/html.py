"""The report as one HTML page that needs nothing but itself."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from importlib.metadata import version
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from napari_crlm_spa.core.classes import PALETTES, STANDARD_PALETTE
from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.map_colors import ZONE_COLORS
from napari_crlm_spa.core.report import rasters, tables, words
from napari_crlm_spa.core.report.contents import SlideReport, state_rows, tissue_rows
from napari_crlm_spa.core.risk import RESEARCH_USE_ONLY
from napari_crlm_spa.core.spatial import TISSUES, SpatialFeatures, Zone
from napari_crlm_spa.core.spatial.definitions import NOUNS, column_name

_TEMPLATES = "core/data/templates"
_REPORT = "report.html"
#: What the switch in the page changes to.
SAFE_PALETTE = next(name for name in PALETTES if name != STANDARD_PALETTE)


@dataclass(frozen=True, slots=True)
class TissuePicture:
    """A small map of one tissue, as a data address, with its caption."""

    title: str
    uri: str
    caption: str


def write_report(path: Path, report: SlideReport) -> None:
    """Write the report of a slide as a self-contained HTML page.

    Parameters
    ----------
    path
        The file; it is replaced when the new one is complete.
    report
        What it shows. Without features the page ends after the tissue map.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    write_text(path, render_report(report))


def render_report(report: SlideReport) -> str:
    """Return the page; every text in it is escaped."""
    folder = resources.files("napari_crlm_spa").joinpath(_TEMPLATES)
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(count=words.count, percent=words.percent, area=words.area)
    environment.filters.update(number=words.number, moment=words.moment, breakable=words.breakable)
    template = environment.from_string(folder.joinpath(_REPORT).read_text("utf-8"))
    return template.render(_context(report))


def _context(report: SlideReport) -> dict[str, Any]:
    shown, features = report.tissue_map, report.features
    rows, cols = shown.shape
    bar_um = words.scale_bar_um(cols * shown.stride_um)
    context: dict[str, Any] = {
        "report": report,
        "style": Markup(_text("report.css")),
        "script": Markup(_text("report.js")),
        "disclaimer": RESEARCH_USE_ONLY,
        "software": version("napari-crlm-spa"),
        "aspect": f"{cols} / {rows}",
        "stride": words.length(shown.stride_um),
        "bar": words.length(bar_um),
        "bar_percent": f"{100 * bar_um / (cols * shown.stride_um):.3f}",
        "slide_uri": rasters.jpeg_uri(rasters.slide_picture(report)),
        "overlay_uri": rasters.png_uri(rasters.overlay_raster(shown)),
        "map_uri": rasters.png_uri(rasters.class_raster(shown)),
        "tissues": tissue_rows(report),
        "states": state_rows(shown),
        "quality": tables.quality_rows(report),
        "provenance": list(tables.provenance_rows(report)),
        "options": list(tables.option_rows(report.run.get("options") or {})),
        "notes": [str(note) for note in report.run.get("notes") or ()],
        "marks": tables.mark_rows(report),
        "safe_colors": _safe_colors(report),
        "features": features,
        "sentinel": report.sentinel,
        "doubts": _doubts(report),
    }
    if features is not None:
        context |= _of_features(features)
    return context


def _of_features(features: SpatialFeatures) -> dict[str, Any]:
    zones = [Zone.INFILTRATING, Zone.ADJACENT, Zone.DISTAL]
    if features.mixture.components == 2:
        zones.remove(Zone.ADJACENT)
    return {
        "families": tables.feature_families(features),
        "sources": tables.feature_sources(),
        "regions": tables.region_rows(features),
        "thresholds": tables.threshold_rows(features),
        "zone_pictures": _zone_pictures(features),
        "zone_colors": [(zone.name.lower(), ZONE_COLORS[zone]) for zone in zones],
        "region_color": rasters.TUMOR_REGION_COLOR,
        "other_color": rasters.OTHER_TISSUE_COLOR,
        "heat_pictures": _heat_pictures(features),
        "heat_scale": rasters.png_uri(rasters.heat_scale()),
        "contiguous": features.regions.contiguous_tumor_tiles,
        "least": features.options.min_tumor_tiles,
    }


def _safe_colors(report: SlideReport) -> dict[str, str]:
    """Return by which color the page may replace each color of the legend."""
    now = report.tissue_map.scheme
    safe = now.in_palette(SAFE_PALETTE)
    pairs = zip(now.classes, safe.classes, strict=True)
    return {old.color: new.color for old, new in pairs if old.color != new.color}


def _doubts(report: SlideReport) -> dict[str, Any]:
    """Return the maps that say how sure the classes are; none before anything is classified."""
    shown = report.tissue_map
    confidence, entropy = shown.confidence(), shown.entropy()
    if np.isnan(confidence).all():
        return {"pictures": []}
    pictures = [
        TissuePicture(
            "Confidence",
            rasters.png_uri(rasters.doubt_raster(shown, 1 - confidence)),
            f"median {words.percent(float(np.nanmedian(confidence)))}",
        ),
        TissuePicture(
            "Entropy",
            rasters.png_uri(rasters.doubt_raster(shown, entropy)),
            f"median {words.number(float(np.nanmedian(entropy)), 2)}",
        ),
    ]
    if not np.isnan(shown.strangeness).all():
        median = float(np.nanmedian(shown.strangeness.astype(np.float32)))
        uri = rasters.png_uri(rasters.strange_raster(shown))
        pictures.append(TissuePicture("Strangeness", uri, f"median {words.number(median, 2)}"))
    return {
        "pictures": pictures,
        "doubt_scale": rasters.png_uri(rasters.scale_of(rasters.DOUBT_COLORMAP)),
        "strange_scale": rasters.png_uri(rasters.scale_of(rasters.STRANGE_COLORMAP)),
        "strange_top": f"{rasters.STRANGE_TOP:g}",
    }


def _zone_pictures(features: SpatialFeatures) -> list[TissuePicture]:
    pictures = []
    for tissue in features.zone_masks():
        if not features.counts[tissue]:
            continue
        near, far = (
            features.values[column_name(family, tissue)] for family in ("infiltrating", "distal")
        )
        caption = (
            "cannot be told apart on this slide"
            if isnan(near)
            else f"infiltrating {words.percent(near)}, distal {words.percent(far)}"
        )
        uri = rasters.png_uri(rasters.zone_raster(features, tissue))
        pictures.append(TissuePicture(_title(tissue), uri, caption))
    return pictures


def _heat_pictures(features: SpatialFeatures) -> list[TissuePicture]:
    maps = features.interaction_maps()
    return [
        TissuePicture(
            _title(tissue),
            rasters.png_uri(rasters.heat_raster(features.tissue_map, maps[tissue])),
            f"mean {words.percent(features.values[column_name('interaction', tissue)])}",
        )
        for tissue in TISSUES
        if features.counts.get(tissue)
    ]


def _title(tissue: str) -> str:
    return NOUNS[tissue][0].upper() + NOUNS[tissue][1:]


def _text(name: str) -> str:
    folder = resources.files("napari_crlm_spa").joinpath(_TEMPLATES)
    return folder.joinpath(name).read_text("utf-8")
