"""Color scales of heat maps: the same on every slide, clear where there is nothing to see.

A scale that is stretched to one slide's range makes a quiet slide look like a wild one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from matplotlib.colors import Colormap, LinearSegmentedColormap

RGBA = tuple[float, float, float, float]
#: Yellow to green to blue: colors that hematoxylin and eosin do not have.
_YELLOW_TO_BLUE: tuple[RGBA, ...] = (
    (1.00, 1.00, 0.80, 0.0),
    (0.78, 0.91, 0.71, 0.8),
    (0.25, 0.71, 0.77, 1.0),
    (0.13, 0.37, 0.66, 1.0),
    (0.03, 0.11, 0.35, 1.0),
)
#: Where the scale of distances ends is our choice.
FARTHEST_MM = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How numbers become colors.

    Parameters
    ----------
    low, high
        What the first and the last color stand for; beyond them the color stays.
    low_text, high_text
        The ends in words and with their unit.
    colors
        From low to high, red, green, blue and opacity of 0-1.
    controls
        Where on 0-1 the colors stand; evenly if empty.
    note
        What the numbers are, in a sentence.
    warning
        What has to stand beside it, e.g. that it is for research use only.
    """

    low: float
    high: float
    low_text: str
    high_text: str
    colors: tuple[RGBA, ...] = field(repr=False)
    controls: tuple[float, ...] = ()
    note: str = ""
    warning: str = ""

    def colormap(self) -> Colormap:
        """Return the colors for shares of 0-1."""
        places = self.controls or tuple(np.linspace(0, 1, len(self.colors)).tolist())
        stops = list(zip(places, self.colors, strict=True))
        made: Colormap = LinearSegmentedColormap.from_list("scale", stops, N=1024)
        return made


CONFIDENCE = Scale(
    low=0.0,
    high=1.0,
    low_text="0: doubtful",
    high_text="1: sure",
    colors=_YELLOW_TO_BLUE[::-1],
    note="Probability of the likeliest class.",
)
ENTROPY = Scale(
    low=0.0,
    high=1.0,
    low_text="0: certain",
    high_text="1: all alike",
    colors=_YELLOW_TO_BLUE,
    note="Entropy of the class probabilities.",
)
INTERACTION = Scale(
    low=0.0,
    high=1.0,
    low_text="0",
    high_text="1: all neighbors",
    colors=_YELLOW_TO_BLUE,
    note="Share of this tissue in the 3x3 tiles around each tumor tile.",
)
#: Strangeness is 1 at its limit, the middle of the scale: gray below, orange to red beyond.
STRANGENESS = Scale(
    low=0.0,
    high=2.0,
    low_text="0",
    high_text="2 and more",
    colors=(
        (0.96, 0.96, 0.96, 0.0),
        (0.45, 0.49, 0.52, 0.7),
        (1.00, 0.62, 0.11, 1.0),
        (0.84, 0.19, 0.12, 1.0),
        (0.36, 0.00, 0.09, 1.0),
    ),
    controls=(0.0, 0.4999, 0.5, 0.75, 1.0),
    note="How unlike the training tiles; beyond 1, in the middle, is unusual.",
)
DISTANCE = Scale(
    low=0.0,
    high=FARTHEST_MM,
    low_text="0 mm",
    high_text=f"{FARTHEST_MM:g} mm and more",
    colors=(
        (0.99, 0.91, 0.15, 0.95),
        (0.48, 0.82, 0.32, 0.95),
        (0.13, 0.57, 0.55, 0.95),
        (0.23, 0.32, 0.55, 0.95),
        (0.27, 0.00, 0.33, 0.95),
    ),
    note="Distance of a tile to the nearest tumor region.",
)
