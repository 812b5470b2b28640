"""A slide that the package draws itself: H&E-like, with a known truth."""

from napari_crlm_spa.core.sample.dyes import Dyes
from napari_crlm_spa.core.sample.textures import Style, draw_tile
from napari_crlm_spa.core.sample.training_tiles import write_drawn_tiles

__all__ = ["Dyes", "Style", "draw_tile", "write_drawn_tiles"]
