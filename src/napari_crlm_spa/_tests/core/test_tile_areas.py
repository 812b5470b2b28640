"""Merged tiles: the polygons of a union by shapely, corner by corner."""

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_crlm_spa.core.tile_areas import tile_areas

MAPS = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 2))


def polygon(area):
    return shapely.Polygon(area.rings[0], area.rings[1:])


@given(MAPS)
def test_areas_of_a_class_are_the_union_of_its_tiles(classes):
    areas = tile_areas(classes)
    for code in (1, 2):
        squares = [shapely.box(x, y, x + 1, y + 1) for y, x in np.argwhere(classes == code)]
        union = shapely.union_all(squares)
        found = [polygon(area) for area in areas if area.code == code]
        assert all(shape.is_valid for shape in found)
        assert shapely.union_all(found).equals(union)
        assert len(found) == (0 if union.is_empty else len(shapely.get_parts(union)))


@given(MAPS)
def test_every_tile_is_in_one_area(classes):
    areas = tile_areas(classes)
    assert sum(area.tiles for area in areas) == np.count_nonzero(classes)
    for area in areas:
        assert polygon(area).area == area.tiles
        assert classes[area.first] == area.code


def test_a_ring_of_tiles_has_a_hole_and_no_needless_corner():
    classes = np.ones((3, 3), np.uint8)
    classes[1, 1] = 0
    (area,) = tile_areas(classes)
    outline, hole = area.rings
    assert set(outline) == {(0, 0), (3, 0), (3, 3), (0, 3)}
    assert set(hole) == {(1, 1), (2, 1), (2, 2), (1, 2)}
    assert len(outline) == len(hole) == 5


def test_tiles_that_touch_at_a_corner_are_two_areas():
    assert len(tile_areas(np.eye(2, dtype=np.uint8))) == 2


def test_glass_has_no_area():
    assert tile_areas(np.zeros((4, 5), np.uint8)) == []
