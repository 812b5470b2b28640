"""Heat maps: numbers per tile on scales that are the same on every slide.

A scale that is stretched to one slide's range makes a quiet slide look like a wild one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.plugin.layers.codes import layer_name
from napari_crlm_spa.plugin.layers.frame import LayerData, grid_transform, metadata_of
from napari_crlm_spa.plugin.map_view import MapKind, MapView

RGBA = tuple[float, float, float, float]
#: Clear where there is nothing to see, so that the tissue stays visible, then yellow to green to
#: blue: colors that hematoxylin and eosin do not have.
_YELLOW_TO_BLUE: tuple[RGBA, ...] = (
    (1.00, 1.00, 0.80, 0.0),
    (0.78, 0.91, 0.71, 0.8),
    (0.25, 0.71, 0.77, 1.0),
    (0.13, 0.37, 0.66, 1.0),
    (0.03, 0.11, 0.35, 1.0),
)


@dataclass(frozen=True, slots=True)
class Scale:
    """How numbers become colors.

    Parameters
    ----------
    name
        For napari, which knows a colormap by its name.
    low, high
        What the first and the last color stand for; beyond them the color stays.
    low_text, high_text
        The ends in words and with their unit.
    colors
        From low to high, red, green, blue and opacity of 0-1.
    controls
        Where on 0-1 the colors stand; evenly if empty.
    note
        What a reader should know of the scale.
    warning
        What has to stand beside it, always to be seen.
    """

    name: str
    low: float
    high: float
    low_text: str
    high_text: str
    colors: tuple[RGBA, ...]
    controls: tuple[float, ...] = ()
    note: str = ""
    warning: str = ""

    @property
    def limits(self) -> tuple[float, float]:
        """Both ends."""
        return self.low, self.high

    @property
    def stops(self) -> list[tuple[float, RGBA]]:
        """Places on 0-1 and their colors, for a gradient."""
        places = self.controls or tuple(np.linspace(0, 1, len(self.colors)).tolist())
        return list(zip(places, self.colors, strict=True))

    @property
    def colormap(self) -> dict[str, Any]:
        """As napari takes it."""
        described: dict[str, Any] = {"name": self.name, "colors": [list(c) for c in self.colors]}
        return {**described, "controls": list(self.controls)} if self.controls else described


CONFIDENCE = Scale(
    "confidence",
    0.0,
    1.0,
    "0: doubtful",
    "1: sure",
    _YELLOW_TO_BLUE[::-1],
    note="Probability of the likeliest class.",
)
ENTROPY = Scale(
    "entropy",
    0.0,
    1.0,
    "0: certain",
    "1: all alike",
    _YELLOW_TO_BLUE,
    note="Entropy of the class probabilities; 1 where all classes are equally likely.",
)
INTERACTION = Scale(
    "share of neighbors",
    0.0,
    1.0,
    "0",
    "1: all neighbors",
    _YELLOW_TO_BLUE,
    note="Share of this tissue among the 3x3 tiles around each tumor tile.",
)
#: Strangeness is 1 at its limit, the middle of the scale: gray below, orange to red beyond.
STRANGENESS = Scale(
    "strangeness, limit 1",
    0.0,
    2.0,
    "0",
    "2 and more",
    (
        (0.96, 0.96, 0.96, 0.0),
        (0.45, 0.49, 0.52, 0.7),
        (1.00, 0.62, 0.11, 1.0),
        (0.84, 0.19, 0.12, 1.0),
        (0.36, 0.00, 0.09, 1.0),
    ),
    (0.0, 0.4999, 0.5, 0.75, 1.0),
    note="How unlike the training tiles; beyond 1, in the middle, is unusual.",
)
#: Where the scale ends is our choice: what lies farther off all looks equally far.
FARTHEST_MM = 5.0
DISTANCE = Scale(
    "distance, mm",
    0.0,
    FARTHEST_MM,
    "0 mm",
    f"{FARTHEST_MM:g} mm and more",
    (
        (0.99, 0.91, 0.15, 0.95),
        (0.48, 0.82, 0.32, 0.95),
        (0.13, 0.57, 0.55, 0.95),
        (0.23, 0.32, 0.55, 0.95),
        (0.27, 0.00, 0.33, 0.95),
    ),
    note="Distance of a tile's center to the nearest tile of a tumor region.",
)


def contribution_scale(limits: tuple[float, float], what: str) -> Scale:
    """Return the scale of what tiles do to the risk: blue lowers, red raises, clear does nothing.

    Parameters
    ----------
    limits
        Lowest and highest, the same on every slide: see `push_limits`.
    what
        What is measured, in a few words.
    """
    low, high = limits
    return Scale(
        "contribution to the risk",
        low,
        high,
        f"{low:+.2g}".replace("-", "\N{MINUS SIGN}") + " lowers",
        f"raises {high:+.2g}",
        (
            (0.02, 0.19, 0.38, 1.0),
            (0.13, 0.40, 0.67, 1.0),
            (0.97, 0.97, 0.97, 0.0),
            (0.84, 0.38, 0.10, 1.0),
            (0.50, 0.10, 0.00, 1.0),
        ),
        note="How far such tiles, if they were 1 % of the tissue, push the risk score: "
        f"{what}. Our own measure, under fixed thresholds; the pushes of several tiles do not "
        "add up.",
        warning="Research use only",
    )


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
        "opacity": MapView().heat_opacity,
        "colormap": shown.scale.colormap,
        "contrast_limits": shown.scale.limits,
        "interpolation2d": "nearest",
        **grid_transform(tissue_map),
        "metadata": metadata_of("heat_map", slide),
    }
    return shown.values, kwargs, "image"
