"""The pixels of a figure: the slide from the right level, with the map upon it."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.report.figure.numbers import RegionUm
from napari_crlm_spa.core.slide import RgbImage, Slide
from napari_crlm_spa.core.tissue_map import TissueMap

STAGE = "Reading the slide"
#: Pixels read at once.
_BAND_PX = 2_000_000


def draw_pixels(
    slide: Slide | None,
    region_um: RegionUm,
    size_px: tuple[int, int],
    tissue_map: TissueMap,
    rgba: NDArray[np.uint8] | None,
    opacity: float,
) -> Generator[Progress, None, RgbImage]:
    """Read a region and blend a map of tiles into it, band by band.

    Parameters
    ----------
    slide
        White if None.
    region_um, size_px
        The region, and (width, height) of the result.
    tissue_map
        Where the tiles lie.
    rgba
        Color of each tile, shape (rows, cols, 4); None for the bare slide.
    opacity
        Of the map.
    """
    left, top, width_um, height_um = region_um
    width, height = size_px
    mpp_x, mpp_y = width_um / width, height_um / height
    picture = np.full((height, width, 3), 255, np.uint8)
    step = max(1, _BAND_PX // width)
    for start in range(0, height, step):
        yield Progress(STAGE, start, height, "lines")
        rows = min(step, height - start)
        band = picture[start : start + rows]
        if slide is not None:
            # Both are the same but for the rounding of the height.
            band[:] = slide.read_region_um(left, top + start * mpp_y, width, rows, mpp_x)
        if rgba is not None:
            y = top + (start + np.arange(rows) + 0.5) * mpp_y
            x = left + (np.arange(width) + 0.5) * mpp_x
            _blend(band, rgba, tissue_map, x, y, opacity)
    yield Progress(STAGE, height, height, "lines")
    return picture


def _blend(
    band: RgbImage,
    rgba: NDArray[np.uint8],
    tissue_map: TissueMap,
    x_um: NDArray[np.floating],
    y_um: NDArray[np.floating],
    opacity: float,
) -> None:
    padded = np.pad(rgba, ((1, 1), (1, 1), (0, 0)))  # clear around the grid
    stride, (origin_x, origin_y) = tissue_map.stride_um, tissue_map.origin_um
    n_rows, n_cols = tissue_map.shape
    cols = np.clip(np.floor((x_um - origin_x) / stride), -1, n_cols).astype(int) + 1
    rows = np.clip(np.floor((y_um - origin_y) / stride), -1, n_rows).astype(int) + 1
    colors = padded[rows[:, None], cols[None, :]]
    alpha = colors[..., 3:].astype(np.float32) * (opacity / 255)
    mixed = band * (1 - alpha) + colors[..., :3] * alpha
    band[:] = np.rint(mixed).astype(np.uint8)
