"""How a figure looks."""

from __future__ import annotations

from dataclasses import dataclass

from napari_crlm_spa.core.classes import PALETTES, STANDARD_PALETTE
from napari_crlm_spa.core.map_colors import MAP_OPACITY
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.spatial import TISSUES

MAP_KINDS = (
    "tissue",
    "confidence",
    "entropy",
    "strangeness",
    "zones",
    "interaction",
    "distance",
    "none",
)
FIGURE_SUFFIXES = (".png", ".tif", ".tiff", ".pdf", ".svg")


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureOptions(Options):
    """What a figure shows and how large it is."""

    kind: str = option("tissue", "Which map lies on the slide", choices=MAP_KINDS, label="Map")
    tissue: str = option(
        "HEP", "Tissue of the maps zones and interaction", choices=TISSUES, label="Tissue"
    )
    palette: str = option(
        STANDARD_PALETTE, "Colors of the classes", choices=tuple(PALETTES), label="Colors"
    )
    opacity: float = option(MAP_OPACITY, "Opacity of the map", min=0.0, max=1.0, label="Opacity")
    min_probability: float = option(
        0.0,
        "In the tissue map, tiles whose likeliest class is less probable are gray",
        min=0.0,
        max=1.0,
        label="Least probability",
    )
    slide: bool = option(True, "Show the tissue under the map", label="Tissue picture")
    outline: bool = option(True, "Draw the border of the tumor regions", label="Tumor outline")
    legend: bool = option(True, "Draw a legend or a color bar", label="Legend")
    scale_bar: bool = option(True, "Draw a scale bar", label="Scale bar")
    width_mm: float = option(
        180.0, "Width of the figure", min=40.0, max=1000.0, unit="mm", label="Width"
    )
    dpi: int = option(300, "Pixels per inch", min=50, max=2400, unit="dpi", label="Resolution")
