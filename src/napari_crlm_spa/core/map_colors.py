"""Colors and scales of maps: the same in the viewer, in figures and in reports. The one place.

The colors of the classes stand in `classes`. A scale that is stretched to one slide's range makes
a quiet slide look like a wild one, so scales are the same on every slide.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from napari_crlm_spa.core.spatial import Zone
from napari_crlm_spa.core.tiles import TileState

#: Of class-like maps and of heat maps, 0 to 1. Heat maps are clear where there is nothing to see,
#: so they may be stronger.
MAP_OPACITY = 0.55
HEAT_OPACITY = 0.85
ZONE_COLORS = {
    Zone.INFILTRATING: "#ff7f0e",
    Zone.ADJACENT: "#ffd92f",
    Zone.DISTAL: "#4575b4",
}
#: Of tiles below a probability threshold: between the grays of background and debris.
UNSURE_COLOR = "#8f8f8f"
#: Of these tiles a reader has said what they are.
SURE_STATES = (TileState.EDITED, TileState.ACCEPTED)
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
    colors: tuple[RGBA, ...] = field(repr=False)
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
