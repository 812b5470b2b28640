"""Maps as small pictures, one pixel a tile, and the slide's picture cut to the same rectangle."""

from __future__ import annotations

import base64
import io

import matplotlib
import numpy as np
from matplotlib.colors import Colormap, LinearSegmentedColormap
from numpy.typing import NDArray
from PIL import Image

from napari_crlm_spa.core.map_colors import ZONE_COLORS
from napari_crlm_spa.core.report.contents import STATE_COLORS, SlideReport
from napari_crlm_spa.core.slide.contract import RgbImage
from napari_crlm_spa.core.spatial import SpatialFeatures
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.core.tissue_map import TissueMap

TUMOR_REGION_COLOR = "#bdbdbd"
OTHER_TISSUE_COLOR = "#ececec"
HEAT_COLORMAP = "inferno"
#: Pale where the network is in no doubt.
DOUBT_COLORMAP = LinearSegmentedColormap.from_list(
    "doubt", ["#ffffcc", "#c7e9b4", "#41b6c4", "#225ea8", "#081d58"]
)
#: Strangeness from 0 to `STRANGE_TOP`: gray up to 1, the limit, alarming beyond.
STRANGE_TOP = 2.0
STRANGE_COLORMAP = LinearSegmentedColormap.from_list(
    "strange",
    [(0.0, "#f4f4f4"), (0.5, "#9aa5ad"), (0.5, "#ff9f1c"), (0.75, "#d7301f"), (1.0, "#5b0016")],
)

Rgba = NDArray[np.uint8]


def rgb_of(color: str) -> tuple[int, int, int]:
    """Split ``"#rrggbb"``."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def class_raster(tissue_map: TissueMap) -> RgbImage:
    """Color every tile by its class, and those without one by the reason.

    Returns
    -------
    ndarray of uint8, shape (rows, cols, 3)
    """
    states = np.full((len(TileState), 3), 255, np.uint8)
    for state, color in STATE_COLORS.items():
        states[state] = rgb_of(color)
    classes = np.zeros((len(tissue_map.scheme) + 1, 3), np.uint8)
    for tissue in tissue_map.scheme.classes:
        classes[tissue_map.scheme.code(tissue.name)] = tissue.rgb
    classified = (tissue_map.classes > 0)[..., None]
    return np.where(classified, classes[tissue_map.classes], states[tissue_map.state])


def overlay_raster(tissue_map: TissueMap) -> Rgba:
    """Color as `class_raster` does, transparent where there is no class, (rows, cols, 4)."""
    shown = (tissue_map.classes > 0) | (tissue_map.state == TileState.UNREADABLE)
    alpha = np.where(shown, 255, 0).astype(np.uint8)
    return np.dstack([class_raster(tissue_map), alpha])


def zone_raster(features: SpatialFeatures, tissue: str) -> RgbImage:
    """Color the tiles of one tissue by zone, on the tumor regions in gray, (rows, cols, 3)."""
    picture = np.full((*features.tissue_map.shape, 3), 255, np.uint8)
    picture[features.tissue_map.classes > 0] = rgb_of(OTHER_TISSUE_COLOR)
    picture[features.regions.mask] = rgb_of(TUMOR_REGION_COLOR)
    zones = features.zone_masks()[tissue]
    for zone, color in ZONE_COLORS.items():
        picture[zones == zone] = rgb_of(color)
    return picture


def heat_raster(tissue_map: TissueMap, share: NDArray[np.float32]) -> RgbImage:
    """Color shares of 0-1 on a fixed scale; other tissue stays gray, (rows, cols, 3)."""
    return _colored(tissue_map, share, matplotlib.colormaps[HEAT_COLORMAP])


def doubt_raster(tissue_map: TissueMap, doubt: NDArray[np.float32]) -> RgbImage:
    """Color a doubt of 0-1 on a fixed scale, shape (rows, cols, 3)."""
    return _colored(tissue_map, doubt, DOUBT_COLORMAP)


def strange_raster(tissue_map: TissueMap) -> RgbImage:
    """Color the strangeness on a fixed scale, 1 is the limit, shape (rows, cols, 3)."""
    values = tissue_map.strangeness.astype(np.float32) / STRANGE_TOP
    return _colored(tissue_map, values, STRANGE_COLORMAP)


def _colored(tissue_map: TissueMap, values: NDArray[np.float32], colormap: Colormap) -> RgbImage:
    picture = np.full((*tissue_map.shape, 3), 255, np.uint8)
    picture[tissue_map.classes > 0] = rgb_of(OTHER_TISSUE_COLOR)
    known = ~np.isnan(values)
    picture[known] = colormap(np.clip(values[known], 0, 1), bytes=True)[:, :3]
    return picture


def heat_scale(steps: int = 64) -> RgbImage:
    """Draw the color bar of shares from 0 to 1, shape (1, steps, 3)."""
    return scale_of(matplotlib.colormaps[HEAT_COLORMAP], steps)


def scale_of(colormap: Colormap, steps: int = 64) -> RgbImage:
    """Draw a colormap as a bar, shape (1, steps, 3)."""
    bar: RgbImage = colormap(np.linspace(0, 1, steps)[None, :], bytes=True)[..., :3]
    return bar


def slide_picture(report: SlideReport) -> RgbImage:
    """Cut the thumbnail to the rectangle of the tile grid; beyond the slide it is white."""
    info, shown = report.info, report.tissue_map
    size = info.known_pixel_size()
    scale_x = report.thumbnail.shape[1] / (info.width_px * size.x_um)
    scale_y = report.thumbnail.shape[0] / (info.height_px * size.y_um)
    rows, cols = shown.shape
    left, top = shown.origin_um[0] * scale_x, shown.origin_um[1] * scale_y
    right = left + cols * shown.stride_um * scale_x
    bottom = top + rows * shown.stride_um * scale_y
    picture = Image.fromarray(report.thumbnail).transform(
        (max(1, round(right - left)), max(1, round(bottom - top))),
        Image.Transform.EXTENT,
        (left, top, right, bottom),
        resample=Image.Resampling.BILINEAR,
        fillcolor=(255, 255, 255),
    )
    return np.asarray(picture)


def png_uri(picture: NDArray[np.uint8]) -> str:
    """Encode a picture without loss, to be put into a page."""
    return _uri(picture, "png", optimize=True)


def jpeg_uri(picture: RgbImage) -> str:
    """Encode a photograph, to be put into a page."""
    return _uri(picture, "jpeg", quality=85)


def _uri(picture: NDArray[np.uint8], kind: str, **options: object) -> str:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"
