"""Heat maps: numbers per tile on scales that are the same on every slide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.map_colors import (
    CONFIDENCE,
    DISTANCE,
    ENTROPY,
    HEAT_OPACITY,
    INTERACTION,
    STRANGENESS,
    Scale,
)
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.plugin.layers.codes import layer_name
from napari_crlm_spa.plugin.layers.frame import LayerData, grid_transform, metadata_of
from napari_crlm_spa.plugin.map_view import MapKind

__all__ = ["SCALES", "HeatMap", "Scale", "heat_layer", "napari_colormap"]

#: Of every map that is a heat map, but for the contribution, whose scale is the risk model's.
SCALES: dict[MapKind, Scale] = {
    MapKind.CONFIDENCE: CONFIDENCE,
    MapKind.ENTROPY: ENTROPY,
    MapKind.STRANGENESS: STRANGENESS,
    MapKind.INTERACTION: INTERACTION,
    MapKind.DISTANCE: DISTANCE,
}


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """Numbers per tile, ready to be shown.

    Parameters
    ----------
    title
        What it shows; the start of the layer's name.
    values
        Shape (rows, cols), float32; nan where nothing is shown.
    scale
        Their colors.
    """

    title: str
    values: NDArray[np.float32]
    scale: Scale


def heat_layer(shown: HeatMap, tissue_map: TissueMap, slide: str, stem: str) -> LayerData:
    """Describe a heat map as an Image layer, 1 pixel = 1 tile."""
    kwargs = {
        "name": layer_name(shown.title, stem),
        "opacity": HEAT_OPACITY,
        "colormap": napari_colormap(shown.scale),
        "contrast_limits": shown.scale.limits,
        "interpolation2d": "nearest",
        **grid_transform(tissue_map),
        "metadata": metadata_of("heat_map", slide),
    }
    return shown.values, kwargs, "image"


def napari_colormap(scale: Scale) -> dict[str, Any]:
    """Describe the colors of a scale as napari takes them."""
    described: dict[str, Any] = {"name": scale.name, "colors": [list(c) for c in scale.colors]}
    return {**described, "controls": list(scale.controls)} if scale.controls else described
