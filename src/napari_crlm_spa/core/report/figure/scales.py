"""Scales of heat maps, for Matplotlib."""

from __future__ import annotations

from matplotlib.colors import Colormap, LinearSegmentedColormap

from napari_crlm_spa.core.map_colors import Scale


def colormap_of(scale: Scale) -> Colormap:
    """Return the colors for shares of 0-1."""
    made: Colormap = LinearSegmentedColormap.from_list("scale", scale.stops, N=1024)
    return made
