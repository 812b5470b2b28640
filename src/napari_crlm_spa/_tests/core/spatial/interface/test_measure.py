"""The whole measurement: what it must not depend on, what it does where there is nothing."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_crlm_spa._tests.core.spatial.interface.drawn import (
    HEP,
    NONE,
    STR,
    TUM,
    lesion,
    lesion_map,
    noisy,
)
from napari_crlm_spa._tests.core.spatial.maps import drawn, map_of
from napari_crlm_spa.core.classes import CRC9
from napari_crlm_spa.core.spatial.interface import (
    RESEARCH_USE_ONLY,
    InterfaceCode,
    InterfaceOptions,
    calls,
    measure_interface,
    patient_summary,
    refusals,
    sensitivity,
    worst_of_patient,
)
from napari_crlm_spa.errors import ModelError

PARTLY = {"radius": 25, "side": 90, "capsule": 3, "contact": 0.3, "waves": 3}


def blob(seed):
    """A lesion without any symmetry in liver, its capsule here and there interrupted."""
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.standard_normal((70, 70)), 6)
    y, x = np.mgrid[:70, :70] - 35
    field = field / field.std() - (np.hypot(y, x) / 18) ** 2 + 1.5
    classes = np.full((70, 70), HEP, np.uint8)
    tumor = field > 0
    near = ndimage.distance_transform_edt(~tumor) <= 2.9
    gaps = ndimage.gaussian_filter(rng.standard_normal((70, 70)), 6) > 0
    classes[near & ~gaps] = STR
    classes[tumor] = TUM
    return noisy(classes, 0.05, seed)


def numbers(classes, **options):
    found = measure_interface(map_of(classes, stride_um=112.0), InterfaceOptions(**options)).summary
    return np.array([found.pct_D, found.pct_N, found.pct_O, found.interface_mm])


def turned(classes):
    return np.rot90(classes), classes[::-1], classes.T


@given(seed=st.integers(0, 500))
@settings(max_examples=12, deadline=None)
def test_turning_and_mirroring_the_slide_change_only_where_points_lie(seed):
    classes = blob(seed)
    here = numbers(classes, smooth_um=0)
    for other in turned(classes):
        there = numbers(other, smooth_um=0)
        assert np.allclose(there[:3], here[:3], atol=1, equal_nan=True)
        assert there[3] == pytest.approx(here[3], rel=0.01)


def test_turning_decides_otherwise_only_over_runs_about_as_long_as_the_shortest():
    # Points lie a fraction of a tile elsewhere, so that a run of just 300 um stays or goes.
    differences = []
    for seed in range(12):
        classes = blob(seed)
        here = numbers(classes)[:3]
        differences += [np.abs(numbers(other)[:3] - here).max() for other in turned(classes)]
    assert np.median(differences) < 0.5


@given(seed=st.integers(0, 500))
@settings(max_examples=12, deadline=None)
def test_percentages_sum_to_100_and_lengths_to_the_whole(seed):
    found = measure_interface(map_of(blob(seed)))
    every = found.summary
    assert every.pct_D + every.pct_N + every.pct_O == pytest.approx(100)
    assert every.pct_D_stroma + every.pct_D_lymphocytes == pytest.approx(every.pct_D)
    total_um = sum(run.length_um for run in found.runs)
    assert total_um / 1000 == pytest.approx(every.interface_mm)
    assert sum(line.length_um for line in found.contours) == pytest.approx(total_um)
    assert every.assessable_mm == pytest.approx(every.interface_mm * every.assessable_fraction)
    assert sum(one.interface_mm for one in found.lesions) == pytest.approx(every.interface_mm)
    for line in found.contours:
        rim = line.codes == InterfaceCode.D
        assert not np.isfinite(line.thickness_um[~rim]).any()


def test_moving_the_lesion_on_a_larger_slide_moves_only_its_place():
    classes = blob(7)
    larger = np.full((120, 150), NONE, np.uint8)
    larger[30:100, 50:120] = classes
    here, there = measure_interface(map_of(classes)), measure_interface(map_of(larger))
    assert there.summary.as_dict() == pytest.approx(here.summary.as_dict(), nan_ok=True)
    moved = there.contours[0].vertices_um - here.contours[0].vertices_um
    assert moved == pytest.approx(np.broadcast_to([50 * 112, 30 * 112], moved.shape))


@pytest.mark.parametrize("stride_um", [28.0, 56.0, 112.0, 224.0])
def test_finer_tiles_of_the_same_lesion_give_the_same_percentages(stride_um):
    tile = stride_um / 112
    classes = lesion(radius=40 / tile, side=round(110 / tile), capsule=5 / tile, contact=0.3)
    found = measure_interface(map_of(classes, stride_um=stride_um)).summary
    assert found.pct_N == pytest.approx(30, abs=1.5)
    assert found.interface_mm == pytest.approx(2 * np.pi * 40 * 0.112, rel=0.02)
    assert found.tumor_mm2 == pytest.approx(np.pi * 40**2 * 0.112**2, rel=0.02)
    # To the nearest point of a stair of liver: less than the true 560 um by up to half a tile.
    assert 560 - 0.5 * stride_um < found.rim_median_um <= 565


def test_the_frame_is_the_slides():
    found = measure_interface(lesion_map(radius=20, side=71))
    x, y = found.contours[0].vertices_um.T
    assert (x.mean(), y.mean()) == pytest.approx((35.5 * 112, 35.5 * 112), abs=30)
    assert found.contours[0].length_um == pytest.approx(2 * np.pi * 20 * 112, rel=0.02)
    assert np.diff(found.contours[0].arc_um) == pytest.approx(found.contours[0].spacing_um)


def test_masks_for_overlays_do_not_overlap():
    found = measure_interface(map_of(blob(3)))
    assert found.body.shape == found.liver.shape == (70, 70)
    assert not (found.body & found.liver).any()


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (np.full((30, 30), HEP), "no lesion"),
        (np.full((30, 30), TUM), "no liver"),
        (np.zeros((30, 30)), "no lesion"),
        ([[TUM]], "no lesion"),
        ([[HEP]], "no lesion"),
        (np.zeros((0, 0)), "no lesion"),
    ],
    ids=["liver only", "tumor only", "glass", "a tumor tile", "a liver tile", "nothing"],
)
def test_where_there_is_no_interface_the_refusal_says_why(classes, words):
    found = measure_interface(map_of(classes))
    (refusal,) = found.refusals
    assert words in refusal
    assert {call.call for call in found.calls.values()} == {None}
    assert np.isnan(found.summary.pct_D)
    assert found.worst is None
    json.dumps(found.as_dict(), allow_nan=False)
    assert len(found.tables()["summary"]) == 1


def test_a_classifier_without_liver_is_told_apart_from_a_slide_without_liver():
    tissue_map = map_of(np.full((30, 30), CRC9.code("TUM")), scheme=CRC9)
    (refusal,) = measure_interface(tissue_map).refusals
    assert "does not know liver" in refusal


def test_a_scheme_without_tumor_is_an_error():
    import dataclasses

    without = dataclasses.replace(CRC9, classes=CRC9.classes[:3])
    with pytest.raises(ModelError, match="TUM"):
        measure_interface(map_of([[1]], scheme=without))


def test_too_short_an_interface_and_too_little_to_judge_are_refused():
    small = measure_interface(lesion_map(radius=6, side=40))
    assert "4." in small.refusals[0]
    assert "5 mm" in small.refusals[0]
    assert small.summary.pct_N == 100  # measured all the same
    classes = lesion(radius=40, side=120)
    turn = np.arctan2(*(np.mgrid[:120, :120] - 59.5)) / np.pi
    outside = classes == HEP
    classes[outside & (np.abs(turn) > 0.15)] = NONE
    hidden = measure_interface(map_of(classes), InterfaceOptions(min_interface_mm=1))
    assert hidden.summary.assessable_fraction == pytest.approx(0.15, abs=0.03)
    assert "can be judged" in hidden.refusals[0]
    assert hidden.calls["strict"].call is None


@pytest.mark.parametrize(
    ("contact", "expected"),
    [
        (0.0, ("D", "D", "D")),
        (0.03, ("non-D", "D", "D")),
        (0.3, ("non-D", "non-D", "D")),
        (0.7, ("non-D", "non-D", "non-D")),
    ],
)
def test_each_rule_has_its_own_cutoff(contact, expected):
    found = measure_interface(lesion_map(radius=40, side=120, capsule=3, contact=contact))
    called = tuple(found.calls[rule].call for rule in ("strict", "tolerant", "predominant"))
    assert called == expected
    assert found.calls["continuous"].call is None
    assert f"{found.summary.pct_D:.1f} %" in found.calls["continuous"].reason


def two_lesions():
    classes = np.full((70, 150), HEP, np.uint8)
    classes[:, :70] = lesion(radius=22, side=70, capsule=3)
    classes[:, 80:] = lesion(radius=15, side=70, contact=1)
    return classes


def test_the_worst_lesion_is_the_one_with_the_least_rim():
    found = measure_interface(map_of(two_lesions()))
    assert [one.pct_D for one in found.lesions] == [100, 0]
    assert found.worst.lesion == 2
    weights = [one.assessable_mm for one in found.lesions]
    assert found.summary.pct_D == pytest.approx(100 * weights[0] / sum(weights))
    assert found.calls["strict"].call == "non-D"


def test_a_patients_slides_are_weighted_by_their_length():
    slides = [
        measure_interface(lesion_map(radius=30, side=100, capsule=3)),
        measure_interface(lesion_map(radius=15, side=60, stride_um=56.0)),
    ]
    pooled = patient_summary(slides)
    lengths = [one.summary.assessable_mm for one in slides]
    assert pooled.pct_D == pytest.approx(100 * lengths[0] / sum(lengths))
    assert pooled.tumor_mm2 == pytest.approx(sum(one.summary.tumor_mm2 for one in slides))
    assert worst_of_patient(slides).pct_D == 0
    options = InterfaceOptions()
    assert calls(pooled, refusals(pooled, options), options)["strict"].call == "non-D"
    assert worst_of_patient([]) is None


def test_what_is_known_of_the_patient_is_flagged():
    plain = measure_interface(lesion_map(**PARTLY)).notes
    flagged = measure_interface(lesion_map(**PARTLY), slides_of_patient=1, pretreated=True).notes
    assert len(flagged) == len(plain) + 2
    assert any("chemotherapy" in note for note in flagged)


@pytest.mark.parametrize(
    ("stride_um", "limit"), [(112.0, 200), (56.0, 80), (28.0, 60), (100.0, None)]
)
def test_the_thinnest_capsule_is_named_for_measured_strides_only(stride_um, limit):
    found = measure_interface(lesion_map(**PARTLY, stride_um=stride_um))
    sentence = found.notes[0]
    if limit is None:
        assert np.isnan(found.summary.detection_limit_um)
        assert "was not measured" in sentence
    else:
        assert found.summary.detection_limit_um == limit
        assert f"about {limit} µm" in sentence


def test_everything_carries_the_disclaimer_and_no_claim_of_replacement_or_pushing():
    found = measure_interface(lesion_map(**PARTLY))
    said = found.as_dict()
    assert said["disclaimer"] == RESEARCH_USE_ONLY == found.disclaimer
    assert "research use only" in RESEARCH_USE_ONLY
    rest = json.dumps(said).replace(RESEARCH_USE_ONLY, "").lower()
    assert "replacement" not in rest
    assert "pushing" not in rest


def test_the_tables_hold_what_the_contours_hold():
    found = measure_interface(map_of(two_lesions()))
    tables = found.tables()
    points = tables["contours"]
    assert len(points) == sum(len(line.codes) for line in found.contours)
    assert points["x_um"].to_numpy()[:5] == pytest.approx(found.contours[0].vertices_um[:5, 0])
    assert (points.groupby("lesion")["code"].agg(set) == [{"D"}, {"N"}]).all()
    assert tables["runs"]["length_um"].sum() == pytest.approx(
        1000 * tables["summary"]["interface_mm"].iloc[0]
    )
    assert tables["lesions"]["pct_D"].tolist() == [100, 0]
    assert tables["summary"]["call_strict"].tolist() == ["non-D"]


def test_an_empty_map_has_tables_with_the_same_columns():
    empty, full = (measure_interface(map_of(c)).tables() for c in ([[HEP]], two_lesions()))
    for name in ("contours", "runs", "summary"):
        assert list(empty[name].columns) == list(full[name].columns)


def test_the_sensitivity_run_varies_one_limit_at_a_time():
    steps = sensitivity(lesion_map(**PARTLY))
    seen = []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as done:
            table = done.value
            break
    assert len(table) == len(seen) == seen[0].total
    assert table["change_pct_D"].iloc[0] == 0
    halved = table[(table.parameter == "closing_um") & (table.change == "halved")]
    assert halved["value"].tolist() == [125.0]
    # More tiles are contact if contact reaches farther.
    reach = table[(table.parameter == "contact_tiles") & (table.change == "doubled")]
    assert (reach["change_pct_D"] < 0).all()
    assert not table["parameter"].isin(["smoothing_tiles", "min_interface_mm"]).any()


def test_letters_give_the_same_as_numbers():
    """A map small enough to check by eye: rim above, contact below."""
    tissue_map = drawn(
        """
        HHHHHHHHHHHHHHHH
        HHHHHHHHHHHHHHHH
        SSSSSSSSSSSSSSSS
        SSSSSSSSSSSSSSSS
        TTTTTTTTTTTTTTTT
        TTTTTTTTTTTTTTTT
        TTTTTTTTTTTTTTTT
        TTTTTTTTTTTTTTTT
        TTTTTTTTTTTTTTTT
        HHHHHHHHHHHHHHHH
        HHHHHHHHHHHHHHHH"""
    )
    found = measure_interface(tissue_map, InterfaceOptions(min_interface_mm=1))
    (line,) = found.contours
    middle = (line.vertices_um[:, 0] > 4 * 112) & (line.vertices_um[:, 0] < 12 * 112)
    upper = line.vertices_um[:, 1] < 6 * 112
    assert set(line.codes[middle & upper]) == {InterfaceCode.D}
    assert set(line.codes[middle & ~upper]) == {InterfaceCode.N}
    assert line.thickness_um[middle & upper] == pytest.approx(224, abs=1)
