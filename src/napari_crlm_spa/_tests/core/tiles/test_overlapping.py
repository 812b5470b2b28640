import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_crlm_spa.core.slide import ArraySlide
from napari_crlm_spa.core.tiles import TileState, overlapping_grid, read_tile

MPP, TILE_PX = 0.5, 32


@pytest.fixture(scope="module")
def ramps():
    """A slide whose red says the column and whose green says the row of each pixel."""
    rows, cols = np.mgrid[:200, :240].astype(np.uint8)
    with ArraySlide([np.stack([cols, rows, np.full_like(rows, 90)], axis=-1)], mpp=MPP) as slide:
        yield slide


def fine(slide, step_um, rows=25, cols=30):
    state = np.full((rows, cols), TileState.PENDING, np.uint8)
    return overlapping_grid(state, slide.info, tile_px=TILE_PX, mpp=MPP, step_um=step_um)


@given(row=st.integers(4, 20), col=st.integers(4, 24))
def test_a_tile_lies_about_the_center_of_its_cell(ramps, row, col):
    grid = fine(ramps, 4.0)
    tile = read_tile(ramps, grid, row, col).astype(float)
    assert tile.shape == (TILE_PX, TILE_PX, 3)
    # Pixel centers lie half a pixel after their number.
    center_um = (tile[..., :2].mean(axis=(0, 1)) + 0.5) * MPP
    assert center_um == pytest.approx([(col + 0.5) * 4.0, (row + 0.5) * 4.0])


def test_a_tile_keeps_its_size_whatever_the_step(ramps):
    for step_um in (4.0, 7.0, 16.0):
        grid = fine(ramps, step_um)
        assert grid.stride_um == step_um
        assert grid.tile_um == TILE_PX * MPP


def test_what_lies_beyond_the_slide_is_white_and_marked(ramps):
    grid = fine(ramps, 4.0)
    corner = read_tile(ramps, grid, 0, 0)
    # The tile begins 6 µm, that is 12 pixels, before the slide in both directions.
    assert (corner[:12] == 255).all() and (corner[:, :12] == 255).all()
    assert corner[12, 12].tolist() == [0, 0, 90]
    assert grid.edge[0].all() and grid.edge[-1].all() and grid.edge[:, -1].all()
    assert not grid.edge[4:-4, 4:-4].any()


def test_steps_of_a_tile_side_give_the_plain_grid(ramps):
    grid = fine(ramps, TILE_PX * MPP, rows=6, cols=7)
    assert grid.corner_um(2, 3) == (48.0, 32.0)
    assert not grid.edge[:6, :7].any()
