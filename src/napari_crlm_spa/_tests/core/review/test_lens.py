"""The histogram of distances, its curves, and thresholds moved by hand."""

import numpy as np
import pytest
from scipy.integrate import trapezoid

from napari_crlm_spa._tests.core.review.insight_maps import CODE, certain
from napari_crlm_spa._tests.core.spatial.maps import fixed_thresholds
from napari_crlm_spa.core.review.lens import (
    is_moved,
    lens_data,
    moved_threshold,
    snapped_back,
)
from napari_crlm_spa.core.spatial import load_mixture_model, save_mixture_model, spatial_features
from napari_crlm_spa.errors import ReviewError

STRIDE_UM = 112.0


def liver_with_a_tumor():
    """Two bands of lymphocytes, at the tumor and far from it."""
    classes = np.full((40, 60), CODE["HEP"])
    classes[:, :10] = CODE["TUM"]
    classes[::2, 11:15] = CODE["LYM"]
    classes[::3, 45:57] = CODE["LYM"]
    return certain(classes)


@pytest.fixture(scope="module")
def features():
    return spatial_features(liver_with_a_tumor())


def test_every_tile_outside_is_counted_once(features):
    found = lens_data(features, "LYM")
    outside = features.tissue_map.mask("LYM") & ~features.regions.mask
    assert found.counts.sum() == found.n_tiles == outside.sum()
    assert found.inside_tiles == features.tissue_map.mask("LYM").sum() - outside.sum()
    distances = features.distance_um[outside]
    for low, high, n in zip(found.edges_um, found.edges_um[1:], found.counts, strict=False):
        assert n == ((distances >= low) & (distances < high)).sum()
    np.testing.assert_allclose(np.diff(found.edges_um), STRIDE_UM)


def test_the_curves_sum_to_the_tiles(features):
    found = lens_data(features, "LYM")
    thresholds = features.mixture.tissues["LYM"]
    assert len(found.curves) == 2
    # The area under a curve, in bins, is the component's tiles; curves that leave the figure
    # lose their tails.
    areas = trapezoid(found.curves, found.curve_um, axis=1) / STRIDE_UM
    np.testing.assert_allclose(areas, np.array(thresholds.proportions) * found.n_tiles, rtol=0.05)
    peak = found.curve_um[found.curves.argmax(axis=1)]
    np.testing.assert_allclose(peak, np.array(thresholds.means_tiles) * STRIDE_UM, atol=STRIDE_UM)
    assert (found.near_um, found.far_um) == pytest.approx((thresholds.near_um, thresholds.far_um))


def test_finer_bins_hold_the_same_tiles(features):
    fine, coarse = lens_data(features, "LYM", STRIDE_UM / 4), lens_data(features, "LYM")
    assert fine.counts.sum() == coarse.counts.sum()
    assert len(fine.counts) > 3 * len(coarse.counts)
    table = fine.as_frame()
    assert table["tiles"].sum() == fine.n_tiles
    assert {"from_um", "to_um", "component_1", "component_2"} <= set(table.columns)


def test_a_tissue_without_tiles_says_why(features):
    found = lens_data(features, "MUC")
    assert found.n_tiles == 0
    assert found.near_um is None
    assert found.curves.shape[0] == 0
    assert found.note == "no tile to fit"


def test_a_moved_threshold_moves_the_features(features):
    column = "Infiltrating_Lymphocyte_ratio"
    lymphocytes = features.tissue_map.mask("LYM")
    for near_um in (150.0, 3000.0, 10_000.0):
        moved = moved_threshold(features.mixture, "LYM", near_um)
        after = spatial_features(features.tissue_map, features.options, moved)
        within = lymphocytes & (features.distance_um <= near_um)
        assert after.values[column] == within.sum() / features.tissue_tiles
        assert lens_data(after, "LYM").near_um == pytest.approx(near_um)
        others = {k: v for k, v in after.values.items() if "Lymphocyte" not in k}
        assert others == pytest.approx({k: features.values[k] for k in others}, nan_ok=True)


def test_a_moved_threshold_says_so_and_snaps_back(features, tmp_path):
    fitted = features.mixture
    moved = moved_threshold(moved_threshold(fitted, "LYM", 300.0), "LYM", 900.0)
    was = fitted.tissues["LYM"].near_um
    note = moved.tissues["LYM"].note
    assert note.endswith(f"moved by hand from {was:g} µm to 900 µm")
    assert note.count("moved by hand") == 1
    assert is_moved(moved)
    assert is_moved(moved, "LYM")
    assert not is_moved(moved, "HEP")
    assert snapped_back(moved, fitted, "LYM") == fitted
    assert not is_moved(fitted)
    save_mixture_model(moved, tmp_path / "moved.json")
    assert load_mixture_model(tmp_path / "moved.json") == moved


def test_a_tissue_that_was_not_split_can_be_split_by_hand(features):
    moved = moved_threshold(features.mixture, "MUC", 500.0)
    assert moved.limits("MUC", STRIDE_UM) == pytest.approx((500 / 112, 500 / 112))
    assert moved.tissues["MUC"].note == "moved by hand from none to 500 µm"
    assert snapped_back(moved, features.mixture, "MUC") == features.mixture


def test_three_groups_keep_the_far_threshold():
    mixture = fixed_thresholds(2.0, 6.0)
    assert moved_threshold(mixture, "HEP", 336.0).limits("HEP", STRIDE_UM) == (3.0, 6.0)
    assert moved_threshold(mixture, "HEP", 1120.0).limits("HEP", STRIDE_UM) == (10.0, 10.0)
    both = moved_threshold(mixture, "HEP", 336.0, 448.0)
    assert both.limits("HEP", STRIDE_UM) == (3.0, 4.0)


@pytest.mark.parametrize("near_um", [-1.0, float("nan"), float("inf")])
def test_nonsense_thresholds_are_refused(features, near_um):
    with pytest.raises(ReviewError, match="cannot be split"):
        moved_threshold(features.mixture, "LYM", near_um)


def test_tumor_has_no_lens(features):
    with pytest.raises(ReviewError, match="TUM is not split"):
        lens_data(features, "TUM")
    with pytest.raises(ReviewError, match="width above 0"):
        lens_data(features, "LYM", 0)
