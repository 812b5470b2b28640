"""Results as napari layer data: the only file that knows layer names and puts y before x.

napari places the *center* of pixel (0, 0) at `translate`; our frame starts at the slide's
top-left *corner*. So every grid-like layer is shifted by half of its own pixel, and slide, map,
masks and heat maps share their corners exactly. Nothing here imports Qt or napari.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED, ClassScheme
from napari_crlm_spa.core.slide import SlideInfo
from napari_crlm_spa.core.slide import stem as slide_stem
from napari_crlm_spa.core.spatial import Zone
from napari_crlm_spa.core.spatial.definitions import NOUNS
from napari_crlm_spa.core.tissue_map import TissueMap

if TYPE_CHECKING:
    from napari_crlm_spa.core.pipeline import Analysis

#: (data, keyword arguments, layer type), as napari's readers return it.
LayerData: TypeAlias = tuple[Any, dict[str, Any], str]

#: Where a layer's metadata say whose it is.
METADATA_KEY = "napari-crlm-spa"
UNITS_UM = ("um", "um")
UNITS_PIXEL = ("pixel", "pixel")
TRANSPARENT = "#00000000"

MAP_OPACITY = 0.55
ZONE_OPACITY = 0.75
HEAT_OPACITY = 0.85
ZONE_COLORS: dict[int | None, str] = {
    Zone.NONE: TRANSPARENT,
    Zone.INFILTRATING: "#ff7f0e",
    Zone.ADJACENT: "#ffd92f",
    Zone.DISTAL: "#4575b4",
}
#: Heat maps are fractions: the same scale on every slide, never stretched to one slide's range.
HEAT_LIMITS = (0.0, 1.0)
#: Clear where the share is 0, so that the tissue stays visible, then yellow to green to blue:
#: colors that hematoxylin and eosin do not have.
HEAT_COLORMAP: dict[str, Any] = {
    "name": "share of neighbors",
    "colors": [
        [1.00, 1.00, 0.80, 0.0],
        [0.78, 0.91, 0.71, 0.8],
        [0.25, 0.71, 0.77, 1.0],
        [0.13, 0.37, 0.66, 1.0],
        [0.03, 0.11, 0.35, 1.0],
    ],
}
#: Clear where the network is sure. The colors of a heat map, from its other end for confidence.
CONFIDENCE_COLORMAP = {"name": "confidence", "colors": HEAT_COLORMAP["colors"][::-1]}
ENTROPY_COLORMAP = {"name": "entropy", "colors": HEAT_COLORMAP["colors"]}
DOUBT_LIMITS = (0.0, 1.0)
WITH_COLOR_BAR = frozenset({"interaction", "confidence", "entropy", "strangeness"})
#: Strangeness is 1 at its limit, the middle of the scale: gray below, orange to red beyond.
STRANGE_LIMITS = (0.0, 2.0)
STRANGE_COLORMAP = {
    "name": "strangeness, limit 1",
    "colors": [
        [0.96, 0.96, 0.96, 0.0],
        [0.45, 0.49, 0.52, 0.7],
        [1.00, 0.62, 0.11, 1.0],
        [0.84, 0.19, 0.12, 1.0],
        [0.36, 0.00, 0.09, 1.0],
    ],
    "controls": [0.0, 0.4999, 0.5, 0.75, 1.0],
}
OUTLINE_COLOR = "#101010"
#: Width of the tumor's outline on the screen, at any zoom.
OUTLINE_SCREEN_PX = 2.5


def slide_id(path: Path) -> str:
    """Return the name under which a slide is known while the viewer is open."""
    return str(path.resolve())


def kind_of(metadata: Mapping[str, Any], slide: str | None = None) -> str | None:
    """Tell what one of our layers shows, from its metadata.

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
        "metadata": _metadata("slide", slide_id(info.path), info=info),
    }
    return list(levels), kwargs, "image"


def slide_transform(info: SlideInfo) -> dict[str, Any]:
    """Return scale, translate and units of a slide's picture."""
    if info.pixel_size is None:
        return {**_corner_at_origin(1.0, 1.0), "units": UNITS_PIXEL}
    size = info.pixel_size
    return {**_corner_at_origin(size.x_um, size.y_um), "units": UNITS_UM}


def tissue_map_layer(tissue_map: TissueMap, slide: str, stem: str) -> LayerData:
    """Describe the tissue map as one Labels layer, 1 pixel = 1 tile.

    The layer shares the map's array: write into the map, refresh the layer.
    """
    kwargs = {
        "name": f"Tissue map · {stem}",
        "opacity": MAP_OPACITY,
        "colormap": class_colors(tissue_map.scheme),
        "features": _class_names(tissue_map.scheme),
        **_grid_transform(tissue_map),
        "metadata": _metadata("tissue_map", slide),
    }
    return tissue_map.classes, kwargs, "labels"


def class_colors(
    scheme: ClassScheme, hidden: frozenset[str] = frozenset()
) -> dict[int | None, str]:
    """Color of each grid code; not classified, unknown and `hidden` classes are transparent."""
    colors: dict[int | None, str] = {None: TRANSPARENT, NOT_CLASSIFIED: TRANSPARENT}
    for tissue in scheme.classes:
        colors[scheme.code(tissue.name)] = TRANSPARENT if tissue.name in hidden else tissue.color
    return colors


def _grid_transform(tissue_map: TissueMap) -> dict[str, Any]:
    stride = tissue_map.stride_um
    return {**_corner_at_origin(stride, stride, tissue_map.origin_um), "units": UNITS_UM}


def _corner_at_origin(
    x_um: float, y_um: float, origin_um: tuple[float, float] = (0.0, 0.0)
) -> dict[str, Any]:
    """Place the first pixel's top-left corner, not its center, at `origin_um` (x, y)."""
    return {
        "scale": (y_um, x_um),
        "translate": (origin_um[1] + y_um / 2, origin_um[0] + x_um / 2),
    }


def _class_names(scheme: ClassScheme) -> dict[str, list[Any]]:
    """Tell the status bar what a grid code means."""
    return {
        "index": [NOT_CLASSIFIED, *(scheme.code(name) for name in scheme.names)],
        "tissue": ["not classified", *(tissue.title for tissue in scheme.classes)],
    }


def _metadata(kind: str, slide: str, **more: Any) -> dict[str, Any]:
    return {METADATA_KEY: {"kind": kind, "slide_id": slide, **more}}


def analysis_layers(analysis: Analysis, slide: str, stem: str) -> list[LayerData]:
    """Describe what is shown beside the tissue map once an analysis has ended.

    The tumor's outline is visible; zones, interaction maps and the maps of doubt wait hidden in
    the layer list. Those of tissues that the slide does not have are left out, and so is the
    strangeness where the model cannot tell it.
    """
    features = analysis.features
    where = (features.tissue_map, slide, stem)
    shares = features.interaction_maps()
    zones = features.zone_masks()
    return [
        *(
            interaction_layer(shares[name], name, *where)
            for name in shares
            if (shares[name] > 0).any()
        ),
        *(zone_layer(zones[name], name, *where) for name in zones if (zones[name] > 0).any()),
        *doubt_layers(*where),
        outline_layer(features.regions.mask, *where),
    ]


def noun(tissue: str) -> str:
    """Name a tissue at the start of a layer's name, which napari cuts in its middle."""
    return NOUNS[tissue].partition(" (")[0].capitalize()


def zone_layer(
    zone: NDArray[np.uint8], tissue: str, tissue_map: TissueMap, slide: str, stem: str
) -> LayerData:
    """Describe where one tissue infiltrates the tumor, is next to it, or far from it."""
    kwargs = {
        "name": f"{noun(tissue)}, zones · {stem}",
        "visible": False,
        "opacity": ZONE_OPACITY,
        "colormap": {None: TRANSPARENT, **ZONE_COLORS},
        "features": {
            "index": [int(each) for each in Zone],
            "zone": [each.name.lower() for each in Zone],
        },
        **_grid_transform(tissue_map),
        "metadata": _metadata("zones", slide, tissue=tissue),
    }
    return zone, kwargs, "labels"


def interaction_layer(
    share: NDArray[np.float32], tissue: str, tissue_map: TissueMap, slide: str, stem: str
) -> LayerData:
    """Describe the share of one tissue around each tumor tile as a heat map of fixed scale."""
    kwargs = {
        "name": f"{noun(tissue)}, with tumor · {stem}",
        "visible": False,
        "opacity": HEAT_OPACITY,
        "colormap": HEAT_COLORMAP,
        "contrast_limits": HEAT_LIMITS,
        "interpolation2d": "nearest",
        **_grid_transform(tissue_map),
        "metadata": _metadata("interaction", slide, tissue=tissue),
    }
    return share, kwargs, "image"


def doubt_layers(tissue_map: TissueMap, slide: str, stem: str) -> list[LayerData]:
    """Describe how sure the classes are: confidence, entropy and strangeness, on fixed scales.

    Their values are what the status bar tells of the tile under the pointer.
    """
    where = (tissue_map, slide, stem)
    confidence, entropy = tissue_map.confidence(), tissue_map.entropy()
    described = [
        _doubt_layer("Confidence", confidence, DOUBT_LIMITS, CONFIDENCE_COLORMAP, *where),
        _doubt_layer("Entropy", entropy, DOUBT_LIMITS, ENTROPY_COLORMAP, *where),
        _doubt_layer(
            "Strangeness (limit 1)",
            tissue_map.strangeness,
            STRANGE_LIMITS,
            STRANGE_COLORMAP,
            *where,
        ),
    ]
    return [layer for layer in described if not np.isnan(layer[0]).all()]


def _doubt_layer(
    title: str,
    values: NDArray[np.floating],
    limits: tuple[float, float],
    colormap: Mapping[str, Any],
    tissue_map: TissueMap,
    slide: str,
    stem: str,
) -> LayerData:
    kwargs = {
        "name": f"{title} · {stem}",
        "visible": False,
        "opacity": HEAT_OPACITY,
        "colormap": colormap,
        "contrast_limits": limits,
        "interpolation2d": "nearest",
        **_grid_transform(tissue_map),
        "metadata": _metadata(title.split()[0].lower(), slide),
    }
    # What more digits say, the network does not know.
    return values.astype(np.float32).round(3), kwargs, "image"


def outline_layer(
    mask: NDArray[np.bool_], tissue_map: TissueMap, slide: str, stem: str
) -> LayerData:
    """Describe the border of a mask on the tile grid as line segments along the tiles' edges.

    Their width is `outline_width` of the zoom at hand.
    """
    stride = tissue_map.stride_um
    kwargs = {
        "name": f"Tumor region · {stem}",
        "edge_color": OUTLINE_COLOR,
        "vector_style": "line",
        "opacity": 1.0,
        # Corners, not centers, of tiles: no half-tile shift here.
        "scale": (stride, stride),
        "translate": (tissue_map.origin_um[1], tissue_map.origin_um[0]),
        "units": UNITS_UM,
        "metadata": _metadata("tumor_region", slide),
    }
    return border_segments(mask), kwargs, "vectors"


def outline_width(stride_um: float, zoom: float) -> float:
    """Width that looks like `OUTLINE_SCREEN_PX` at a zoom (screen pixels per µm), in tiles."""
    return OUTLINE_SCREEN_PX / (zoom * stride_um)


def border_segments(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Edges between the tiles inside and outside of a mask.

    Parameters
    ----------
    mask
        Shape (rows, cols).

    Returns
    -------
    ndarray of float32, shape (n, 2, 2)
        Start and direction of each edge, (row, col) in tile corners; every one is 1 tile long.
    """
    padded = np.pad(mask, 1).astype(np.int8)
    below = np.argwhere(np.diff(padded, axis=0)[:, 1:-1])  # edge above row r, along the columns
    right = np.argwhere(np.diff(padded, axis=1)[1:-1, :])  # edge left of column c, along the rows
    starts = np.concatenate([below, right])
    directions = np.concatenate(
        [np.tile([0, 1], (len(below), 1)), np.tile([1, 0], (len(right), 1))]
    )
    return np.stack([starts, directions], axis=1).astype(np.float32)
