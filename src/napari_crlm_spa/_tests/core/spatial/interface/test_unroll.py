"""An outline straightened: a strip whose columns follow the line and whose rows its normals."""

import numpy as np
import pytest

from napari_crlm_spa._tests.core.spatial.interface.drawn import HEP, STR, TUM, lesion, lesion_map
from napari_crlm_spa._tests.core.spatial.maps import map_of
from napari_crlm_spa.core.slide import ArraySlide
from napari_crlm_spa.core.spatial.interface import measure_interface
from napari_crlm_spa.core.spatial.interface.straighten import (
    COARSEST_ROW_UM,
    read_around,
    read_strip,
    row_offsets_um,
)
from napari_crlm_spa.core.spatial.interface.unroll import sample_classes, unroll

STRIDE_UM = 112.0
RADIUS, SIDE, CAPSULE = 16, 60, 3.0
CENTER_UM = SIDE / 2 * STRIDE_UM


@pytest.fixture(scope="module")
def disc():
    """A disc in a capsule, and its interface."""
    tissue_map = lesion_map(radius=RADIUS, side=SIDE, capsule=CAPSULE)
    return tissue_map, measure_interface(tissue_map)


def with_island():
    """A ring of tumor around an island of liver."""
    classes = lesion(radius=22, side=70)
    y, x = np.mgrid[:70, :70] - 34.5
    classes[np.hypot(y, x) < 9] = HEP
    return measure_interface(map_of(classes, stride_um=STRIDE_UM))


def test_normals_point_out_of_the_lesion(disc):
    unrolled = unroll(disc[1].contours[0])
    outward = unrolled.points_um - CENTER_UM
    outward /= np.hypot(*outward.T)[:, None]
    assert (unrolled.normals * outward).sum(axis=1).min() > 0.97


def test_around_an_island_they_point_into_it():
    found = with_island()
    assert len(found.contours) == 2
    for contour in found.contours:
        unrolled = unroll(contour)
        places = unrolled.points_um + 1.5 * STRIDE_UM * unrolled.normals
        cols, rows = np.floor(places / STRIDE_UM).astype(int).T
        assert not found.body[rows, cols].any()
        places = unrolled.points_um - 1.5 * STRIDE_UM * unrolled.normals
        cols, rows = np.floor(places / STRIDE_UM).astype(int).T
        assert found.body[rows, cols].all()


def test_the_middle_of_the_strip_is_the_line_itself(disc):
    contour = disc[1].contours[0]
    unrolled = unroll(contour)
    assert np.allclose(unrolled.places_um(contour.arc_um, np.zeros(1))[0], contour.vertices_um)
    # All around and on.
    again = unrolled.places_um(contour.arc_um + contour.length_um, np.zeros(1))[0]
    assert np.allclose(again, contour.vertices_um)


def test_a_capsule_is_a_straight_band(disc):
    tissue_map, found = disc
    unrolled = unroll(found.contours[0])
    offsets = row_offsets_um(8.0, 700.0)
    arcs = np.linspace(0, unrolled.length_um, 200, endpoint=False)
    strip = sample_classes(tissue_map, unrolled.places_um(arcs, offsets))
    assert set(np.unique(strip)) == {HEP, STR, TUM}
    width_um = (strip == STR).sum(axis=0) * 8.0
    assert np.median(width_um) == pytest.approx(CAPSULE * STRIDE_UM, rel=0.1)
    # The liver's side is above.
    assert (strip[0] == HEP).all()
    assert (strip[-1] == TUM).all()


def test_normals_of_a_disc_cross_only_beyond_its_center(disc):
    unrolled = unroll(disc[1].contours[0])
    radius_um = RADIUS * STRIDE_UM
    offsets = np.array([0.6 * radius_um, 0.0, -0.4 * radius_um, -1.8 * radius_um])
    arcs = np.linspace(0, unrolled.length_um, 100, endpoint=False)
    outside, line, inside, beyond = unrolled.folded(arcs, offsets).mean(axis=1)
    assert (outside, line, inside) == (0, 0, 0)
    # Tiles make the line a little uneven, so not every normal turns at the same rate.
    assert beyond > 0.6


def test_a_place_on_the_slide_is_found_on_the_strip(disc):
    unrolled = unroll(disc[1].contours[0])
    place = unrolled.places_um(np.array([5000.0]), np.array([200.0]))[0, 0]
    arc_um, distance_um = unrolled.arc_of(*place)
    assert arc_um == pytest.approx(5000, abs=unrolled.spacing_um)
    assert distance_um == pytest.approx(200, rel=0.05)
    assert unrolled.arc_of(CENTER_UM, CENTER_UM) is None


def test_beside_the_map_there_is_no_class(disc):
    places = np.array([[-1.0, 10.0], [10.0, -1.0], [SIDE * STRIDE_UM + 1, 10.0], [1.0, 1.0]])
    assert sample_classes(disc[0], places).tolist() == [0, 0, 0, HEP]


MPP = 4.0


@pytest.fixture(scope="module")
def rings():
    """A slide on which color says how far a pixel is from the disc's center."""
    n_px = round(SIDE * STRIDE_UM / MPP)
    y, x = (np.mgrid[:n_px, :n_px] + 0.5) * MPP - CENTER_UM
    gray = np.hypot(y, x) / (RADIUS * STRIDE_UM) * 100
    return ArraySlide(np.repeat(gray.clip(0, 255).astype(np.uint8)[..., None], 3, 2), mpp=MPP)


def test_rings_around_a_lesion_become_straight(disc, rings):
    unrolled = unroll(disc[1].contours[0])
    columns = round(unrolled.length_um / MPP)
    strip = read_strip(rings, unrolled, 0.0, columns, MPP)[..., 0].astype(float)
    # The outline itself is one to a third of a tile; where it is true, so are the rings.
    assert strip.std(axis=1).max() < 3.5
    expected = 100 * (1 + row_offsets_um(MPP) / (RADIUS * STRIDE_UM))
    assert np.abs(strip.mean(axis=1) - expected).max() < 3


def test_pieces_join_without_a_seam(disc, rings):
    unrolled = unroll(disc[1].contours[0])
    whole = read_strip(rings, unrolled, 400.0, 300, MPP)
    halves = [read_strip(rings, unrolled, 400.0 + 150 * MPP * at, 150, MPP) for at in (0, 1)]
    joined = np.concatenate(halves, axis=1)
    assert np.abs(whole.astype(int) - joined).max() <= 2


def test_a_wide_view_keeps_its_rows(disc, rings):
    unrolled = unroll(disc[1].contours[0])
    strip = read_strip(rings, unrolled, 0.0, 20, 64.0)
    assert strip.shape == (round(1000 / COARSEST_ROW_UM), 20, 3)


def test_beside_the_slide_the_strip_is_white(disc):
    small = ArraySlide(np.zeros((20, 20, 3), np.uint8), mpp=MPP)
    assert (read_strip(small, unroll(disc[1].contours[0]), 0.0, 10, MPP) == 255).all()


def test_a_square_around_a_place(rings):
    found = read_around(rings, CENTER_UM, CENTER_UM, 400.0, 100)
    assert found.shape == (100, 100, 3)
    assert found[50, 50, 0] == found.min()
