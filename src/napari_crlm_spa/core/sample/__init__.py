"""A slide that the package draws itself: H&E-like, with a known truth."""

from napari_crlm_spa.core.sample.dyes import Dyes
from napari_crlm_spa.core.sample.encapsulated import (
    CapsuleOptions,
    encapsulated_layout,
    encapsulated_pct,
)
from napari_crlm_spa.core.sample.layout import sample_truth, truth_on_grid
from napari_crlm_spa.core.sample.slide import (
    SAMPLE_MPP,
    SAMPLE_NAME,
    SAMPLE_SEED,
    draw_region,
    write_sample_slide,
)
from napari_crlm_spa.core.sample.style import Style
from napari_crlm_spa.core.sample.textures import draw_tile
from napari_crlm_spa.core.sample.training_tiles import write_drawn_tiles

__all__ = [
    "SAMPLE_MPP",
    "SAMPLE_NAME",
    "SAMPLE_SEED",
    "CapsuleOptions",
    "Dyes",
    "Style",
    "draw_region",
    "draw_tile",
    "encapsulated_layout",
    "encapsulated_pct",
    "sample_truth",
    "truth_on_grid",
    "write_drawn_tiles",
    "write_sample_slide",
]
