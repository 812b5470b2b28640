import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_crlm_spa._tests.core.spatial.maps import drawn, map_of, slow_mask
from napari_crlm_spa._tests.r_reference import reference_grid
from napari_crlm_spa.core.spatial import TumorRegionOptions, tumor_regions
from napari_crlm_spa.core.spatial.regions import filled, largest_group, regions_of_tumor
from napari_crlm_spa.errors import CrlmSpaError, FeatureError, ModelError

ANY = TumorRegionOptions(min_tiles=1)


@pytest.mark.parametrize("slide", [1, 2, 3, 4])
def test_masks_equal_those_of_r(slide):
    """R: fill(ero(dil(L == 7, 5), 3)), 8-connected components under 50 dropped."""
    lattice = map_of(reference_grid(f"h_lattice_slide{slide}.csv"))
    expected = reference_grid(f"h_mask_slide{slide}.csv").astype(bool)
    assert np.array_equal(tumor_regions(lattice).mask, expected)


@given(
    tumor=arrays(bool, st.tuples(st.integers(1, 13), st.integers(1, 13))),
    fill=st.booleans(),
    sides=st.sampled_from([(5, 3), (3, 3), (3, 5), (1, 1), (7, 3)]),
    min_tiles=st.integers(1, 30),
)
@settings(max_examples=60, deadline=None)
def test_regions_equal_a_loop_over_tiles(tumor, fill, sides, min_tiles):
    options = TumorRegionOptions(
        dilate_tiles=sides[0], erode_tiles=sides[1], fill_holes=fill, min_tiles=min_tiles
    )
    expected = slow_mask(tumor, *sides, fill, min_tiles)
    assert np.array_equal(regions_of_tumor(tumor, options).mask, expected)


def test_one_tumor_tile_grows_by_one_on_all_sides():
    found = tumor_regions(drawn("HHHHHHH " * 3 + "HHHTHHH " + "HHHHHHH " * 3), ANY)
    assert np.array_equal(np.argwhere(found.mask).min(axis=0), [2, 2])
    assert found.sizes.tolist() == [9]
    assert found.tumor_tiles.tolist() == [1]


def test_a_region_of_49_tiles_is_dropped_and_one_of_50_kept():
    tumor = np.zeros((20, 20), bool)
    tumor[5:10, 5:10] = True  # grows to 7 x 7
    assert len(regions_of_tumor(tumor)) == 0
    assert regions_of_tumor(tumor, TumorRegionOptions(min_tiles=49)).sizes.tolist() == [49]


def test_tumor_at_the_border_of_the_grid_is_not_shrunk_there():
    tumor = np.zeros((9, 9), bool)
    tumor[:, 0] = True
    assert np.array_equal(regions_of_tumor(tumor, ANY).mask, np.arange(9) < np.full((9, 1), 2))


def test_a_ring_is_filled_only_if_asked():
    ring = np.zeros((21, 21), bool)
    ring[3:18, 3:18] = True
    ring[6:15, 6:15] = False
    assert regions_of_tumor(ring).mask[10, 10]
    assert not regions_of_tumor(ring, TumorRegionOptions(fill_holes=False)).mask[10, 10]


def test_a_hole_that_opens_diagonally_is_still_a_hole():
    mask = np.array([[0, 1, 1, 1], [1, 0, 0, 1], [1, 0, 0, 1], [1, 1, 1, 1]], bool)
    assert filled(mask)[1:3, 1:3].all()
    assert not filled(mask)[0, 0]


def test_regions_are_numbered_from_the_largest():
    tumor = np.zeros((30, 60), bool)
    tumor[10:12, 3:5] = True
    tumor[5:20, 20:40] = True
    tumor[10:16, 50:55] = True
    found = regions_of_tumor(tumor, ANY)
    assert found.labels[10, 30] == 1
    assert found.labels[12, 52] == 2
    assert found.labels[10, 3] == 3
    assert found.sizes.tolist() == [17 * 22, 8 * 7, 4 * 4]
    assert found.tumor_tiles.tolist() == [300, 30, 4]
    assert found.largest == 374
    assert found.contiguous_tumor_tiles == 300


def test_tiles_that_touch_at_a_corner_are_contiguous():
    assert largest_group(np.eye(7, dtype=bool)) == 7


def test_a_map_without_tumor_has_no_region():
    found = tumor_regions(drawn("HHH SSS LLL"))
    assert len(found) == 0
    assert found.largest == found.contiguous_tumor_tiles == 0
    assert not found.mask.any()


def test_a_map_that_is_all_tumor_is_one_region():
    assert tumor_regions(map_of(np.full((9, 9), 7))).sizes.tolist() == [81]


def test_an_even_box_is_refused_with_the_way_out():
    with pytest.raises(FeatureError, match="choose an odd number such as 5"):
        TumorRegionOptions(dilate_tiles=4)


def test_options_out_of_range_are_refused():
    with pytest.raises(CrlmSpaError, match="min_tiles is 0"):
        TumorRegionOptions(min_tiles=0)


def test_a_scheme_without_tumor_is_refused():
    from napari_crlm_spa.core.classes import CRLM7, ClassScheme

    only_liver = ClassScheme("liver", (CRLM7["HEP"],))
    with pytest.raises(ModelError, match="no class 'TUM'"):
        tumor_regions(map_of([[1, 1]], scheme=only_liver))
