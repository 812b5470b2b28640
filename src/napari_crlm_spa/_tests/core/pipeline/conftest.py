"""Fixtures of the painted slide."""

from napari_crlm_spa._tests.painted_slide import (  # noqa: F401
    codes,
    color_model,
    options,
    slide,
    watchful_model,
)
