import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa._tests.drawn_slides import MARKS_UM, halved, marks_picture, noise_picture
from napari_crlm_spa.core.slide import ArraySlide, SlidePyramid, open_slide
from napari_crlm_spa.errors import UnreadableSlide

HEIGHT, WIDTH, TILE = 170, 210, 64
PICTURE = noise_picture(WIDTH, HEIGHT)


class CountingSlide(ArraySlide):
    """Remembers what was read."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.reads = []

    def read_level(self, level, x_px, y_px, width_px, height_px):
        self.reads.append((level, x_px, y_px, width_px, height_px))
        return super().read_level(level, x_px, y_px, width_px, height_px)


def axis_index(length):
    bounds = st.none() | st.integers(-2 * length, 2 * length)
    steps = st.none() | st.integers(-70, 70).filter(bool)
    return st.integers(-length, length - 1) | st.builds(slice, bounds, bounds, steps)


@settings(max_examples=300)
@given(
    st.tuples(axis_index(HEIGHT), axis_index(WIDTH), axis_index(3)),
    st.integers(0, 3),
    st.booleans(),
)
def test_any_index_gives_what_an_array_in_memory_gives(key, n_axes, ellipsis):
    key = (*key[:n_axes], ...) if ellipsis else key[:n_axes]
    pyramid = SlidePyramid(ArraySlide(PICTURE), tile_px=TILE)
    found, expected = pyramid.levels[0][key], PICTURE[key]
    assert np.shape(found) == expected.shape
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("key", [([1, 2],), (0, 0, 0, 0), (HEIGHT,), (0, -WIDTH - 1), ("x",)])
def test_other_indices_are_errors_as_of_an_array(key):
    with pytest.raises(IndexError):
        SlidePyramid(ArraySlide(PICTURE)).levels[0][key]


def test_a_level_has_what_napari_asks_of_an_array():
    level = SlidePyramid(ArraySlide(PICTURE), tile_px=TILE).levels[0]
    assert (level.shape, level.ndim, level.dtype) == (PICTURE.shape, 3, np.uint8)
    assert (level.size, level.nbytes, len(level)) == (PICTURE.size, PICTURE.nbytes, HEIGHT)
    assert level.chunks == (TILE, TILE, 3)
    assert np.array_equal(np.asarray(level), PICTURE)
    assert np.asarray(level, dtype=float).dtype == float
    with pytest.raises(ValueError, match="copy"):
        np.asarray(level, copy=False)


def test_looking_twice_reads_once():
    slide = CountingSlide(PICTURE)
    level = SlidePyramid(slide, tile_px=TILE).levels[0]
    level[0:100, 0:100]
    assert sorted(slide.reads) == [(0, x, y, TILE, TILE) for x in (0, TILE) for y in (0, TILE)]
    level[10:120, 20:127]
    assert len(slide.reads) == 4


def test_only_the_tiles_in_view_are_read():
    slide = CountingSlide(PICTURE)
    SlidePyramid(slide, tile_px=TILE).levels[0][70:80, 70:80]
    assert slide.reads == [(0, TILE, TILE, TILE, TILE)]


def test_tiles_kept_stay_within_the_budget():
    slide = ArraySlide(noise_picture(2000, 1500))
    pyramid = SlidePyramid(slide, tile_px=128, cache_mb=2)
    for level in pyramid.levels:
        np.asarray(level)
    kept = pyramid._read_tiles.nbytes + pyramid._computed_tiles.nbytes
    assert 1.2e6 < kept <= 2 * 1024**2


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        # A coarsest level that can be drawn at once needs no more.
        ([(2000, 1500)], [(2000, 1500)]),
        ([(4000, 3000)], [(4000, 3000), (2000, 1500)]),
        ([(4097, 3001)], [(4097, 3001), (1025, 751)]),
        # Levels too far apart get one in between; four times is not too far.
        ([(3200, 1600), (200, 100)], [(3200, 1600), (800, 400), (200, 100)]),
        ([(3200, 1600), (800, 400), (200, 100)], [(3200, 1600), (800, 400), (200, 100)]),
        # napari wants each level smaller than the one before.
        ([(800, 600), (800, 600), (400, 300)], [(800, 600), (400, 300)]),
    ],
)
def test_levels_are_added_where_the_file_lacks_them(shapes, expected):
    levels = [np.zeros((height, width, 3), np.uint8) for width, height in shapes]
    pyramid = SlidePyramid(ArraySlide(levels))
    assert [level.shape[1::-1] for level in pyramid.levels] == expected


def test_an_added_level_is_the_average_of_the_finer_one():
    base = noise_picture(2600, 1301)
    pyramid = SlidePyramid(ArraySlide(base), tile_px=256)
    added = np.asarray(pyramid.levels[1])
    assert added.shape == (651, 1300, 3)
    assert np.array_equal(added[:650], halved(base))
    assert np.array_equal(pyramid.levels[1][300:400, 500:777], added[300:400, 500:777])


def test_computing_an_added_level_keeps_the_tiles_in_view():
    slide = CountingSlide(noise_picture(2600, 2600))
    pyramid = SlidePyramid(slide, tile_px=256, cache_mb=4)
    pyramid.levels[0][:256, :512]
    np.asarray(pyramid.levels[1])
    slide.reads.clear()
    pyramid.levels[0][:256, :512]
    np.asarray(pyramid.levels[1][:256, :256])
    assert not [read for read in slide.reads if read[2] == 0 and read[1] < 512]


def test_marks_lie_on_the_same_place_at_every_level():
    """napari stretches each level over level 0: the marks stay within a pixel of theirs."""
    base = marks_picture(0.12)  # 2133 x 1600
    pyramid = SlidePyramid(ArraySlide(base, mpp=0.12), tile_px=512)
    assert len(pyramid.levels) > 1
    for level in pyramid.levels:
        um_per_px = 256.0 / level.shape[1]
        for x_um, y_um in MARKS_UM:
            row, col = int((y_um - 10) / um_per_px), int((x_um - 10) / um_per_px)
            side = int(20 / um_per_px)
            ink = 200.0 - level[row : row + side, col : col + side, 1]
            rows, cols = np.indices(ink.shape)
            found_x = (col + ((cols + 0.5) * ink).sum() / ink.sum()) * um_per_px
            found_y = (row + ((rows + 0.5) * ink).sum() / ink.sum()) * um_per_px
            assert abs(found_x - x_um) < um_per_px
            assert abs(found_y - y_um) < um_per_px


def test_many_threads_see_the_same_pixels():
    picture = noise_picture(2500, 900)
    pyramid = SlidePyramid(ArraySlide(picture), tile_px=128, cache_mb=1)
    small = np.asarray(SlidePyramid(ArraySlide(picture), tile_px=128).levels[1])
    corners = np.random.default_rng(0).integers(0, 700, (100, 2))

    def look(corner):
        x, y = corner
        views = [level[y : y + 200, x : x + 300] for level in pyramid.levels]
        return np.array_equal(views[0], picture[y : y + 200, x : x + 300]) and np.array_equal(
            views[1], small[y : y + 200, x : x + 300]
        )

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(look, corners))
    pyramid.close()


class DamagedSlide(ArraySlide):
    """Cannot be read left of column 64."""

    def read_level(self, level, x_px, y_px, width_px, height_px):
        if x_px < 64:
            raise UnreadableSlide("a.svs is damaged.")
        return super().read_level(level, x_px, y_px, width_px, height_px)


def test_damaged_tiles_are_gray_and_the_rest_is_shown():
    pyramid = SlidePyramid(DamagedSlide(PICTURE), tile_px=64)
    assert pyramid.problem == ""
    shown = np.asarray(pyramid.levels[0])
    assert len(np.unique(shown[:, :64])) == 1
    assert np.array_equal(shown[:, 64:], PICTURE[:, 64:])
    assert pyramid.problem == "a.svs is damaged."


def test_closing_stops_the_threads_and_a_late_look_still_answers():
    before = set(threading.enumerate())
    with SlidePyramid(ArraySlide(PICTURE), tile_px=TILE) as pyramid:
        np.asarray(pyramid.levels[0])
        assert set(threading.enumerate()) - before
    assert not set(threading.enumerate()) - before
    assert np.array_equal(pyramid.levels[0][:], PICTURE)
    assert not set(threading.enumerate()) - before


def test_a_file_becomes_a_napari_layer(tiff_path, marks_levels):
    layers = pytest.importorskip("napari.layers")
    with open_slide(tiff_path) as slide:
        pyramid = SlidePyramid(slide)
        layer = layers.Image(pyramid.levels, multiscale=True, rgb=True, cache=False)
        assert [tuple(shape) for shape in layer.level_shapes] == [
            level.shape[:2] for level in marks_levels
        ]
        assert np.array_equal(np.asarray(layer.data[1][5:50, 7:90]), marks_levels[1][5:50, 7:90])
        pyramid.close()
