"""The simulations of the design (NEIGHBOURS.md 3.2): lesions whose interface is known."""

import numpy as np
import pytest

from napari_crlm_spa._tests.core.spatial.interface.drawn import (
    HEP,
    LYM,
    NONE,
    STR,
    TUM,
    lesion,
    lesion_map,
    noisy,
    polar,
    tiles_of,
)
from napari_crlm_spa._tests.core.spatial.maps import map_of
from napari_crlm_spa.core.spatial.interface import InterfaceOptions, measure_interface

LESION = {"radius": 40, "side": 130, "capsule": 3}
WAVES = [0, 4]
ACCURACY_NOISE = 0.066  # the paper's external accuracy is 93.4 %
UNCLEANED = InterfaceOptions(cleaning="none")


def summary(classes, options=None, stride_um=112.0):
    return measure_interface(map_of(classes, stride_um=stride_um), options).summary


@pytest.mark.parametrize("waves", WAVES)
def test_an_encapsulated_lesion_is_100_percent_d(waves):
    found = measure_interface(lesion_map(**LESION, waves=waves))
    assert found.summary.pct_D == 100
    assert found.summary.assessable_fraction == 1
    assert found.calls["strict"].call == "D"
    assert found.summary.rim_median_um == pytest.approx(3 * 112, abs=40)


@pytest.mark.parametrize("waves", WAVES)
@pytest.mark.parametrize("contact", [0.05, 0.25, 1.0])
def test_known_contact_is_found_within_one_point(contact, waves):
    found = summary(lesion(**LESION, contact=contact, waves=waves))
    # Where the capsule ends, contact reaches up to 0.75 tiles under it: 1.5 tiles of 250.
    assert found.pct_N == pytest.approx(100 * contact, abs=1)
    assert found.pct_D == pytest.approx(100 - 100 * contact, abs=1)


def test_forty_portal_islands_in_the_liver_change_nothing():
    plain = lesion(**LESION, contact=0.25)
    with_islands, (distance, _) = plain.copy(), polar(130)
    rng = np.random.default_rng(0)
    islands = 0
    while islands < 40:
        row, col = rng.integers(2, 128, 2)
        if distance[row, col] > 47:
            with_islands[row - 1 : row + 2, col - 1 : col + 2] = STR
            with_islands[row, col] = LYM
            islands += 1
    assert summary(with_islands).pct_D == summary(plain).pct_D
    assert summary(with_islands).rim_median_um == summary(plain).rim_median_um


@pytest.mark.parametrize("capsule", [0, 3])
def test_a_quarter_off_the_tissue_leaves_three_quarters_to_judge(capsule):
    classes = lesion(**LESION | {"capsule": capsule})
    distance, turn = polar(130)
    classes[(turn < 0.25) & (distance >= 40)] = NONE
    found = summary(classes)
    assert found.assessable_fraction == pytest.approx(0.74, abs=0.03)
    assert found.pct_D == (100 if capsule else 0)


def test_noise_never_costs_a_capsule_its_call_after_cleaning():
    for seed in range(10):
        found = measure_interface(map_of(noisy(lesion(**LESION), ACCURACY_NOISE, seed)))
        assert found.summary.pct_N + found.summary.pct_O == 0
        assert found.calls["strict"].call == "D"


def test_without_cleaning_noise_looks_like_contact():
    """The design has 9-10 % false contact; with only the way outward counted we have 5 %."""
    outward = InterfaceOptions(cleaning="none", count_inward=False)
    maps = [noisy(lesion(**LESION), ACCURACY_NOISE, seed) for seed in range(6)]
    false = np.mean([summary(classes, outward).pct_N for classes in maps])
    assert 3 < false < 11
    strict = [measure_interface(map_of(one), outward).calls["strict"].call for one in maps]
    assert "D" not in strict
    # Counting inward as well mends nearly all of it, but not the strict call.
    both_ways = np.mean([summary(classes, UNCLEANED).pct_N for classes in maps])
    assert both_ways < 2
    assert both_ways < false / 2


@pytest.mark.parametrize("contact", [0.02, 0.05, 0.10, 0.25, 0.50])
def test_contact_is_found_within_one_point_under_noise(contact):
    drawn = lesion(**LESION, contact=contact)
    found = [summary(noisy(drawn, ACCURACY_NOISE, seed)).pct_N for seed in range(6)]
    clean = summary(drawn).pct_N
    assert np.mean(found) == pytest.approx(clean, abs=1)
    assert np.mean(found) == pytest.approx(100 * contact, abs=1)


def seen_through_tiles(width_um, stride_um):
    """% D and the median thickness of a capsule seen in tiles of 112 um, over three shifts."""
    pixel_um, radius_um = 7.0, 2400  # a whole number of pixels a stride
    fine = lesion(
        radius=radius_um / pixel_um,
        side=round((2 * radius_um + 2 * width_um + 1600) / pixel_um),
        capsule=width_um / pixel_um,
    )
    found = [
        summary(tiles_of(fine, pixel_um, stride_um, shift_um=shift), stride_um=stride_um)
        for shift in ((0, 0), (40, 24), (16, 72))
    ]
    return (
        np.mean([one.pct_D for one in found]),
        np.mean([one.rim_median_um for one in found]),
    )


@pytest.mark.parametrize(
    ("stride_um", "width_um", "low", "high"),
    [
        (112, 60, 0, 10),  # the design: 0 %
        (112, 100, 15, 60),  # 31 %
        (112, 120, 65, 95),  # 75 %
        (112, 150, 90, 100),  # 94 %
        (112, 200, 100, 100),
        (56, 40, 0, 5),
        (56, 80, 98, 100),
        (28, 40, 0, 25),
        (28, 63, 99, 100),
    ],
)
def test_how_thin_a_capsule_a_stride_shows(stride_um, width_um, low, high):
    found, _ = seen_through_tiles(width_um, stride_um)
    assert low <= found <= high


@pytest.mark.parametrize(("stride_um", "most"), [(112, 51), (56, 31), (28, 31)])
def test_thickness_is_underestimated_by_no_more_than_the_design_says(stride_um, most):
    _, thickness = seen_through_tiles(252, stride_um)
    assert 0 <= 252 - thickness <= most


@pytest.mark.parametrize(
    ("radius", "paper"), [(5, 0.464), (10, 0.236), (20, 0.122), (40, 0.062), (60, 0.042)]
)
def test_the_papers_score_sinks_with_size_where_the_interface_does_not(radius, paper):
    """1.1 to 13.4 mm, all in contact everywhere."""
    side = 2 * radius + 31
    y, x = np.mgrid[:side, :side] - side // 2
    classes = np.where(x**2 + y**2 < radius**2, TUM, HEP)
    found = summary(classes, InterfaceOptions(interaction_denominator="non_tumor"))
    assert found.interaction_paper == pytest.approx(paper, abs=1e-3)
    assert found.interaction_border == 1.0
    assert found.pct_N == 100
    # Contact per area is that of a disc, 2 pi r / (pi r^2).
    assert found.contact_mm_per_mm2 == pytest.approx(2 / (radius * 0.112), rel=0.08)
