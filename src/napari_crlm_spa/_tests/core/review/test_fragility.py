"""The tiles that would flip the risk group, on maps where the answer is known."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa._tests.core.review.insight_maps import (
    CODE,
    DEBRIS,
    certain,
    debris_only,
    features_of,
    finished,
    hundred,
    reports,
    two_terms,
    unsure,
    with_state,
)
from napari_crlm_spa.core.review.fragility import FragilityOptions, fragility
from napari_crlm_spa.core.risk import RiskFeature, RiskModel, assess_risk, load_risk_model
from napari_crlm_spa.core.spatial import spatial_features
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.errors import ReviewError


def doubtful_stroma(n, chance=0.4, n_debris=10):
    """Stroma that may be debris: the last n tiles of `hundred`."""
    tissue_map = hundred(n_debris=n_debris)
    flat = np.arange(100 - n, 100)
    return unsure(tissue_map, flat // 10, flat % 10, "DEB", chance)


def relabeled(tissue_map, found):
    classes = tissue_map.classes.copy()
    classes[found.tiles.rows, found.tiles.cols] = found.tiles.to_codes
    return classes


def searched(tissue_map, model, **options):
    return finished(fragility(features_of(tissue_map), model, FragilityOptions(**options)))


@pytest.mark.parametrize("cutoff, needed", [(0.105, 1), (0.135, 4), (0.175, 8), (0.29, 20)])
def test_as_many_tiles_as_the_cutoff_is_away(cutoff, needed):
    found = searched(doubtful_stroma(20), debris_only(cutoff))
    assert found.found
    assert len(found.tiles) == needed
    assert (found.group_before, found.group_after) == ("low", "high")
    assert (found.score_before, found.score_after) == (0, 0.5)
    assert found.covered == {DEBRIS: 1.0}
    assert f"{needed} doubtful tile" in found.sentence


def test_the_set_does_flip_the_group():
    tissue_map, model = doubtful_stroma(20), debris_only(0.155)
    found = searched(tissue_map, model)
    features = features_of(tissue_map)
    edited = certain(relabeled(tissue_map, found))
    after = assess_risk(spatial_features(edited, features.options, features.mixture), model)
    assert after.group == found.group_after == "high"
    assert after.score == found.score_after


def test_the_likelier_of_equal_tiles_are_taken_first():
    tissue_map = doubtful_stroma(10, chance=np.linspace(0.2, 0.45, 10))
    found = searched(tissue_map, debris_only(0.125))
    assert found.tiles.cols.tolist() == [9, 8, 7]
    table = found.as_frame()
    assert table["order"].tolist() == [1, 2, 3]
    assert table["class"].tolist() == ["STR"] * 3
    assert table["second_class"].tolist() == ["DEB"] * 3
    assert table["second_probability"].iloc[0] == pytest.approx(0.45, abs=1e-3)


def test_tiles_that_a_reader_settled_are_not_used():
    tissue_map = doubtful_stroma(6)
    settled = with_state(tissue_map, [9, 9, 9], [4, 5, 6], TileState.ACCEPTED)
    settled = with_state(settled, [9], [7], TileState.EDITED)
    found = searched(settled, debris_only(0.115))
    assert found.candidates == 2
    assert sorted(found.tiles.cols.tolist()) == [8, 9]


def test_too_few_tiles_say_how_far_they_come():
    found = searched(doubtful_stroma(4), debris_only(0.18))
    assert not found.found
    assert len(found.tiles) == 4
    assert found.covered[DEBRIS] == pytest.approx(0.5)
    assert "only 4 of 4 doubtful tiles help" in found.sentence
    assert "50%" in found.sentence
    assert found.group_after == "low"


def test_the_limit_is_kept():
    found = searched(doubtful_stroma(20), debris_only(0.175), max_tiles=5)
    assert not found.found
    assert len(found.tiles) == 5
    assert "5 tiles were allowed" in found.sentence


def test_unlikely_classes_do_not_count():
    found = searched(doubtful_stroma(20, chance=0.05), debris_only(0.105))
    assert not found.found
    assert found.candidates == 0


def test_the_nearer_of_two_ways_is_taken():
    # Low: either debris has to rise by 8 tiles, or lymphocytes have to fall by 2.
    tissue_map = unsure(doubtful_stroma(15), [7] * 6, range(6), "STR", 0.3)
    features = features_of(tissue_map)
    model = two_terms(cutoffs=(0.175, 0.085), threshold=0.0)
    assert assess_risk(features, model).group == "low"
    found = finished(fragility(features, model))
    assert len(found.tiles) == 2
    assert set(found.tiles.from_codes) == {CODE["LYM"]}
    assert found.group_after == "high"


def test_two_terms_may_have_to_change_together():
    tissue_map = unsure(doubtful_stroma(15), [7] * 6, range(6), "STR", 0.3)
    model = two_terms(cutoffs=(0.125, 0.085), threshold=0.5)  # debris up and lymphocytes down
    found = searched(tissue_map, model)
    assert found.found
    assert len(found.tiles) == 5
    assert set(found.covered.values()) == {1.0}


def test_a_group_that_cannot_be_left():
    found = searched(doubtful_stroma(5), debris_only(0.12, threshold=-1.0))
    assert not found.found
    assert found.group_before == "high"
    assert "whatever its tiles were" in found.sentence


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_never_smaller_than_the_smallest_set(seed):
    """Against all subsets: nothing is missed by more than the greedy's slack, nothing invented."""
    rng = np.random.default_rng(seed)
    tissue_map = hundred()
    at = rng.choice(np.arange(60, 100), 7, replace=False)
    for one in at:
        other = rng.choice(["DEB", "LYM", "STR", "HEP"])
        if CODE[other] != tissue_map.classes.flat[one]:
            unsure(tissue_map, [one // 10], [one % 10], other, 0.3)
    features = features_of(tissue_map)
    model = two_terms((rng.uniform(0.07, 0.13), rng.uniform(0.07, 0.13)), threshold=0.1)
    found = finished(fragility(features, model))
    before = assess_risk(features, model).group
    doubtful = np.argwhere(tissue_map.probabilities.max(axis=2) < 1)

    def flips(tiles):
        classes = tissue_map.classes.copy()
        for row, col in tiles:
            p = tissue_map.probabilities[row, col].astype(float)
            p[classes[row, col] - 1] = 0
            classes[row, col] = p.argmax() + 1
        after = spatial_features(certain(classes), features.options, features.mixture)
        return assess_risk(after, model).group != before

    sizes = (
        n
        for n in range(1, len(doubtful) + 1)
        if any(flips(tiles) for tiles in itertools.combinations(doubtful, n))
    )
    smallest = next(sizes, None)
    if found.found:
        assert flips(list(zip(found.tiles.rows, found.tiles.cols, strict=True)))
        assert smallest <= len(found.tiles) <= smallest + 1
    else:
        assert smallest is None


def test_weighted_takes_any_other_class():
    tissue_map = hundred()
    # Second likeliest: liver; but only debris helps.
    tissue_map.probabilities[9, :] = 0
    for name, p in (("STR", 0.5), ("HEP", 0.3), ("DEB", 0.2)):
        tissue_map.probabilities[9, :, CODE[name] - 1] = p
    model = debris_only(0.125)
    assert not searched(tissue_map, model).found
    found = searched(tissue_map, model, alternatives="weighted")
    assert len(found.tiles) == 3
    assert set(found.tiles.to_codes) == {CODE["DEB"]}


def test_models_without_cutoffs_have_no_group_to_flip():
    with pytest.raises(ReviewError, match="does not say where to split"):
        searched(doubtful_stroma(5), load_risk_model())


def test_refused_slides_have_no_group_to_flip():
    tissue_map = certain(np.full((4, 4), CODE["STR"]))
    with pytest.raises(ReviewError, match="no tile was classified as tumor"):
        searched(tissue_map, debris_only(0.2))


def test_progress_is_reported_and_can_be_cancelled():
    work = fragility(features_of(doubtful_stroma(20)), debris_only(0.175))
    next(work)
    second = next(work)
    assert 0 < second.done <= second.total
    work.close()
    assert len(reports(work)) == 0


def test_an_unknown_feature_is_named():
    columns = (DEBRIS, "Distal_Hepatocyte_ratio")
    terms = tuple(RiskFeature(column=c, coefficient=0.5, cutoff=0.01) for c in columns)
    model = RiskModel(name="unknown", features=terms, threshold=0.5)
    classes = hundred().classes.copy()
    classes[9, 9] = CODE["HEP"]
    features = spatial_features(certain(classes))  # one tile of liver cannot be split
    assert assess_risk(features, model).group == "high"
    with pytest.raises(ReviewError, match=r"cannot be told. Distal_Hepatocyte_ratio"):
        finished(fragility(features, model))
