"""Which tiles a brush, a lasso and a fill take: against slow geometry on small grids."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from napari_crlm_spa.plugin.tools.fill import FillRule, Reach, filled
from napari_crlm_spa.plugin.tools.shapes import brushed, in_rectangle, lassoed, tile_at

SHAPE = (14, 17)
#: No whole or half numbers: there a center lies on the edge, and either answer is right.
COORDINATE = st.integers(-40, 240).map(lambda n: n / 10 + 0.0371)
POSITION = st.tuples(COORDINATE, COORDINATE)


def tiles_of(patch):
    return set(zip(*(indices.tolist() for indices in patch.tiles()), strict=True))


def centers(shape=SHAPE):
    return [(row, col) for row in range(shape[0]) for col in range(shape[1])]


def test_a_brush_of_one_tile_takes_the_tile_under_the_pointer():
    assert tiles_of(brushed((3.1, 4.9), (3.1, 4.9), 1, SHAPE)) == {(3, 4)}


def test_a_brush_of_three_tiles_takes_a_tile_and_its_neighbors():
    middle = brushed((5.5, 5.5), (5.5, 5.5), 3, SHAPE)
    assert tiles_of(middle) == {(row, col) for row in (4, 5, 6) for col in (4, 5, 6)}


def test_a_brush_beyond_the_grid_takes_nothing():
    assert tiles_of(brushed((-9.0, 3.0), (-7.0, 30.0), 5, SHAPE)) == set()
    assert tile_at((-0.1, 3.0), SHAPE) is None
    assert tile_at((3.0, 17.0), SHAPE) is None
    assert tile_at((13.9, 16.9), SHAPE) == (13, 16)


@given(start=POSITION, end=POSITION, size=st.integers(1, 9))
def test_a_stroke_takes_the_tiles_whose_center_it_covers(start, end, size):
    line = shapely.LineString([start, end]) if start != end else shapely.Point(start)
    under = {
        (row, col)
        for row, col in centers()
        if shapely.Point(row + 0.5, col + 0.5).distance(line) <= size / 2
    }
    pointed = {tile_at(start, SHAPE), tile_at(end, SHAPE)} - {None}
    assert tiles_of(brushed(start, end, size, SHAPE)) == under | pointed


@given(start=POSITION, end=POSITION)
def test_a_quick_stroke_of_the_smallest_brush_has_no_gap(start, end):
    rows, cols = brushed(start, end, 1, (40, 40)).tiles()
    if len(rows) < 2:
        return
    spans = [np.ptp(rows), np.ptp(cols)]
    along = rows if spans[0] >= spans[1] else cols
    assert set(along.tolist()) == set(range(along.min(), along.max() + 1))


@given(outline=st.lists(POSITION, min_size=3, max_size=12))
def test_a_lasso_takes_the_tiles_whose_center_it_runs_around(outline):
    expected = {
        (row, col) for row, col in centers() if winding((row + 0.5, col + 0.5), outline) != 0
    }
    assert tiles_of(lassoed(outline, SHAPE)) == expected


def winding(point, outline):
    """How often an outline runs around a point: the sum of the angles under which it is seen."""
    corners = np.array([*outline, outline[0]]) - point
    angles = np.arctan2(corners[:, 1], corners[:, 0])
    steps = (np.diff(angles) + np.pi) % (2 * np.pi) - np.pi
    return round(steps.sum() / (2 * np.pi))


def test_a_lasso_that_crosses_itself_leaves_no_hole():
    twice_around = [(1, 1), (1, 9), (9, 9), (9, 1), (1, 1), (3, 3), (3, 7), (7, 7), (7, 3), (3, 3)]
    taken = tiles_of(lassoed(twice_around, SHAPE))
    assert taken == {(row, col) for row in range(1, 9) for col in range(1, 9)}


def test_a_lasso_of_two_points_encloses_nothing():
    assert tiles_of(lassoed([(1, 1), (9, 9)], SHAPE)) == set()


def test_a_rectangle_takes_centers_and_stays_on_the_grid():
    assert tiles_of(in_rectangle((1.4, 2.6), (3.5, 4.4), SHAPE)) == {(1, 3), (2, 3)}
    assert len(tiles_of(in_rectangle((-5, -5), (99, 99), SHAPE))) == SHAPE[0] * SHAPE[1]
    assert tiles_of(in_rectangle((20, 20), (30, 30), SHAPE)) == set()


@pytest.mark.parametrize("reach", [Reach.CORNERS, Reach.EDGES])
@given(seed=st.integers(0, 10_000), tile=st.tuples(st.integers(0, 13), st.integers(0, 16)))
def test_a_fill_takes_what_a_walk_over_equal_neighbors_reaches(reach, seed, tile):
    classes = np.random.default_rng(seed).integers(1, 4, SHAPE).astype(np.uint8)
    assert tiles_of(filled(classes, tile, FillRule(reach))) == walked(classes, tile, reach)


def walked(classes, tile, reach):
    """Tiles of the same class that are reached step by step."""
    steps = [(0, 1), (1, 0), (0, -1), (-1, 0)]
    if reach is Reach.CORNERS:
        steps += [(1, 1), (1, -1), (-1, 1), (-1, -1)]
    reached, waiting = {tile}, [tile]
    while waiting:
        row, col = waiting.pop()
        for step in steps:
            there = row + step[0], col + step[1]
            inside = 0 <= there[0] < SHAPE[0] and 0 <= there[1] < SHAPE[1]
            if inside and there not in reached and classes[there] == classes[tile]:
                reached.add(there)
                waiting.append(there)
    return reached


@given(
    seed=st.integers(0, 10_000),
    tile=st.tuples(st.integers(0, 13), st.integers(0, 16)),
    radius=st.integers(1, 6),
)
def test_a_fill_of_what_is_near_need_not_hang_together(seed, tile, radius):
    classes = np.random.default_rng(seed).integers(1, 4, SHAPE).astype(np.uint8)
    expected = {
        (row, col)
        for row, col in centers()
        if classes[row, col] == classes[tile] and np.hypot(row - tile[0], col - tile[1]) <= radius
    }
    assert tiles_of(filled(classes, tile, FillRule(Reach.NEAR, radius))) == expected
