"""The slide as a multiscale picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari_crlm_spa.core.slide import SlideInfo
from napari_crlm_spa.core.slide import stem as slide_stem
from napari_crlm_spa.plugin.layers.frame import (
    UNITS_PIXEL,
    UNITS_UM,
    LayerData,
    corner_at_origin,
    metadata_of,
    slide_id,
)


def slide_layer(levels: Sequence[Any], info: SlideInfo) -> LayerData:
    """Describe the slide as a multiscale picture in micrometers.

    Parameters
    ----------
    levels
        Lazy arrays of shape (height, width, 3), largest first.
    info
        Of the slide. Without a pixel size the layer stays in pixels.
    """
    kwargs: dict[str, Any] = {
        "name": slide_stem(info.path),
        "rgb": True,
        "multiscale": True,
        "cache": False,
        **slide_transform(info),
        "metadata": metadata_of("slide", slide_id(info.path), info=info),
    }
    return list(levels), kwargs, "image"


def slide_transform(info: SlideInfo) -> dict[str, Any]:
    """Return scale, translate and units of a slide's picture."""
    if info.pixel_size is None:
        return {**corner_at_origin(1.0, 1.0), "units": UNITS_PIXEL}
    size = info.pixel_size
    return {**corner_at_origin(size.x_um, size.y_um), "units": UNITS_UM}
