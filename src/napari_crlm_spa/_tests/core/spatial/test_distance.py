import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_crlm_spa._tests.core.spatial.maps import map_of, slow_distance
from napari_crlm_spa._tests.r_reference import reference_grid, reference_table
from napari_crlm_spa.core.spatial import TumorRegionOptions, tumor_regions
from napari_crlm_spa.core.spatial.distance import (
    distance_tiles,
    distance_um,
    signed_distance_tiles,
)
from napari_crlm_spa.core.spatial.regions import regions_of_tumor

PLAIN = TumorRegionOptions(dilate_tiles=1, erode_tiles=1, fill_holes=False, min_tiles=1)


@pytest.mark.parametrize("slide", [1, 2, 3, 4])
def test_distances_equal_those_of_r(slide):
    rows = reference_table("h_distances.csv").query("slide == @slide")
    lattice = map_of(reference_grid(f"h_lattice_slide{slide}.csv"))
    found = distance_tiles(tumor_regions(lattice))
    assert len(rows) > 400
    assert np.array_equal(found[rows["row"] - 1, rows["col"] - 1], rows["dist"])


@given(tumor=arrays(bool, st.tuples(st.integers(1, 10), st.integers(1, 10))))
@settings(max_examples=40, deadline=None)
def test_distances_equal_a_loop_over_tiles(tumor):
    found = distance_tiles(regions_of_tumor(tumor, PLAIN))
    for row, col in np.ndindex(tumor.shape):
        expected = slow_distance(tumor, row, col) if tumor.any() else np.inf
        assert found[row, col] == pytest.approx(expected, rel=1e-15)


def test_distances_grow_from_the_edge_of_a_half_plane():
    tumor = np.zeros((30, 40), bool)
    tumor[:, :10] = True
    regions = regions_of_tumor(tumor)
    assert np.array_equal(distance_tiles(regions)[15], np.maximum(np.arange(40) - 10, 0))
    assert np.array_equal(distance_um(regions, 112.0)[15], np.maximum(np.arange(40) - 10, 0) * 112)


def test_signed_distances_run_on_inside_without_a_gap():
    tumor = np.zeros((30, 40), bool)
    tumor[:, :10] = True
    row = signed_distance_tiles(regions_of_tumor(tumor))[15]
    assert np.array_equal(row, np.arange(40) - 10)


def test_without_tumor_every_distance_is_infinite():
    nothing = regions_of_tumor(np.zeros((4, 5), bool))
    assert np.isposinf(distance_tiles(nothing)).all()
    assert np.isposinf(signed_distance_tiles(nothing)).all()


def test_when_all_is_tumor_every_distance_is_zero():
    everything = regions_of_tumor(np.ones((9, 9), bool))
    assert not distance_tiles(everything).any()
    assert np.isneginf(signed_distance_tiles(everything)).all()
