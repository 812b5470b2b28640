import dataclasses

import numpy as np
import openslide
import pytest

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.sample import (
    SAMPLE_NAME,
    Dyes,
    Style,
    draw_region,
    draw_tile,
    truth_on_grid,
    write_sample_slide,
)
from napari_crlm_spa.core.sample.layout import HEIGHT_UM, SAMPLE, WIDTH_UM
from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.core.tiles import (
    TileState,
    TilingOptions,
    blank_fraction,
    plan_tiles,
    read_tile,
)
from napari_crlm_spa.errors import StoreError


def test_our_reader_knows_its_size_and_resolution(sample_path):
    with open_slide(sample_path) as slide:
        assert slide.info.known_pixel_size().mpp == pytest.approx(0.5)
        assert slide.info.width_px * 0.5 == WIDTH_UM
        assert slide.info.height_px * 0.5 == HEIGHT_UM
        assert [level.downsample for level in slide.info.levels] == [1, 2, 4, 8, 16]


def test_openslide_reads_it_as_a_pyramid(sample_path):
    with openslide.OpenSlide(sample_path) as slide:
        assert slide.level_count == 5
        assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(0.5)


def test_it_is_small_enough_to_travel(sample_path):
    assert sample_path.stat().st_size < 20e6


def test_the_file_shows_what_was_drawn_across_block_borders(sample_path):
    with open_slide(sample_path) as slide:
        stored = slide.read_level(0, 5000, 1900, 300, 300).astype(int)
    drawn = draw_region(5000, 1900, 300, 300).astype(int)
    assert np.abs(stored - drawn).mean() < 7
    seam = np.abs(np.diff(drawn.mean(axis=2), axis=1)).mean()
    assert np.abs(stored.mean(axis=2) - drawn.mean(axis=2)).mean() < seam


def test_a_smaller_level_is_the_mean_of_the_larger(sample_path):
    with open_slide(sample_path) as slide:
        large = slide.read_level(0, 3000, 3000, 400, 400).astype(float)
        small = slide.read_level(1, 1500, 1500, 200, 200).astype(float)
    means = large.reshape(200, 2, 200, 2, 3).mean(axis=(1, 3))
    assert np.abs(means.mean(axis=2) - small.mean(axis=2)).mean() < 6
    assert np.corrcoef(means.ravel(), small.ravel())[0, 1] > 0.95


def test_tiles_in_one_tissue_look_like_that_tissue(sample_path):
    with open_slide(sample_path) as slide:
        plan = plan_tiles(slide, TilingOptions())
        codes, pure = truth_on_grid(plan)
        for name in CRLM7.names:
            at = np.argwhere(pure & (codes == CRLM7.code(name)))[::6]
            seen = np.mean([read_tile(slide, plan, *place) for place in at], axis=(0, 1, 2))
            own = [
                draw_tile(name, np.random.default_rng(k), dyes=Dyes.standard(), style=Style())
                for k in range(15)
            ]
            assert np.abs(seen - np.mean(own, axis=(0, 1, 2))).max() < 15, name


def test_tissue_is_planned_and_glass_is_not(sample_path):
    options = TilingOptions()
    with open_slide(sample_path) as slide:
        plan = plan_tiles(slide, options)
        codes, pure = truth_on_grid(plan)
        glass = codes == CRLM7.code("BACK")
        assert np.all(plan.state[pure & ~glass] == TileState.PENDING)
        assert (plan.state[pure & glass] == TileState.PENDING).mean() < 0.1
        mucus = np.argwhere(pure & (codes == CRLM7.code("MUC")))
        tiles = np.stack([read_tile(slide, plan, *place) for place in mucus])
        assert blank_fraction(tiles, options).max() < options.blank_max


def test_the_same_seed_draws_the_same_and_another_draws_other_cells():
    first = draw_region(4000, 3000, 64, 64)
    np.testing.assert_array_equal(first, draw_region(4000, 3000, 64, 64))
    assert not np.array_equal(first, draw_region(4000, 3000, 64, 64, seed=1))


def test_a_cancelled_drawing_leaves_nothing(tmp_path):
    work = write_sample_slide(tmp_path / SAMPLE_NAME)
    next(work)
    work.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_said_in_a_sentence(tmp_path):
    small = dataclasses.replace(SAMPLE, width_um=256.0, height_um=256.0)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="could not be written"):
        list(write_sample_slide(tmp_path / "file" / SAMPLE_NAME, layout=small))
