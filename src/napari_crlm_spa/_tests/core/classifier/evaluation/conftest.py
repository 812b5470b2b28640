"""Tiles in the colors that the painted model knows; some are labeled wrongly on purpose."""

from napari_crlm_spa._tests.painted_slide import color_model  # noqa: F401
from napari_crlm_spa._tests.palette_tiles import mixed_tiles, palette_tiles  # noqa: F401
