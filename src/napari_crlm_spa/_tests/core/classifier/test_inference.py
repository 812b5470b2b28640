"""Classifying tiles: the right tile gets the right score, bounded, cancellable, resumable."""

import dataclasses
import threading
from contextlib import closing

import numpy as np
import pytest

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.card import ModelCard
from napari_crlm_spa.core.classifier.groups import MOST_LOOKED_AT
from napari_crlm_spa.core.classifier.inference import (
    GROUP_TILES,
    MAX_UNREADABLE_AT_START,
    ClassifyOptions,
    classify_tiles,
)
from napari_crlm_spa.core.classifier.protocol import TilePredictions
from napari_crlm_spa.core.slide import ArraySlide
from napari_crlm_spa.core.stain import StainNormalizer, StainOptions
from napari_crlm_spa.core.tiles import TileGrid, TileState, TilingOptions, plan_tiles
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import UnreadableSlide

PX = 32
TILING = TilingOptions(tile_px=PX, mpp=0.5, mask_mpp=2.0)
UNCHANGED = StainNormalizer(StainOptions(method="none"))
#: One color per class; no two are close, none is blank.
PALETTE = np.array(
    [[90, 90, 90], [30, 30, 60], [190, 90, 90], [60, 40, 150], [120, 170, 200], [200, 120, 180],
     [110, 30, 110]], np.uint8
)  # fmt: skip


class NearestColor:
    """A classifier with a known answer: the class whose color is nearest."""

    card = ModelCard(
        name="nearest", scheme_name="crlm7", classes=CRLM7.names, tile_px=PX, input_px=PX
    )

    def __init__(self, batch_size=16):
        self.batch_size = batch_size
        self.batches = []

    def predict(self, tiles):
        self.batches.append(len(tiles))
        mean = tiles.reshape(len(tiles), -1, 3).mean(axis=1)
        nearest = np.linalg.norm(mean[:, None] - PALETTE[None].astype(float), axis=2).argmin(axis=1)
        strangeness = mean[:, 0].astype(np.float32) / 128
        return TilePredictions(np.eye(7, dtype=np.float32)[nearest], strangeness)


def checkered(rows=9, cols=13, seed=0):
    """Codes 0 (white glass) to 7 at random, and a slide painted accordingly."""
    codes = np.random.default_rng(seed).integers(0, 8, (rows, cols)).astype(np.uint8)
    colors = np.concatenate([[[255, 255, 255]], PALETTE]).astype(np.uint8)
    pixels = colors[codes].repeat(PX, axis=0).repeat(PX, axis=1)
    return codes, ArraySlide(pixels, mpp=0.5)


def run(slide, classifier, grid=None, readers=2):
    grid = grid or plan_tiles(slide, TILING)
    tissue_map = TissueMap.empty(grid, CRLM7)
    for scores in classify_tiles(slide, grid, classifier, UNCHANGED, TILING, readers):
        tissue_map.add(scores)
    return tissue_map


@pytest.mark.parametrize("batch_size", [1, 5, 16, 1000])
@pytest.mark.parametrize("readers", [1, 3])
def test_every_tile_gets_the_class_of_its_own_color(batch_size, readers):
    codes, slide = checkered()
    tissue_map = run(slide, NearestColor(batch_size), readers=readers)
    np.testing.assert_array_equal(tissue_map.classes, codes)
    assert tissue_map.done.all()


def test_every_tile_keeps_its_own_strangeness_and_glass_has_none():
    codes, slide = checkered()
    tissue_map = run(slide, NearestColor(batch_size=5), readers=3)
    expected = np.concatenate([[np.nan], PALETTE[:, 0] / 128]).astype(np.float16)
    np.testing.assert_array_equal(tissue_map.strangeness, expected[codes])


def test_glass_never_reaches_the_network():
    codes, slide = checkered()
    classifier = NearestColor()
    run(slide, classifier)
    assert sum(classifier.batches) == np.count_nonzero(codes)


@pytest.mark.parametrize("batch_size", [1, 5, 12, 16])
def test_glass_between_the_tiles_leaves_no_batch_half_empty(batch_size):
    codes, slide = checkered(rows=20, cols=20)
    pending = np.full(codes.shape, TileState.PENDING, np.uint8)
    classifier = NearestColor(batch_size)
    tissue_map = run(slide, classifier, TileGrid(pending, pending == 0, PX, 0.5))
    np.testing.assert_array_equal(tissue_map.classes, codes)
    assert set(classifier.batches[:-1]) == {batch_size}
    assert (tissue_map.state[codes == 0] == TileState.BLANK).all()


def test_a_tile_more_than_half_blank_is_removed_and_one_less_than_half_is_kept():
    pixels = np.full((PX, 2 * PX, 3), 255, np.uint8)
    pixels[:, :15] = pixels[:, PX : PX + 17] = PALETTE[6]
    tissue_map = run(ArraySlide(pixels, mpp=0.5), NearestColor())
    assert tissue_map.state.tolist() == [[TileState.BLANK, TileState.CLASSIFIED]]
    assert tissue_map.classes[0, 0] == 0
    assert not tissue_map.probabilities[0, 0].any()


def test_only_pending_tiles_are_read():
    codes, slide = checkered()
    grid = plan_tiles(slide, TILING)
    state = grid.state.copy()
    state[:4] = TileState.CLASSIFIED
    classifier = NearestColor()
    run(slide, classifier, dataclasses.replace(grid, state=state))
    assert sum(classifier.batches) == np.count_nonzero(codes[4:])


def test_closing_the_generator_ends_within_one_batch_and_leaves_no_thread():
    _, slide = checkered(rows=40, cols=40)
    classifier = NearestColor(batch_size=GROUP_TILES)
    before = threading.active_count()
    work = classify_tiles(slide, plan_tiles(slide, TILING), classifier, UNCHANGED, TILING, 3)
    with closing(work):
        next(work)
        seen = len(classifier.batches)
    assert len(classifier.batches) == seen
    assert threading.active_count() == before


def test_a_long_stretch_of_blank_tiles_is_reported_on_the_way():
    slide = ArraySlide(np.full((20 * PX, 20 * PX, 3), 255, np.uint8), mpp=0.5)
    pending = np.full((20, 20), TileState.PENDING, np.uint8)
    grid = TileGrid(pending, np.zeros(pending.shape, bool), PX, 0.5)
    reports = list(classify_tiles(slide, grid, NearestColor(16), UNCHANGED, TILING))
    assert max(len(scores) for scores in reports) <= MOST_LOOKED_AT * 16 + GROUP_TILES
    assert sum(len(scores) for scores in reports) == pending.size


class CountingSlide(ArraySlide):
    """Counts how often it was read."""

    reads = 0
    lock = threading.Lock()

    def read_level(self, *args):
        with self.lock:
            self.reads += 1
        return super().read_level(*args)


def test_readers_stay_a_bounded_number_of_groups_ahead():
    _, plain = checkered(rows=60, cols=40)
    slide = CountingSlide(plain.read_level(0, 0, 0, 40 * PX, 60 * PX), mpp=0.5)
    grid = plan_tiles(slide, TILING)
    slide.reads = 0
    classifier, readers = NearestColor(batch_size=16), 2
    with closing(classify_tiles(slide, grid, classifier, UNCHANGED, TILING, readers)) as work:
        next(work)
        groups_ahead = 2 * readers + 16 // GROUP_TILES
        consumed = 16 + 2 * GROUP_TILES
    assert slide.reads <= consumed + (groups_ahead + 1) * GROUP_TILES


class DamagedSlide(ArraySlide):
    """Cannot be read below a row of pixels."""

    damaged_from_px = 0

    def read_level(self, level, x_px, y_px, width_px, height_px):
        if y_px >= self.damaged_from_px:
            raise UnreadableSlide("memory is damaged there.")
        return super().read_level(level, x_px, y_px, width_px, height_px)


def test_single_damaged_tiles_are_marked_and_the_rest_is_classified():
    codes, plain = checkered()
    grid = plan_tiles(plain, TILING)
    slide = DamagedSlide(plain.read_level(0, 0, 0, 13 * PX, 9 * PX), mpp=0.5)
    slide.damaged_from_px = 8 * PX
    tissue_map = run(slide, NearestColor(), grid)
    np.testing.assert_array_equal(tissue_map.classes[:8], codes[:8])
    tissue = codes[8] > 0
    assert (tissue_map.state[8][tissue] == TileState.UNREADABLE).all()
    assert not tissue_map.classes[8].any()


def test_a_slide_that_delivers_nothing_ends_the_run_early():
    _, plain = checkered(rows=30, cols=30)
    grid = plan_tiles(plain, TILING)
    slide = DamagedSlide(plain.read_level(0, 0, 0, 30 * PX, 30 * PX), mpp=0.5)
    with pytest.raises(UnreadableSlide, match="damaged"):
        run(slide, NearestColor(batch_size=MAX_UNREADABLE_AT_START), grid)


def test_a_run_that_is_resumed_in_a_damaged_part_goes_on():
    codes, plain = checkered(rows=30, cols=30)
    grid = plan_tiles(plain, TILING)
    slide = DamagedSlide(plain.read_level(0, 0, 0, 30 * PX, 30 * PX), mpp=0.5)
    slide.damaged_from_px = 10 * PX
    state = grid.state.copy()
    state[:10] = TileState.CLASSIFIED
    tissue_map = run(slide, NearestColor(), dataclasses.replace(grid, state=state))
    assert (tissue_map.state[10:][codes[10:] > 0] == TileState.UNREADABLE).all()


def test_reader_threads_are_at_least_one_and_as_many_as_asked():
    assert ClassifyOptions().reader_threads >= 1
    assert ClassifyOptions(readers=5).reader_threads == 5
