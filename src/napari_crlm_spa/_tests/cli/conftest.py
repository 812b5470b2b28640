"""Fixtures of the painted slide and of tiles in its colors."""

from napari_crlm_spa._tests.painted_slide import (  # noqa: F401
    codes,
    color_model,
    options,
    slide,
    watchful_model,
)
from napari_crlm_spa._tests.palette_tiles import mixed_tiles, palette_tiles  # noqa: F401
