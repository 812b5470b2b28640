"""What is drawn: the map's edge lies on the tissue's edge at every zoom, in real pixels."""

import numpy as np
import pytest

from napari_crlm_spa._tests.drawn_slides import stretched
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.slide import ArraySlide
from napari_crlm_spa.core.slide.pyramid import SlidePyramid
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.plugin.layers import slide_layer, tissue_map_layer
from napari_crlm_spa.plugin.viewer_look import add_layer, camera_of, dress_viewer, scale_bar_of

MPP, STRIDE_UM = 0.5, 112.0
#: The dark block covers rows 5 and 6 and columns 6 to 8 of the grid.
ROWS, COLS, BLOCK = 12, 16, (slice(5, 7), slice(6, 9))


def odd_slide():
    """A dark block exactly under some tiles, with levels 4 and 16.3 times smaller."""
    side = round(STRIDE_UM / MPP)
    base = np.full((ROWS * side - 3, COLS * side - 5, 3), 255, np.uint8)
    rows, cols = BLOCK
    base[rows.start * side : rows.stop * side, cols.start * side : cols.stop * side] = 0
    height, width = base.shape[:2]
    sizes = [(width // 4, height // 4), (round(width / 16.3), round(height / 16.3))]
    return ArraySlide([base, *(stretched(base, *size) for size in sizes)], mpp=MPP, path="odd.svs")


def described_slide():
    slide = odd_slide()
    return slide_layer(SlidePyramid(slide).levels, slide.info)


def block_map():
    classes = np.zeros((ROWS, COLS), np.uint8)
    classes[BLOCK] = CRLM7.code("TUM")
    nothing = np.zeros((ROWS, COLS), np.uint8)
    return TissueMap(
        classes,
        np.zeros((ROWS, COLS, len(CRLM7)), np.float16),
        np.full((ROWS, COLS), np.nan, np.float16),
        nothing,
        nothing.astype(bool),
        STRIDE_UM,
        (0.0, 0.0),
        CRLM7,
    )


def box_of(shown):
    """First and last row and column of what is shown, in screen pixels."""
    rows, cols = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    return np.array([rows[0], rows[-1] + 1, cols[0], cols[-1] + 1])


@pytest.mark.parametrize(("zoom", "level"), [(1.5, 0), (0.3, 1), (0.05, 2)])
def test_the_map_covers_the_tissue_to_a_screen_pixel(make_napari_viewer, zoom, level):
    viewer = make_napari_viewer(show=True)
    image = add_layer(viewer, described_slide())
    labels = add_layer(viewer, tissue_map_layer(block_map(), "id", "odd"))
    labels.opacity = 1.0
    dress_viewer(viewer)
    # White as well where napari cannot set the canvas's color alone (before 0.9).
    viewer.theme = "light"
    scale_bar_of(viewer).visible = False
    camera_of(viewer).zoom = zoom
    camera_of(viewer).center = (0, 6 * STRIDE_UM, 7.5 * STRIDE_UM)
    labels.visible = False
    tissue = viewer.screenshot(flash=False)[..., :3].max(axis=-1) < 128
    image.visible, labels.visible = False, True
    painted = viewer.screenshot(flash=False)[..., 1] < 128
    assert image.data_level == level
    assert np.abs(box_of(tissue) - box_of(painted)).max() <= 1
    top, bottom, left, right = box_of(painted)
    assert bottom - top == pytest.approx(2 * STRIDE_UM * zoom, abs=1)
    assert right - left == pytest.approx(3 * STRIDE_UM * zoom, abs=1)
