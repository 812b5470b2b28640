"""Scores of parts of a slide."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_crlm_spa._tests.core.review.insight_maps import (
    CODE,
    DEBRIS,
    certain,
    debris_only,
    features_of,
    finished,
)
from napari_crlm_spa._tests.core.spatial.maps import fixed_thresholds
from napari_crlm_spa.core.review.adequacy import (
    AdequacyOptions,
    grown_patch,
    part_of,
    sampling_adequacy,
    square_window,
    tissue_tiles,
)
from napari_crlm_spa.core.spatial import TumorRegionOptions, spatial_features
from napari_crlm_spa.errors import ReviewError


def even_slide(side=40):
    """Everywhere the same: a net of tumor, debris and stroma in its meshes (21 % each)."""
    classes = np.full((side, side), CODE["TUM"])
    classes[:, 2::4] = CODE["DEB"]
    classes[:, 3::4] = CODE["STR"]
    classes[::6] = CODE["TUM"]
    return certain(classes)


def parts_of(tissue_map, model=None, **options):
    options = AdequacyOptions(**{"repeats": 8, "steps": 4, **options})
    features = features_of(tissue_map)
    return finished(sampling_adequacy(tissue_map, features, model or debris_only(0.1), options))


@pytest.mark.parametrize("shape", ["square", "patch"])
def test_parts_of_an_even_slide_are_like_the_whole(shape):
    found = parts_of(even_slide(), shape=shape, smallest_share=0.2)
    assert found.parts[DEBRIS].between(0.15, 0.28).all()
    assert (found.parts["group"] == "high").all()
    assert (found.summary()["own_group_share"] == 1).all()


@pytest.mark.parametrize("shape", ["square", "patch"])
def test_parts_have_the_area_that_was_asked_for(shape):
    found = parts_of(even_slide(), shape=shape)
    area = found.parts["area_mm2"] / (1600 * 0.112**2)
    ratio = area / found.parts["share"]
    if shape == "patch":
        np.testing.assert_allclose(ratio, 1, atol=0.01)
    else:  # the next larger square
        assert (ratio >= 0.99).all()
        assert (ratio < 1.3).all()
    assert found.parts["share"].iloc[-1] == 1.0


def test_the_last_row_is_the_slide():
    tissue_map = even_slide()
    features = features_of(tissue_map)
    found = parts_of(tissue_map)
    last = found.parts.iloc[-1]
    assert {name: last[name] for name in features.values} == pytest.approx(features.values)
    assert (last["score"], last["group"]) == (found.own_score, found.own_group) == (0.5, "high")


def test_the_spread_shrinks_as_parts_grow():
    rng = np.random.default_rng(0)
    classes = rng.choice([CODE["TUM"], CODE["TUM"], CODE["DEB"], CODE["STR"]], (60, 60))
    found = parts_of(certain(classes), repeats=40, smallest_share=0.03)
    sd = found.summary()[f"{DEBRIS}_sd"].to_numpy()[:-1]
    assert (np.diff(sd) < 0).all()


def test_parts_without_enough_tumor_are_counted():
    classes = np.full((40, 40), CODE["STR"])
    classes[:8, :8] = CODE["TUM"]  # 64 tiles in one corner
    classes[:, 20] = CODE["DEB"]
    found = parts_of(certain(classes), smallest_share=0.05, repeats=20)
    first = found.summary().iloc[0]
    assert first["parts"] == 20
    assert first["no_risk"] > 10
    refused = found.parts[found.parts["refused"]]
    assert refused["score"].isna().all()
    assert refused["group"].isna().all()
    assert first["own_group_share_of_all"] <= 1 - first["no_risk"] / 20


def test_the_same_seed_cuts_the_same_parts():
    rng = np.random.default_rng(7)
    tissue_map = certain(rng.choice([CODE["TUM"], CODE["DEB"], CODE["STR"]], (30, 30)))
    first, again = parts_of(tissue_map, seed=5), parts_of(tissue_map, seed=5)
    assert first.as_frame().equals(again.as_frame())
    assert not first.as_frame().equals(parts_of(tissue_map, seed=6).as_frame())


@given(seed=st.integers(0, 2**32 - 1), wanted=st.integers(1, 200))
@settings(max_examples=60, deadline=None)
def test_a_square_is_the_smallest_that_holds_enough(seed, wanted):
    rng = np.random.default_rng(seed)
    tissue = rng.random((17, 23)) < 0.6
    part = square_window(tissue, wanted, rng)
    rows, cols = np.flatnonzero(part.any(1)), np.flatnonzero(part.any(0))
    height, width = len(rows), len(cols)
    assert part.sum() == height * width
    assert height == width or height == 17
    assert (part & tissue).sum() >= min(wanted, tissue.sum())
    if width > 1 and (part & tissue).sum() > wanted:
        # The square that is one smaller lies within, at one of its corners: it holds too few. One
        # as high as the grid, or higher, is only narrower.
        inner = (part & tissue)[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
        shorter = [inner[1:], inner[:-1]] if height == width else []
        if height == 17:
            shorter.append(inner)
        smaller = [each for rest in shorter for each in (rest[:, 1:], rest[:, :-1])]
        assert min(each.sum() for each in smaller) < wanted


@given(seed=st.integers(0, 2**32 - 1), wanted=st.integers(1, 300))
@settings(max_examples=60, deadline=None)
def test_a_patch_is_connected_tissue_of_the_size(seed, wanted):
    rng = np.random.default_rng(seed)
    tissue = ndimage.gaussian_filter(rng.normal(size=(20, 24)), 2) > 0
    if not tissue.any():
        return
    part = grown_patch(tissue, wanted, rng)
    assert not (part & ~tissue).any()
    assert part.sum() == min(wanted, tissue.sum())
    pieces, n_pieces = ndimage.label(part, np.ones((3, 3)))
    whole, _ = ndimage.label(tissue, np.ones((3, 3)))
    # Only the last piece may be cut short of its island.
    complete = [set(whole[pieces == k]) for k in range(1, n_pieces + 1)]
    cut = [
        k for k in complete if (whole == next(iter(k))).sum() != part[whole == next(iter(k))].sum()
    ]
    assert len(cut) <= 1


@given(seed=st.integers(0, 2**32 - 1), dilate=st.sampled_from([1, 5, 9]))
@settings(max_examples=30, deadline=None)
def test_cropping_changes_no_feature(seed, dilate):
    rng = np.random.default_rng(seed)
    classes = np.where(
        ndimage.gaussian_filter(rng.normal(size=(30, 34)), 2) > 0.05,
        CODE["TUM"],
        rng.choice([CODE["DEB"], CODE["STR"], CODE["HEP"]], (30, 34)),
    )
    tissue_map = certain(classes)
    regions = TumorRegionOptions(dilate_tiles=dilate, min_tiles=5)
    features = spatial_features(tissue_map, None, fixed_thresholds(2.0))
    options = type(features.options)(regions=regions)
    part = square_window(tissue_tiles(features), int(rng.integers(50, 400)), rng)
    cropped = spatial_features(part_of(tissue_map, part, regions), options, features.mixture)
    full = spatial_features(certain(np.where(part, classes, 0)), options, features.mixture)
    np.testing.assert_equal(cropped.values, full.values)
    assert cropped.refusal == full.refusal


def test_a_map_without_tissue_cannot_be_cut():
    tissue_map = certain(np.full((5, 5), CODE["BACK"]))
    with pytest.raises(ReviewError, match="no tissue"):
        parts_of(tissue_map)
