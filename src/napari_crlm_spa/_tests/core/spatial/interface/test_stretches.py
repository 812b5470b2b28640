"""Stretches of an interface: their numbers, and what readers have drawn along them."""

import numpy as np
import pytest

from napari_crlm_spa._tests.core.spatial.interface.drawn import lesion_map
from napari_crlm_spa.core.spatial.interaction import Neighborhoods
from napari_crlm_spa.core.spatial.interface import InterfaceCode, measure_interface
from napari_crlm_spa.core.spatial.interface.stretches import (
    border_interaction,
    cut_stretches,
    labels_along,
    window_mean,
)


@pytest.fixture(scope="module")
def half():
    """A disc, half of it in a capsule: map, interface, interaction along it, stretches."""
    tissue_map = lesion_map(radius=20, side=70, capsule=3.0, contact=0.5)
    found = measure_interface(tissue_map)
    curves = border_interaction(found.contours, tissue_map)
    return tissue_map, found, curves, cut_stretches(found, curves)


def test_stretches_are_about_half_a_millimeter_and_cover_the_line(half):
    _, found, _, stretches = half
    lengths = [each.length_um for each in stretches]
    assert sum(lengths) == pytest.approx(found.contours[0].length_um)
    assert min(lengths) > 400
    assert max(lengths) < 600
    starts = [each.start_um for each in stretches]
    assert starts == sorted(starts)


def test_interaction_is_high_in_contact_and_zero_behind_a_capsule(half):
    *_, stretches = half
    sure = [each for each in stretches if each.code_share == 1]
    contact = [each.interaction for each in sure if each.code == InterfaceCode.N]
    behind = [each.interaction for each in sure if each.code == InterfaceCode.D]
    assert len(contact) > 5
    assert len(behind) > 5
    assert min(contact) > 0.2
    assert np.median(behind) == 0


def test_along_a_line_all_in_contact_the_mean_is_the_border_only_score():
    tissue_map = lesion_map(radius=20, side=70, contact=1.0)
    found = measure_interface(tissue_map)
    (curve,) = border_interaction(found.contours, tissue_map)
    expected = Neighborhoods(tissue_map).border_mean("HEP")
    # Windows are alike, tiles are not spread quite evenly over them.
    assert np.nanmean(curve) == pytest.approx(expected, rel=0.05)
    assert np.isfinite(curve).all()


def test_a_rim_has_a_thickness_and_contact_has_none(half):
    *_, stretches = half
    for each in stretches:
        if each.code_share == 1:
            assert np.isfinite(each.rim_um) == (each.code == InterfaceCode.D)
    rims = [each.rim_um for each in stretches if each.code == InterfaceCode.D]
    assert np.median(rims) == pytest.approx(3 * 112, rel=0.2)


def test_a_map_without_tumor_has_no_stretches():
    tissue_map = lesion_map(radius=0.1, side=30)
    found = measure_interface(tissue_map)
    assert cut_stretches(found, border_interaction(found.contours, tissue_map)) == ()


@pytest.mark.parametrize("window", [1, 2, 5, 50, 500])
def test_the_mean_of_a_constant_is_that(window):
    assert np.allclose(window_mean(np.full(60, 0.3), np.ones(60), window), 0.3)


def test_the_mean_goes_around_the_end_and_skips_what_is_empty():
    total = np.array([3.0, 0.0, 0.0, 0.0, 0.0, 6.0])
    count = np.array([1.0, 1.0, 0.0, 1.0, 1.0, 1.0])
    assert window_mean(total, count, 3).tolist() == pytest.approx([3.0, 1.5, 0.0, 0.0, 2.0, 3.0])
    assert np.isnan(window_mean(np.zeros(8), np.zeros(8), 3)).all()


def test_a_line_that_a_reader_drew_labels_the_stretches_along_it(half):
    _, found, _, stretches = half
    points = found.contours[0].vertices_um
    quarter = len(points) // 4
    center = points.mean(axis=0)
    # Not on the line, and only corners of it: as a hand draws.
    drawn = center + (points[: 2 * quarter + 1 : 8] - center) * 1.05
    labels = labels_along(found, stretches, [("D", drawn)])
    named = np.array([each == "D" for each in labels])
    assert named.mean() == pytest.approx(0.5, abs=0.05)
    assert named[: len(named) // 2 - 1].all()


def test_a_line_elsewhere_labels_nothing(half):
    _, found, _, stretches = half
    far = np.array([[100.0, 100.0], [900.0, 100.0]])
    assert set(labels_along(found, stretches, [("R", far)])) == {""}
    assert set(labels_along(found, stretches, [])) == {""}
