"""Lines along the edges of tiles: the tumor's outline, and the frame around a tile to look at."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.plugin.layers.frame import LayerData, corner_transform, metadata_of

OUTLINE_COLOR = "#101010"
#: Width of the tumor's outline on the screen, at any zoom.
OUTLINE_SCREEN_PX = 2.5
#: Dashes of both colors: one of them stands out on any tissue and on any map.
FRAME_COLORS = ("#ffffff", "#101010")
FRAME_SCREEN_PX = 3.5
DASHES_PER_SIDE = 8


def outline_layer(
    mask: NDArray[np.bool_], tissue_map: TissueMap, slide: str, stem: str
) -> LayerData:
    """Describe the border of a mask on the tile grid as line segments along the tiles' edges.

    Their width is `line_width` of the zoom at hand.
    """
    kwargs = _lines(f"Tumor region · {stem}", tissue_map, "tumor_region", slide)
    return border_segments(mask), {**kwargs, "edge_color": OUTLINE_COLOR}, "vectors"


def frame_layer(
    first: tuple[float, float], size: tuple[float, float], tissue_map: TissueMap, slide: str
) -> LayerData:
    """Describe a dashed frame around tiles.

    Parameters
    ----------
    first, size
        (row, col) of the top-left corner and (rows, cols) of the framed rectangle, in tiles.
    """
    segments = frame_segments(first, size)
    colors = [FRAME_COLORS[i % 2] for i in range(len(segments))]
    kwargs = _lines("You are here", tissue_map, "target", slide)
    return segments, {**kwargs, "edge_color": colors}, "vectors"


def _lines(name: str, tissue_map: TissueMap, kind: str, slide: str) -> dict[str, Any]:
    return {
        "name": name,
        "vector_style": "line",
        "opacity": 1.0,
        **corner_transform(tissue_map),
        "metadata": metadata_of(kind, slide),
    }


def line_width(stride_um: float, zoom: float, screen_px: float) -> float:
    """Width in tiles that looks like `screen_px` at a zoom (screen pixels per µm)."""
    return screen_px / (zoom * stride_um)


def border_segments(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Edges between the tiles inside and outside of a mask, straight runs in one piece.

    Parameters
    ----------
    mask
        Shape (rows, cols).

    Returns
    -------
    ndarray of float32, shape (n, 2, 2)
        Start and direction of each line, (row, col) in tile corners.
    """
    padded = np.pad(mask, 1).astype(np.int8)
    above = np.diff(padded, axis=0)[:, 1:-1] != 0  # edge above row r, along the columns
    left = np.diff(padded, axis=1)[1:-1, :] != 0  # edge left of column c, along the rows
    across, down = _runs(above), _runs(left.T)[:, :, ::-1]
    return np.concatenate([across, down]).astype(np.float32)


def _runs(edges: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Join edges that follow each other along the last axis: starts and directions."""
    changes = np.diff(np.pad(edges, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    starts, ends = np.argwhere(changes == 1), np.argwhere(changes == -1)
    return np.stack([starts, ends - starts], axis=1)


def frame_segments(first: tuple[float, float], size: tuple[float, float]) -> NDArray[np.float32]:
    """Dashes along the sides of a rectangle, shape (n, 2, 2), (row, col) in tile corners."""
    (top, left), (height, width) = first, size
    corners = np.array(
        [[top, left], [top, left + width], [top + height, left + width], [top + height, left]]
    )
    sides = np.roll(corners, -1, axis=0) - corners
    steps = np.arange(DASHES_PER_SIDE)[:, None] / DASHES_PER_SIDE
    dashes = [
        np.stack([corner + steps * side, np.repeat([side / DASHES_PER_SIDE], len(steps), 0)], 1)
        for corner, side in zip(corners, sides, strict=True)
    ]
    return np.concatenate(dashes).astype(np.float32)
