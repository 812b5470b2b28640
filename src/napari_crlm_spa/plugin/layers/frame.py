"""Whose a layer is, and where it lies: the one place that puts y before x.

napari places the *center* of pixel (0, 0) at `translate`; our frame starts at the slide's
top-left *corner*. So every grid-like layer is shifted by half of its own pixel, and slide, maps
and heat maps share their corners exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from napari_crlm_spa.core.tissue_map import TissueMap

#: (data, keyword arguments, layer type), as napari's readers return it.
LayerData: TypeAlias = tuple[Any, dict[str, Any], str]

#: Where a layer's metadata say whose it is.
METADATA_KEY = "napari-crlm-spa"
UNITS_UM = ("um", "um")
UNITS_PIXEL = ("pixel", "pixel")
TRANSPARENT = "#00000000"


def slide_id(path: Path) -> str:
    """Return the name under which a slide is known while the viewer is open."""
    return str(path.resolve())


def kind_of(metadata: Mapping[str, Any], slide: str | None = None) -> str | None:
    """Tell what one of our layers is, from its metadata.

    Parameters
    ----------
    metadata
        A layer's metadata.
    slide
        Only a layer of this slide counts; None accepts any.

    Returns
    -------
    str or None
        E.g. ``"slide"`` or ``"tissue_map"``; None for somebody else's layer.
    """
    ours = metadata.get(METADATA_KEY)
    if ours is None or (slide is not None and ours["slide_id"] != slide):
        return None
    return str(ours["kind"])


def metadata_of(kind: str, slide: str, **more: Any) -> dict[str, Any]:
    """Return the metadata by which `kind_of` knows a layer again."""
    return {METADATA_KEY: {"kind": kind, "slide_id": slide, **more}}


def corner_at_origin(
    x_um: float, y_um: float, origin_um: tuple[float, float] = (0.0, 0.0)
) -> dict[str, Any]:
    """Place the first pixel's top-left corner, not its center, at `origin_um` (x, y)."""
    return {
        "scale": (y_um, x_um),
        "translate": (origin_um[1] + y_um / 2, origin_um[0] + x_um / 2),
    }


def grid_transform(tissue_map: TissueMap) -> dict[str, Any]:
    """Place an array with one element per tile."""
    stride = tissue_map.stride_um
    return {**corner_at_origin(stride, stride, tissue_map.origin_um), "units": UNITS_UM}


def corner_transform(tissue_map: TissueMap) -> dict[str, Any]:
    """Place drawings whose coordinates are *corners* of tiles: no half-tile shift here."""
    stride = tissue_map.stride_um
    return {
        "scale": (stride, stride),
        "translate": (tissue_map.origin_um[1], tissue_map.origin_um[0]),
        "units": UNITS_UM,
    }
