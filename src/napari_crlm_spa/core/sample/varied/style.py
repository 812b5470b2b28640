"""The sample slide's drawings, in looser styles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_crlm_spa.core.sample.style import Style


def varied_style(rng: np.random.Generator) -> Style:
    """Return a random style with a density of cells beyond what the sample slide has."""
    style = Style.random(rng)
    return replace(style, density=style.density * rng.uniform(0.6, 1.3))
