"""Leave-one-out effects against the features of relabeled maps, computed in full."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa._tests.core.review.insight_maps import finished, two_terms
from napari_crlm_spa._tests.core.spatial.maps import (
    drawn,
    fixed_thresholds,
    map_of,
    small_options,
)
from napari_crlm_spa.core.classes import CRC9
from napari_crlm_spa.core.review import region_loss
from napari_crlm_spa.core.review.effects import (
    PushKind,
    push_kind,
    push_limits,
    tile_effects,
)
from napari_crlm_spa.core.risk import assess_risk, load_risk_model
from napari_crlm_spa.core.spatial import (
    FEATURES,
    SpatialOptions,
    TumorRegionOptions,
    ZoneOptions,
    spatial_features,
)
from napari_crlm_spa.errors import ReviewError


def effects_of(tissue_map, options=None, mixture=None, columns=None):
    features = spatial_features(tissue_map, options, mixture)
    return features, finished(tile_effects(features, columns))


def relabeled(features, row, col):
    """Features of the map in which one tile is background, under the same thresholds."""
    tissue_map = features.tissue_map
    classes = tissue_map.classes.copy()
    if "BACK" in tissue_map.scheme.names:
        classes[row, col] = tissue_map.scheme.code("BACK")
    edited = map_of(
        classes, edge=tissue_map.edge, stride_um=tissue_map.stride_um, scheme=tissue_map.scheme
    )
    return spatial_features(edited, features.options, features.mixture)


def assert_as_brute_force(features, effects, columns=None):
    columns = list(columns or FEATURES)
    classes = features.tissue_map.classes
    for row, col in np.argwhere(classes > 0):
        full = relabeled(features, row, col)
        expected = [full.values[column] for column in columns]
        np.testing.assert_allclose(
            effects.without[row, col], expected, rtol=0, atol=1e-12, err_msg=f"{row}, {col}"
        )
        refused = full.refusal is not None and features.refusal is None
        assert effects.refused[row, col] == refused or features.refusal is not None
    assert np.isnan(effects.without[classes == 0]).all()
    assert not effects.pending.any()


def blobs(rng, shape=(20, 24), n_tumors=2, noise=0.08):
    """Round tumors with ragged rims and holes in a mixed tissue."""
    rows, cols = np.indices(shape)
    classes = rng.choice([1, 2, 3, 3, 3, 4, 5, 6, 6], shape).astype(np.uint8)
    for _ in range(n_tumors):
        r, c = rng.integers(3, shape[0] - 3), rng.integers(3, shape[1] - 3)
        classes[np.hypot(rows - r, cols - c) < rng.uniform(2, 7)] = 7
    flip = rng.random(shape) < noise
    classes[flip] = rng.integers(0, 8, int(flip.sum()))
    return classes


OPTIONS = {
    "as the paper": {},
    "of nine": {"interaction_denominator": "nine"},
    "of non-tumor": {"interaction_denominator": "non_tumor"},
    "background counts": {"count_background": True},
    "edge does not count": {"count_edge": False},
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("inside", ["infiltrating", "fitted", "signed"])
def test_effects_are_those_of_the_relabeled_map(name, inside):
    rng = np.random.default_rng(list(OPTIONS).index(name) * 3 + len(inside))
    edge = rng.random((20, 24)) < 0.1
    near = -1.0 if inside == "signed" else 2.0
    mixture = fixed_thresholds(near, 4.0, inside=inside)
    options = small_options(12, **OPTIONS[name])
    features, effects = effects_of(map_of(blobs(rng), edge=edge), options, mixture)
    assert_as_brute_force(features, effects)


@pytest.mark.parametrize("dilate, erode", [(5, 3), (1, 1), (3, 5), (7, 3), (9, 9)])
@pytest.mark.parametrize("fill", [True, False])
def test_effects_are_exact_for_every_box(dilate, erode, fill):
    rng = np.random.default_rng(dilate * 10 + erode)
    regions = TumorRegionOptions(
        dilate_tiles=dilate, erode_tiles=erode, fill_holes=fill, min_tiles=8
    )
    options = SpatialOptions(regions=regions, min_tumor_tiles=5)
    features, effects = effects_of(map_of(blobs(rng)), options, fixed_thresholds(2.3))
    assert_as_brute_force(features, effects)


@given(
    seed=st.integers(0, 2**32 - 1),
    near=st.floats(0.5, 5),
    min_tiles=st.sampled_from([1, 10, 30]),
    n_tumors=st.integers(0, 3),
    noise=st.sampled_from([0.0, 0.02, 0.3]),
    fill=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_effects_are_exact_on_any_map(seed, near, min_tiles, n_tumors, noise, fill):
    rng = np.random.default_rng(seed)
    classes = blobs(rng, (15, 17), n_tumors, noise)
    regions = TumorRegionOptions(min_tiles=min_tiles, fill_holes=fill)
    options = SpatialOptions(regions=regions, min_tumor_tiles=min_tiles)
    features, effects = effects_of(map_of(classes), options, fixed_thresholds(near, near + 1))
    assert_as_brute_force(features, effects)


def test_a_tissue_without_thresholds_stays_exact():
    rng = np.random.default_rng(5)
    mixture = fixed_thresholds(2.0)
    tissues = dict(mixture.tissues)
    tissues.pop("HEP")
    mixture = mixture.model_copy(update={"tissues": tissues})
    features, effects = effects_of(map_of(blobs(rng)), small_options(10), mixture)
    assert np.isnan(features.values["Distal_Hepatocyte_ratio"])
    assert_as_brute_force(features, effects)


def test_another_scheme_has_no_hepatocytes():
    rng = np.random.default_rng(6)
    classes = rng.integers(1, 9, (14, 14)).astype(np.uint8)
    classes[3:11, 3:11] = CRC9.code("TUM")
    features, effects = effects_of(
        map_of(classes, scheme=CRC9), small_options(10), fixed_thresholds(2.0)
    )
    assert_as_brute_force(features, effects)
    assert np.isnan(effects.of("TUM_HEP_interaction")).all()


@pytest.mark.parametrize("picture", ["T", "S", ".", "TS HH", "TT.TT TT.TT"])
def test_the_smallest_maps_are_exact(picture):
    features, effects = effects_of(drawn(picture), small_options(1), fixed_thresholds(1.0))
    assert_as_brute_force(features, effects)


def test_the_bridge_of_a_narrow_tumor_is_needed_for_the_risk():
    classes = np.full((9, 21), 3, np.uint8)
    classes[2:7, 2:9] = classes[2:7, 10:17] = 7
    classes[4, 9] = 7
    features, effects = effects_of(map_of(classes), small_options(40), fixed_thresholds(2.0))
    assert features.refusal is None
    assert effects.refused[4, 9]
    assert effects.refused.sum() == 1
    assert_as_brute_force(features, effects)


def test_a_rim_is_weighed_without_computing_all_anew(monkeypatch):
    rng = np.random.default_rng(3)
    classes = blobs(rng, (40, 50), 3, 0.02)
    features = spatial_features(map_of(classes), small_options(20), fixed_thresholds(3.0))
    full, quick = [], []
    original = region_loss.RegionLoss.zone_counts

    def counting(self, tile):
        found = original(self, tile)
        (full if found is None else quick).append(tile)
        return found

    monkeypatch.setattr(region_loss.RegionLoss, "zone_counts", counting)
    finished(tile_effects(features))
    assert len(quick) > 20
    assert len(full) < len(quick) / 4


def test_the_first_result_names_what_is_pending():
    classes = blobs(np.random.default_rng(3), (40, 50), 3, 0.02)
    features = spatial_features(map_of(classes), small_options(20), fixed_thresholds(3.0))
    reports = tile_effects(features)
    first = next(report.changed for report in reports if report.changed is not None)
    final = finished(reports)
    assert first.pending.any()
    assert (classes[first.pending] == 7).all()
    np.testing.assert_array_equal(first.without[~first.pending], final.without[~first.pending])
    assert np.isnan(first.without[first.pending]).all()


# -- score and push ---------------------------------------------------------------------------


def tumor_beside(n_debris, n_lymphocytes, n_stroma):
    """A tumor of 60 tiles and some others."""
    letters = "D" * n_debris + "L" * n_lymphocytes + "S" * n_stroma
    n_cols = 12
    lines = ["T" * n_cols] * 5 + [
        letters[i : i + n_cols].ljust(n_cols, ".") for i in range(0, len(letters), n_cols)
    ]
    return drawn(" ".join(lines))


def test_score_change_is_that_of_the_relabeled_map():
    tissue_map = tumor_beside(21, 10, 9)  # debris: 21 of 100
    features, effects = effects_of(tissue_map, mixture=fixed_thresholds(2.0))
    model = two_terms((0.21 - 1e-9, 0.1 + 1e-4), threshold=0.25)
    before = assess_risk(features, model)
    assert before.score == 0.5
    change, flips = effects.score_change(model), effects.flips(model)
    for row, col in np.argwhere(tissue_map.classes > 0):
        after = assess_risk(relabeled(features, row, col), model)
        assert change[row, col] == pytest.approx(after.score - before.score, abs=1e-12)
        assert flips[row, col] == (after.group != before.group)
    # Without a debris tile both shares pass their cut-offs; without stroma the lymphocytes' does.
    assert (change[tissue_map.mask("DEB")] == -0.75).all()
    assert (change[tissue_map.mask("STR")] == -0.25).all()
    assert (change[tissue_map.mask("LYM")] == 0).all()


def test_push_has_the_signs_of_the_coefficients():
    tissue_map = tumor_beside(10, 10, 20)
    _, effects = effects_of(tissue_map, mixture=fixed_thresholds(2.0))
    push = effects.push(two_terms())
    assert (push[tissue_map.mask("DEB")] > 0).all()
    assert (push[tissue_map.mask("LYM")] < 0).all()
    assert np.isnan(push[tissue_map.classes == 0]).all()


def test_push_is_the_share_of_the_way_to_the_cutoffs():
    tissue_map = tumor_beside(10, 5, 25)  # 100 tiles
    _, effects = effects_of(tissue_map, mixture=fixed_thresholds(2.0))
    debris = (10 / 100 - 9 / 99) / (0.2 - 0.1) * 0.5
    lymphocytes = (5 / 100 - 5 / 99) / (0.1 - 0.05) * -0.25
    push = effects.push(two_terms())[tissue_map.mask("DEB")]
    np.testing.assert_allclose(push, debris + lymphocytes, atol=1e-12)
    # What is shown is the push of 1 % of the tissue: here that is one tile.
    np.testing.assert_allclose(effects.shown_push(two_terms())[tissue_map.mask("DEB")], push)


def test_shown_push_does_not_shrink_as_the_slide_grows():
    shown = []
    for side in (1, 3):
        tissue_map = tumor_beside(10, 10, 20)
        classes = np.tile(tissue_map.classes, (1, side))
        _, effects = effects_of(map_of(classes), mixture=fixed_thresholds(2.0))
        push = effects.shown_push(two_terms())
        shown.append(np.nanmax(push))
    assert shown[0] == pytest.approx(shown[1], rel=0.05)


def test_no_tile_pushes_more_than_its_terms_weigh():
    tissue_map = tumor_beside(10, 10, 20)
    _, effects = effects_of(tissue_map, mixture=fixed_thresholds(2.0))
    on_the_cutoffs = two_terms((0.1, 0.1))
    push = effects.push(on_the_cutoffs)
    assert np.nanmax(np.abs(push)) == pytest.approx(0.75)
    assert push_limits(on_the_cutoffs) == (-0.5, 0.5)


def test_a_background_tile_changes_nothing():
    rng = np.random.default_rng(8)
    classes = blobs(rng)
    _, effects = effects_of(map_of(classes), small_options(10), fixed_thresholds(2.0))
    background = effects.change[classes == 1]
    assert (background == 0).all()


def test_a_model_without_cutoffs_pushes_relative_to_the_features():
    tissue_map = tumor_beside(10, 10, 20)
    _, effects = effects_of(tissue_map, mixture=fixed_thresholds(2.0))
    model = two_terms((None, None))
    assert push_kind(model) is PushKind.ITSELF
    assert push_kind(two_terms()) is PushKind.CUTOFFS
    debris = (0.1 - 9 / 99) / 0.1 * 0.5 + (0.1 - 10 / 99) / 0.1 * -0.25
    np.testing.assert_allclose(effects.push(model)[tissue_map.mask("DEB")], debris, atol=1e-12)
    with pytest.raises(ReviewError, match="cut-offs"):
        effects.score_change(model)


def test_a_refused_slide_has_no_push_but_effects():
    tissue_map = drawn("TTS SSH HHD")
    _, effects = effects_of(tissue_map, mixture=fixed_thresholds(2.0))
    assert effects.of("Overall_Debris_ratio")[2, 2] == pytest.approx(-1 / 9)
    with pytest.raises(ReviewError, match="No risk for this slide"):
        effects.push(two_terms())


def test_only_the_features_asked_for_are_computed():
    tissue_map = tumor_beside(10, 10, 20)
    model = load_risk_model()
    columns = [feature.column for feature in model.features]
    features, effects = effects_of(tissue_map, mixture=fixed_thresholds(2.0), columns=columns)
    assert effects.without.shape == (*tissue_map.shape, 4)
    assert_as_brute_force(features, effects, columns)
    with pytest.raises(ReviewError, match="was not computed"):
        effects.of("TUM_LYM_interaction")


def test_the_table_has_one_row_per_tile():
    tissue_map = tumor_beside(10, 10, 20)
    _, effects = effects_of(tissue_map, mixture=fixed_thresholds(2.0))
    table = effects.as_frame(two_terms())
    assert len(table) == 100
    first = table[(table["class"] == "DEB")].iloc[0]
    assert first["Overall_Debris_ratio_change"] == pytest.approx(9 / 99 - 0.1)
    assert first["score_change"] == -0.25  # 10 of 99 lymphocytes are above their cut-off
    assert {"push", "row", "col"} <= set(table.columns)


def test_signed_thresholds_outside_are_exact():
    rng = np.random.default_rng(11)
    mixture = fixed_thresholds(1.5, 3.0, inside="signed")
    options = small_options(12, zones=ZoneOptions(inside="signed", components=3))
    features, effects = effects_of(map_of(blobs(rng)), options, mixture)
    assert_as_brute_force(features, effects)
