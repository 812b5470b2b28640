"""Features that follow an edit equal those that are computed from nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_crlm_spa._tests.core.review.made_reviews import assert_same, metastasis
from napari_crlm_spa._tests.core.spatial.maps import CODES, fixed_thresholds, map_of
from napari_crlm_spa.core.review import live, windows
from napari_crlm_spa.core.review.live import follow
from napari_crlm_spa.core.spatial import (
    SpatialOptions,
    TumorRegionOptions,
    ZoneOptions,
    distance_tiles,
    spatial_features,
    tumor_regions,
)

SHAPE = (13, 17)
ODD = st.sampled_from([1, 3, 5])
RULES = st.sampled_from(["infiltrating", "fitted", "signed"])


@st.composite
def spatial_options(draw):
    return SpatialOptions(
        regions=TumorRegionOptions(
            dilate_tiles=draw(ODD),
            erode_tiles=draw(ODD),
            fill_holes=draw(st.booleans()),
            min_tiles=draw(st.integers(1, 12)),
        ),
        zones=ZoneOptions(
            components=draw(st.sampled_from([2, 3])),
            variances=draw(st.sampled_from(["auto", "E", "V"])),
            inside=draw(RULES),
            min_fit_tiles=draw(st.integers(3, 20)),
        ),
        interaction_denominator=draw(st.sampled_from(["tissue", "nine", "non_tumor"])),
        count_background=draw(st.booleans()),
        count_edge=draw(st.booleans()),
        min_tumor_tiles=draw(st.integers(1, 20)),
    )


@st.composite
def maps(draw):
    """Patches of tissue rather than noise, so that there are regions to change."""
    coarse = draw(arrays(np.uint8, (5, 6), elements=st.integers(0, 7)))
    classes = coarse.repeat(3, axis=0).repeat(3, axis=1)[: SHAPE[0], : SHAPE[1]].copy()
    edge = np.zeros(SHAPE, bool)
    edge[-1] = edge[:, -1] = draw(st.booleans())
    return map_of(classes, edge=edge)


@st.composite
def strokes(draw):
    """A rectangle of tiles and the code that it gets."""
    row, col = draw(st.integers(0, SHAPE[0] - 1)), draw(st.integers(0, SHAPE[1] - 1))
    height, width = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    return slice(row, row + height), slice(col, col + width), draw(st.integers(0, 7))


def copy(tissue_map):
    """The map as it is, since the other one is changed in place."""
    return map_of(tissue_map.classes.copy(), edge=tissue_map.edge)


@settings(max_examples=150, deadline=None)
@given(maps(), spatial_options(), st.lists(strokes(), min_size=1, max_size=6), st.data())
def test_after_every_stroke_all_fields_are_those_of_a_full_computation(
    tissue_map, options, edits, data
):
    features = spatial_features(copy(tissue_map), options)
    mixture = features.mixture
    for rows, cols, code in edits:
        if data.draw(st.integers(0, 4)) == 0:
            near = data.draw(st.floats(-2, 8))
            mixture = fixed_thresholds(near, near + 1, inside=data.draw(RULES))
        tissue_map.classes[rows, cols] = code
        features = follow(features, tissue_map, mixture)
        assert_same(features, spatial_features(tissue_map, options, mixture))


@settings(max_examples=40, deadline=None)
@given(maps(), spatial_options(), strokes())
def test_a_refit_is_that_of_a_full_computation(tissue_map, options, stroke):
    rows, cols, code = stroke
    before = spatial_features(copy(tissue_map), options)
    tissue_map.classes[rows, cols] = code
    assert_same(follow(before, tissue_map, None), spatial_features(tissue_map, options))


def test_features_that_were_handed_out_do_not_change_with_the_map():
    tissue_map = map_of(metastasis())
    options = SpatialOptions()
    first = spatial_features(map_of(metastasis()), options)
    held = follow(first, tissue_map, first.mixture)
    expected = spatial_features(map_of(metastasis()), options, first.mixture)
    for code, at in ((CODES["S"], (slice(0, 4), slice(0, 4))), (CODES["T"], (3, slice(0, 9)))):
        tissue_map.classes[at] = code
        tissue_map.state[at] = 5
        follow(held, tissue_map, first.mixture)
    assert_same(held, expected)


@pytest.fixture
def counted(monkeypatch):
    """How often the slow parts are computed."""
    calls = {"regions_of_tumor": 0, "distance_tiles": 0}
    for module, name in ((windows, "regions_of_tumor"), (live, "distance_tiles")):
        real = getattr(module, name)

        def call(*args, _real=real, _name=name):
            calls[_name] += 1
            return _real(*args)

        monkeypatch.setattr(module, name, call)
    return calls


def test_where_no_tumor_tile_changes_regions_and_distances_are_taken_over(counted):
    tissue_map = map_of(metastasis())
    before = spatial_features(copy(tissue_map))
    tissue_map.classes[0, :5] = CODES["M"]
    after = follow(before, tissue_map, before.mixture)
    assert counted == {"regions_of_tumor": 0, "distance_tiles": 0}
    assert after.regions is before.regions
    assert after.counts["MUC"] == 5


def test_a_tumor_tile_within_a_region_leaves_its_outline_and_the_distances(counted):
    tissue_map = map_of(metastasis())
    before = spatial_features(copy(tissue_map))
    tissue_map.classes[11, 10] = CODES["D"]
    after = follow(before, tissue_map, before.mixture)
    assert counted == {"regions_of_tumor": 0, "distance_tiles": 0}
    assert after.regions.labels is before.regions.labels
    assert after.regions.tumor_tiles.tolist() == [before.regions.tumor_tiles[0] - 1]
    tissue_map.classes[5:7, 8:20] = CODES["T"]
    follow(before, tissue_map, before.mixture)
    assert counted == {"regions_of_tumor": 1, "distance_tiles": 1}


def islands(rng, shape=(70, 90)):
    """Codes of a map with several tumors, so that an edit reaches a part of it."""
    classes = rng.integers(0, 7, shape, dtype=np.uint8)
    classes[classes == CODES["T"]] = CODES["H"]
    for _ in range(12):
        row, col = rng.integers(0, shape[0] - 4), rng.integers(0, shape[1] - 4)
        height, width = rng.integers(2, 12, 2)
        classes[row : row + height, col : col + width] = CODES["T"]
    return classes


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**32 - 1), spatial_options(), st.integers(1, 6))
def test_far_from_an_edit_nothing_is_computed_and_everything_is_right(seed, options, margin):
    rng = np.random.default_rng(seed)
    tissue_map = map_of(islands(rng))
    features = spatial_features(copy(tissue_map), options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "FIRST_MARGIN", margin)
        for _ in range(5):
            row, col = rng.integers(0, 70), rng.integers(0, 90)
            height, width = rng.integers(1, 15, 2)
            code = rng.choice([CODES["T"], CODES["H"], CODES["S"], 0])
            tissue_map.classes[row : row + height, col : col + width] = code
            features = follow(features, tissue_map, features.mixture)
            assert_same(features, spatial_features(tissue_map, options, features.mixture))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), ODD, ODD, st.booleans())
def test_only_the_window_of_distances_is_renewed(seed, dilate, erode, tumor):
    rng = np.random.default_rng(seed)
    options = TumorRegionOptions(dilate_tiles=dilate, erode_tiles=erode, min_tiles=3)
    classes = islands(rng)
    before = tumor_regions(map_of(classes), options)
    row, col = rng.integers(0, 65), rng.integers(0, 85)
    classes[row : row + 5, col : col + 5] = CODES["T"] if tumor else CODES["H"]
    now = tumor_regions(map_of(classes), options)
    outline = windows.changed_outline(before, now)
    if outline is None:
        return
    found = windows.follow_distances(distance_tiles(before), now, outline)
    if found is not None:
        distances, window = found
        np.testing.assert_array_equal(distances, distance_tiles(now))
        elsewhere = np.ones(distances.shape, bool)
        elsewhere[window.at] = False
        assert np.array_equal(distances[elsewhere], distance_tiles(before)[elsewhere])


def test_a_small_edit_of_a_large_map_computes_no_distance_anew(counted):
    rng = np.random.default_rng(3)
    tissue_map = map_of(islands(rng, (200, 240)))
    # A tumor of its own, with a rim that is taken away, and others around.
    tissue_map.classes[80:120, 100:140] = CODES["T"]
    before = spatial_features(copy(tissue_map))
    tissue_map.classes[80:84, 100:104] = CODES["H"]
    after = follow(before, tissue_map, before.mixture)
    assert counted == {"regions_of_tumor": 1, "distance_tiles": 0}
    assert not np.array_equal(after.distance_tiles, before.distance_tiles)
    assert_same(after, spatial_features(tissue_map, before.options, before.mixture))
