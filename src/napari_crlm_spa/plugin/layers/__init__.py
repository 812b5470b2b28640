"""Results as napari layer data: the only place that knows layer names and puts y before x.

A slide has at most four layers of results: one for class-like maps (kind ``tissue_map``), one
for heat maps (``heat_map``), the tumor's outline (``tumor_region``) and the frame around a tile
that is to be looked at (``target``). Which map they show is `source.MapSource`'s to say. Nothing
here imports Qt or napari.
"""

from napari_crlm_spa.core.map_colors import UNSURE_COLOR
from napari_crlm_spa.plugin.layers.codes import (
    ZONE_COLORS,
    CodeMap,
    class_colors,
    code_layer,
    layer_name,
    noun,
    tissue_codes,
    tissue_map_layer,
    unsure_tiles,
    zone_codes,
)
from napari_crlm_spa.plugin.layers.frame import (
    METADATA_KEY,
    TRANSPARENT,
    UNITS_PIXEL,
    UNITS_UM,
    LayerData,
    corner_transform,
    grid_transform,
    kind_of,
    metadata_of,
    slide_id,
)
from napari_crlm_spa.plugin.layers.heat import HeatMap, Scale, heat_layer, napari_colormap
from napari_crlm_spa.plugin.layers.outline import (
    FRAME_SCREEN_PX,
    OUTLINE_SCREEN_PX,
    border_segments,
    frame_layer,
    frame_segments,
    line_width,
    outline_layer,
)
from napari_crlm_spa.plugin.layers.slide import slide_layer, slide_transform

__all__ = [
    "FRAME_SCREEN_PX",
    "METADATA_KEY",
    "OUTLINE_SCREEN_PX",
    "TRANSPARENT",
    "UNITS_PIXEL",
    "UNITS_UM",
    "UNSURE_COLOR",
    "ZONE_COLORS",
    "CodeMap",
    "HeatMap",
    "LayerData",
    "Scale",
    "border_segments",
    "class_colors",
    "code_layer",
    "corner_transform",
    "frame_layer",
    "frame_segments",
    "grid_transform",
    "heat_layer",
    "kind_of",
    "layer_name",
    "line_width",
    "metadata_of",
    "napari_colormap",
    "noun",
    "outline_layer",
    "slide_id",
    "slide_layer",
    "slide_transform",
    "tissue_codes",
    "tissue_map_layer",
    "unsure_tiles",
    "zone_codes",
]
