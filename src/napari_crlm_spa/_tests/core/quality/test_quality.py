"""Quality marks on a drawn slide whose faults are known, and on real slides."""

import dataclasses

import numpy as np
import pytest

from napari_crlm_spa._tests.core.quality.drawn_faults import (
    COLS,
    MPP,
    SHAPE,
    TILE_PX,
    TISSUES,
    as_map,
    blurred,
    blurred_left,
    cut,
    drawn_tiles,
    folded,
    joined,
    marks_of,
    to_end,
)
from napari_crlm_spa._tests.real_data import SHARED, real_data
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.quality import QualityMark, QualityOptions, mark_quality
from napari_crlm_spa.core.quality.pixels import is_ink, optical_density
from napari_crlm_spa.core.slide import ArraySlide, open_slide
from napari_crlm_spa.errors import CrlmSpaError, UnreadableSlide


@pytest.fixture(scope="module")
def drawn():
    return drawn_tiles()


@pytest.fixture(scope="module")
def clean(drawn):
    """The quality of the slide without any fault."""
    return marks_of(*drawn)


def with_fault(drawn, where, fault):
    tiles, codes = drawn[0].copy(), drawn[1]
    for row, col in np.argwhere(where):
        tiles[row, col] = fault(tiles[row, col])
    return tiles, codes


def the_left(n_cols):
    where = np.zeros(SHAPE, bool)
    where[:, :n_cols] = True
    return where


def rates(quality, codes, mark, where):
    """Share of tiles with a mark by class, where and elsewhere."""
    here = {}
    for name in TISSUES:
        own = codes == CRLM7.code(name)
        has = quality.has(mark)
        here[name] = (has[own & where].mean(), has[own & ~where].mean())
    return here


# -- blur ---------------------------------------------------------------------------------


def test_a_clean_slide_has_no_marks_also_not_in_stroma_and_mucus(clean, drawn):
    assert clean.measured.all()
    for mark in (QualityMark.BLUR, QualityMark.PEN, QualityMark.FOLD):
        assert clean.counts()[mark] == 0, mark


@pytest.mark.parametrize("sigma_um", [1.5, 2.5])
def test_the_blurred_part_of_every_class_is_found_and_nothing_else(drawn, sigma_um):
    where = the_left(2)
    quality = marks_of(blurred_left(drawn[0], 2, sigma_um), drawn[1])
    for name, (found, false) in rates(quality, drawn[1], QualityMark.BLUR, where).items():
        assert found >= 0.9, name
        assert false == 0, name


def test_a_third_of_a_class_out_of_focus_does_not_hide_itself(drawn):
    where = the_left(2)
    quality = marks_of(blurred_left(drawn[0], 2, 1.5), drawn[1])
    for name, (found, _) in rates(quality, drawn[1], QualityMark.BLUR, where).items():
        assert found >= 0.9, name


def test_faint_staining_is_no_blur(drawn):
    where = the_left(3)
    quality = marks_of(*with_fault(drawn, where, lambda tile: 255 - (255 - tile) // 2))
    assert not quality.has(QualityMark.BLUR).any()


def test_a_slide_out_of_focus_as_a_whole_shows_in_the_median_only(drawn, clean):
    quality = marks_of(blurred_left(drawn[0], COLS, 1.5), drawn[1])
    assert not quality.has(QualityMark.BLUR).any()
    assert quality.median_sharpness < clean.median_sharpness - 0.5
    assert "out of focus" in quality.notes[0]
    assert clean.notes == []


def test_blur_is_not_judged_on_a_slide_that_is_too_coarse(drawn):
    tiles = drawn[0][:, :, ::4, ::4]
    picture = tiles.swapaxes(1, 2).reshape(SHAPE[0] * 56, SHAPE[1] * 56, 3)
    with ArraySlide(np.ascontiguousarray(picture), mpp=2.0) as slide:
        quality = to_end(mark_quality(slide, as_map(drawn[1])))
    assert np.isnan(quality.sharpness).all()
    assert not quality.has(QualityMark.BLUR).any()
    assert "coarser than 1 µm/px" in quality.notes[0]


def test_a_class_of_few_tiles_is_compared_with_the_whole_slide(drawn):
    few = drawn[1].copy()
    few[few == CRLM7.code("DEB")] = CRLM7.code("HEP")
    few[0, :4] = CRLM7.code("DEB")
    quality = marks_of(blurred_left(drawn[0], 2, 2.0), few)
    assert quality.has(QualityMark.BLUR)[0, :4].tolist() == [True, True, False, False]
    assert np.isnan(quality.fold[0, :4]).all()
    assert "DEB" not in quality.medians


# -- pen ----------------------------------------------------------------------------------


@pytest.mark.parametrize("ink", [(30, 65, 130), (10, 90, 60), (25, 25, 28), (200, 15, 20)], ids=str)
def test_a_stroke_of_a_pen_is_found_in_every_tissue(drawn, ink):
    def stroke(tile):
        tile = tile.copy()
        tile[100:140] = (tile[100:140] / 255 * np.array(ink)).astype(np.uint8)
        return tile

    where = the_left(2)
    quality = marks_of(*with_fault(drawn, where, stroke))
    assert np.array_equal(quality.has(QualityMark.PEN), where)
    # 40 of 224 rows; its borders and, under blue ink, the reddest tissue are not seen as ink.
    assert 0.5 * 40 / 224 < np.median(quality.pen[where]) < 1.05 * 40 / 224


@pytest.mark.parametrize(
    "color",
    [(92, 40, 120), (230, 150, 190), (150, 20, 60), (60, 30, 100), (190, 60, 60), (215, 220, 235)],
    ids=["hematoxylin", "eosin", "deep eosin", "dense nuclei", "blood", "mucus"],
)
def test_colors_of_tissue_are_no_ink(color):
    pixels = np.full((1, 1, 3), color, np.float32)
    assert not is_ink(optical_density(pixels)).any()


# -- folds and air ------------------------------------------------------------------------


def test_tissue_that_lies_double_is_found_but_no_dark_class(drawn):
    """Other tissues are so uneven by themselves that a fold may pass: none is promised."""
    where = the_left(1)
    quality = marks_of(*with_fault(drawn, where, lambda tile: folded(tile, tile[::-1])))
    found = rates(quality, drawn[1], QualityMark.FOLD, where)
    for name, share in (("HEP", 0.9), ("LYM", 0.9), ("STR", 0.5), ("TUM", 0.3)):
        assert found[name][0] >= share, name
    assert all(false == 0 for _, false in found.values())


def test_dark_nuclei_are_no_fold(drawn):
    """Lymphocytes that the classifier took for liver absorb red, but not blue, as a fold would."""
    codes = drawn[1].copy()
    lymph = codes == CRLM7.code("LYM")
    stray = lymph & the_left(1)
    codes[stray] = CRLM7.code("HEP")
    assert not marks_of(drawn[0], codes).has(QualityMark.FOLD)[stray].any()


def test_air_is_the_share_of_holes(drawn):
    def hole(tile):
        tile = tile.copy()
        tile[:, :112] = 244
        return tile

    where = the_left(2)
    quality = marks_of(*with_fault(drawn, where, hole))
    assert quality.has(QualityMark.AIR)[where].all()
    assert not quality.has(QualityMark.AIR)[~where].any()
    assert (quality.air[where] >= 0.5).all()


def test_white_beyond_the_slide_is_no_air(drawn):
    def hole(tile):
        return np.full_like(tile, 255)

    tiles, codes = with_fault(drawn, the_left(1), hole)
    tissue_map = dataclasses.replace(as_map(codes), edge=the_left(1))
    with ArraySlide(joined(tiles), mpp=MPP) as slide:
        quality = to_end(mark_quality(slide, tissue_map))
    assert not quality.has(QualityMark.AIR).any()


def test_background_is_judged_for_ink_only(drawn):
    codes = np.full(SHAPE, CRLM7.code("BACK"), np.uint8)
    tiles = np.full_like(drawn[0], 244)
    tiles[3, 3] = (20, 40, 130)
    quality = marks_of(tiles, codes)
    assert quality.counts() == {
        QualityMark.BLUR: 0,
        QualityMark.PEN: 1,
        QualityMark.FOLD: 0,
        QualityMark.AIR: 0,
    }


# -- the measuring ------------------------------------------------------------------------


def test_tiles_measured_in_blocks_are_those_measured_alone(drawn, clean):
    """But for what lies across the seam: the filters reach a few micrometers."""
    for row, col in ((0, 0), (9, 5), (23, 3)):
        here = (slice(row, row + 1), slice(col, col + 1))
        alone = marks_of(drawn[0][here], drawn[1][here])
        assert alone.pen[0, 0] == clean.pen[row, col]
        assert alone.air[0, 0] == pytest.approx(clean.air[row, col], abs=0.02)
        assert alone.sharpness[0, 0] == pytest.approx(clean.sharpness[row, col], abs=0.03)


def test_only_classified_tiles_are_measured(drawn):
    codes = drawn[1].copy()
    codes[5:9, 2:7] = 0
    quality = marks_of(drawn[0], codes)
    assert np.array_equal(quality.measured, codes > 0)
    assert not quality.marks[codes == 0].any()


def test_a_shifted_grid_is_measured_where_it_lies(drawn):
    tiles, codes = with_fault(drawn, the_left(1), lambda tile: np.full_like(tile, 20))
    picture = np.pad(joined(tiles), ((70, 0), (46, 0), (0, 0)), mode="edge")
    tissue_map = dataclasses.replace(as_map(codes), origin_um=(46 * MPP, 70 * MPP))
    with ArraySlide(picture, mpp=MPP) as slide:
        quality = to_end(mark_quality(slide, tissue_map))
    assert np.array_equal(quality.has(QualityMark.PEN), the_left(1))


def test_the_limits_are_options(drawn):
    faulty = blurred_left(drawn[0], 2, 1.5)
    assert marks_of(faulty, drawn[1]).has(QualityMark.BLUR).any()
    assert not marks_of(faulty, drawn[1], QualityOptions(blur_loss=3.0)).has(QualityMark.BLUR).any()
    with pytest.raises(CrlmSpaError, match="blur_deviations"):
        QualityOptions(blur_deviations=0)


class TornSlide(ArraySlide):
    """A slide whose file is damaged at one place."""

    def read_level(self, level, x_px, y_px, width_px, height_px):
        if x_px <= 5 * TILE_PX + 9 < x_px + width_px and y_px <= 5 * TILE_PX + 9 < y_px + height_px:
            raise UnreadableSlide("damaged there")
        return super().read_level(level, x_px, y_px, width_px, height_px)


def test_a_damaged_tile_does_not_take_its_neighbors_with_it(drawn):
    with TornSlide(joined(drawn[0]), mpp=MPP) as slide:
        quality = to_end(mark_quality(slide, as_map(drawn[1])))
    lost = np.argwhere(~quality.measured)
    # The filter of the reduction reaches over a tile's border, so a neighbor may go, too.
    assert [5, 5] in lost.tolist()
    assert len(lost) <= 4


def test_progress_counts_every_tile_and_closing_stops(drawn):
    with ArraySlide(joined(drawn[0]), mpp=MPP) as slide:
        steps = list(mark_quality(slide, as_map(drawn[1])))
        assert all(isinstance(step, Progress) for step in steps)
        assert steps[-1].done == steps[-1].total == SHAPE[0] * SHAPE[1]
        work = mark_quality(slide, as_map(drawn[1]))
        next(work)
        work.close()
        assert list(work) == []


def test_one_thread_finds_what_four_find(drawn, clean):
    alone = marks_of(*drawn, QualityOptions(threads=1))
    for name in ("marks", "sharpness", "pen", "fold", "air"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(clean, name))


def test_marks_have_names():
    assert (QualityMark.BLUR | QualityMark.AIR).title == "blur air"


# -- real slides --------------------------------------------------------------------------


@real_data
def test_a_blurred_part_of_a_real_liver_is_found():
    """Half of a piece of liver is blurred; the other half keeps its focus."""
    rows, cols = 12, 8
    with open_slide(SHARED / "slides" / "liver-metastasis.tif") as slide:
        sharp = slide.read_level(0, 12_000, 4_000, cols * TILE_PX, rows * TILE_PX)
    part = sharp.copy()
    part[: 4 * TILE_PX] = blurred(part[: 4 * TILE_PX], 1.5)
    codes = np.full((rows, cols), CRLM7.code("HEP"), np.uint8)
    before, after = (marks_of(cut(pixels), codes) for pixels in (sharp, part))
    assert not before.has(QualityMark.BLUR).any()
    assert after.has(QualityMark.BLUR)[:4].all()
    assert not after.has(QualityMark.BLUR)[4:].any()


@real_data
def test_the_ink_on_a_lymph_node_is_found_and_no_ink_on_a_liver():
    """The cut's margin of that lymph node was painted black."""
    with open_slide(SHARED / "slides" / "lymph-node.tif") as slide:
        pixels = slide.read_level(0, 9_800, 2_900, 4 * TILE_PX, 4 * TILE_PX)
    inked = marks_of(cut(pixels), np.full((4, 4), CRLM7.code("STR"), np.uint8))
    assert inked.counts()[QualityMark.PEN] >= 4
    with open_slide(SHARED / "slides" / "liver-metastasis.tif") as slide:
        pixels = slide.read_level(0, 12_000, 4_000, 8 * TILE_PX, 8 * TILE_PX)
    clean = marks_of(cut(pixels), np.full((8, 8), CRLM7.code("HEP"), np.uint8))
    assert clean.counts()[QualityMark.PEN] == 0
