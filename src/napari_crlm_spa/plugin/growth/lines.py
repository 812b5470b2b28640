"""The interface as napari layer data: colored lines, whiskers of thickness, the place looked at.

Coordinates are micrometers of the slide's frame, y before x; nothing here is on a pixel grid, so
nothing is shifted by half a pixel. No Qt.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.spatial.interface import Contour, Interface, InterfaceCode
from napari_crlm_spa.core.spatial.interface.colors import CODE_COLORS
from napari_crlm_spa.plugin.layers import UNITS_UM, LayerData, layer_name, metadata_of

LINE_KIND, WHISKER_KIND, PLACE_KIND = "interface", "interface_rim", "interface_place"
#: From below to above.
KINDS = (WHISKER_KIND, LINE_KIND, PLACE_KIND)
SCREEN_PX = {LINE_KIND: 4.5, WHISKER_KIND: 1.6, PLACE_KIND: 3.0}
WHISKER_EVERY_UM = 250.0
WHISKER_COLOR = "#003f5c"
#: What cannot be judged is dashed: so much line, so much gap.
DASH_UM = 150.0
PLACE_COLORS = ("#ffffff", "#101010")
PLACE_DASHES = 10

Segments = NDArray[np.float32]


def line_layer(interface: Interface, slide: str, stem: str) -> LayerData:
    """Describe the interface as a Vectors layer, colored by code."""
    segments, colors = line_segments(interface)
    kwargs = _kwargs(LINE_KIND, layer_name("Tumor-liver interface", stem), slide)
    return segments, {**kwargs, "edge_color": colors}, "vectors"


def whisker_layer(interface: Interface, slide: str, stem: str) -> LayerData:
    """Describe the thickness of the rim as lines from the interface to the nearest liver."""
    kwargs = _kwargs(WHISKER_KIND, layer_name("Rim thickness", stem), slide)
    return whisker_segments(interface), {**kwargs, "edge_color": WHISKER_COLOR}, "vectors"


def place_layer(
    inside_um: tuple[float, float], outside_um: tuple[float, float], slide: str
) -> LayerData:
    """Describe the place that is pointed at on the strip: a dashed line across the interface."""
    colors = [PLACE_COLORS[i % 2] for i in range(PLACE_DASHES)]
    kwargs = _kwargs(PLACE_KIND, "Pointed at in the strip", slide)
    return place_segments(inside_um, outside_um), {**kwargs, "edge_color": colors}, "vectors"


def _kwargs(kind: str, name: str, slide: str) -> dict[str, Any]:
    return {
        "name": name,
        "vector_style": "line",
        "opacity": 1.0,
        "units": UNITS_UM,
        "metadata": metadata_of(kind, slide),
    }


def line_width_um(zoom: float, kind: str) -> float:
    """Width in micrometers that looks the same at every zoom (screen pixels per micrometer)."""
    return SCREEN_PX[kind] / zoom


def line_segments(interface: Interface) -> tuple[Segments, NDArray[np.float32]]:
    """Return the lines of all runs: (start, direction), shape (n, 2, 2), and RGBA, shape (n, 4)."""
    segments, colors = [], []
    for run in interface.runs:
        contour = interface.contours[run.contour]
        points = _run_points(contour, run.start, run.n_points)
        if run.code == InterfaceCode.U:
            found = _dashes(points, contour.spacing_um)
        else:
            found = _joined(_thinned(points))
        segments.append(found)
        colors.append(np.repeat([_rgba(CODE_COLORS[run.code])], len(found), axis=0))
    if not segments:
        return np.zeros((0, 2, 2), np.float32), np.zeros((0, 4), np.float32)
    return np.concatenate(segments), np.concatenate(colors).astype(np.float32)


def whisker_segments(interface: Interface, every_um: float = WHISKER_EVERY_UM) -> Segments:
    """Lines from the rim's points to the liver, about `every_um` apart, shape (n, 2, 2)."""
    found = []
    for contour in interface.contours:
        step = max(1, round(every_um / contour.spacing_um))
        at = np.arange(step // 2, len(contour.codes), step)
        at = at[np.isfinite(contour.thickness_um[at]) & np.isfinite(contour.liver_um[at, 0])]
        ends = contour.liver_um[at]
        found.append(_joined_pairs(contour.vertices_um[at], ends))
    return np.concatenate(found) if found else np.zeros((0, 2, 2), np.float32)


def place_segments(
    inside_um: tuple[float, float], outside_um: tuple[float, float]
) -> NDArray[np.float32]:
    """Dashes from a point to another, both (x, y), shape (n, 2, 2)."""
    shares = np.linspace(0, 1, PLACE_DASHES + 1)[:, None]
    points = (1 - shares) * np.array(inside_um) + shares * np.array(outside_um)
    return _joined(points)


def _run_points(contour: Contour, start: int, n_points: int) -> NDArray[np.float64]:
    """Points of a run and the one behind it, so that no gap is left."""
    at = (start + np.arange(n_points + 1)) % len(contour.codes)
    return contour.vertices_um[at]


def _thinned(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Every other point and the last: four in a tile are more than can be seen."""
    at = np.arange(0, len(points) - 1, 2)
    return points[np.append(at, len(points) - 1)]


def _dashes(points: NDArray[np.float64], spacing_um: float) -> Segments:
    dash = max(1, round(DASH_UM / spacing_um))
    number = np.arange(len(points) - 1) // dash
    return _joined(points)[number % 2 == 0]


def _joined(points: NDArray[np.float64]) -> Segments:
    return _joined_pairs(points[:-1], points[1:])


def _joined_pairs(starts: NDArray[np.float64], ends: NDArray[np.float64]) -> Segments:
    """(start, direction) of lines between points, y before x."""
    return np.stack([starts[:, ::-1], (ends - starts)[:, ::-1]], axis=1).astype(np.float32)


def _rgba(color: str) -> tuple[float, ...]:
    return (*(int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)), 1.0)
