import numpy as np
import pytest

from napari_crlm_spa.core.spatial.interface.walk import outlines


def disc(radius, shift=0.0):
    side = int(2 * radius + 9)
    y, x = np.mgrid[:side, :side] - (side / 2 + shift)
    return (np.hypot(y, x) < radius).astype(np.int32)


@pytest.mark.parametrize("radius", [10, 20, 40, 80])
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_the_length_of_a_circle_is_2_pi_r_within_2_percent(radius, shift):
    (line,) = outlines(disc(radius, shift))
    assert line.length_tiles == pytest.approx(2 * np.pi * radius, rel=0.02)


@pytest.mark.parametrize("degrees", range(0, 50, 5))
def test_the_length_of_a_square_is_that_at_any_angle(degrees):
    y, x = np.mgrid[:120, :120] - 59.7
    turn = np.radians(degrees)
    across, along = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    square = (np.abs(across) < 40) & (np.abs(along) < 40)
    (line,) = outlines(square.astype(np.int32))
    # Corners are rounded and a side is a whole number of tiles.
    assert line.length_tiles == pytest.approx(320, rel=0.03)


def test_points_lie_a_quarter_of_a_tile_apart():
    (line,) = outlines(disc(20))
    steps = np.hypot(*np.diff(line.points, axis=0, append=line.points[:1]).T)
    assert steps == pytest.approx(0.25, rel=0.05)
    assert steps.sum() == pytest.approx(line.length_tiles, rel=1e-3)


def test_points_lie_on_the_border_of_the_tiles():
    (line,) = outlines(disc(20))
    center = (disc(20).shape[0]) / 2
    assert np.hypot(*(line.points - center).T) == pytest.approx(20, abs=0.75)


def test_an_island_inside_is_walked_around_as_well():
    ring = disc(20)
    middle = len(ring) // 2
    ring[middle - 5 : middle + 5, middle - 5 : middle + 5] = 0
    outer, inner = outlines(ring)
    assert (outer.inner, inner.inner) == (False, True)
    assert outer.length_tiles == pytest.approx(2 * np.pi * 20, rel=0.02)
    # Four corners are rounded: 0.65 tiles each.
    assert inner.length_tiles == pytest.approx(4 * 10 - 4 * 0.65, rel=0.02)


def test_a_lesion_that_is_cut_by_the_grid_is_closed_along_the_cut():
    half = disc(20)[24:]
    (line,) = outlines(half)
    assert line.points[:, 0].min() == pytest.approx(-0.5, abs=0.3)
    assert line.length_tiles == pytest.approx(np.pi * 20 + 40, rel=0.03)


def test_touching_lesions_have_a_line_each():
    labels = np.zeros((20, 40), np.int32)
    labels[5:15, 5:20], labels[5:15, 20:35] = 1, 2
    assert [line.lesion for line in outlines(labels)] == [1, 2]


def test_a_strip_of_one_tile_is_walked_around():
    strip = np.zeros((9, 30), np.int32)
    strip[4, 4:26] = 1
    (line,) = outlines(strip)
    assert line.length_tiles == pytest.approx(2 * 22 - 4 * 0.65, rel=0.02)


def test_outward_is_away_from_the_lesion_on_outer_and_inner_lines():
    ring = disc(20)
    middle = len(ring) / 2
    y, x = np.mgrid[: len(ring), : len(ring)] - middle
    ring[np.hypot(y, x) < 8] = 0
    outer, inner = outlines(ring)
    for line, sign in ((outer, 1), (inner, -1)):
        from_center = line.points - middle
        from_center /= np.hypot(*from_center.T)[:, None]
        assert (sign * (line.outward * from_center).sum(axis=1) > 0.7).all()
