"""What each rule makes of a straight border: tumor on the left, liver on the right."""

import numpy as np
import pytest

from napari_crlm_spa._tests.core.spatial.interface.drawn import (
    DEB,
    HEP,
    LYM,
    MUC,
    NONE,
    STR,
    TUM,
    lesion,
    polar,
)
from napari_crlm_spa._tests.core.spatial.maps import CODES, map_of
from napari_crlm_spa.core.spatial.interface import (
    InterfaceCode,
    InterfaceOptions,
    measure_interface,
)

BACK = CODES["B"]


def border(*layers, side=40):
    """Tumor in the left 15 columns, then layers of (class, columns), then liver."""
    classes = np.full((side, 60), HEP, np.uint8)
    classes[:, :15] = TUM
    column = 15
    for code, columns in layers:
        classes[:, column : column + columns] = code
        column += columns
    return classes


def codes_facing_liver(classes, rows=slice(10, 30), **options):
    """Raw codes and thickness of the points on the lesion's right side."""
    found = measure_interface(map_of(classes), InterfaceOptions(cleaning="none", **options))
    (line,) = [line for line in found.contours if line.lesion == 1 and not line.inner]
    x, y = line.vertices_um.T / 112
    right = (x > 13) & (y > rows.start) & (y < rows.stop)
    return {InterfaceCode(code).name for code in line.raw_codes[right]}, line.thickness_um[right]


def test_tumor_beside_liver_is_contact():
    assert codes_facing_liver(border())[0] == {"N"}


@pytest.mark.parametrize("rim", [STR, LYM])
@pytest.mark.parametrize("columns", [1, 2, 5, 17])
def test_stroma_or_lymphocytes_between_are_a_rim_of_their_thickness(rim, columns):
    found, thickness = codes_facing_liver(border((rim, columns)))
    assert found == {"D"}
    assert thickness == pytest.approx(112 * columns, abs=1)


@pytest.mark.parametrize("layer", [MUC, DEB])
def test_mucus_or_debris_at_the_edge_is_something_else_and_no_contact(layer):
    assert codes_facing_liver(border((layer, 3)))[0] == {"O"}
    # The plain distance from the outline, without the look inward, takes it for contact.
    assert codes_facing_liver(border((layer, 3)), count_inward=False)[0] == {"N"}


def test_a_rim_needs_half_of_the_way():
    assert codes_facing_liver(border((STR, 3), (TUM, 0), (MUC, 2)), closing_um=0.0)[0] == {"D"}
    assert codes_facing_liver(border((STR, 2), (MUC, 3)), closing_um=0.0)[0] == {"O"}


def test_beyond_2000_um_the_liver_is_too_far_to_judge():
    assert codes_facing_liver(border((STR, 17)))[0] == {"D"}  # 1904 um
    assert codes_facing_liver(border((STR, 18)))[0] == {"U"}  # 2016 um


@pytest.mark.parametrize("off", [NONE, BACK])
def test_a_way_that_leads_over_a_quarter_of_glass_cannot_be_judged(off):
    assert codes_facing_liver(border((STR, 6), (off, 1)))[0] == {"D"}
    assert codes_facing_liver(border((STR, 2), (off, 2)))[0] == {"U"}


def test_a_necrotic_edge_cannot_be_judged():
    assert codes_facing_liver(border((DEB, 4)))[0] == {"O"}  # 448 um to living tumor
    assert codes_facing_liver(border((DEB, 5)))[0] == {"U"}  # 560 um


def test_where_the_liver_lies_behind_the_lesion_nothing_can_be_judged():
    classes = lesion(radius=20, side=70)
    distance, turn = polar(70)
    classes[(np.abs(turn - 0.5) < 0.25) & (distance >= 20)] = NONE
    found = measure_interface(map_of(classes))
    (line,) = found.contours
    x = line.vertices_um[:, 0] / 112 - 35
    assert set(line.codes[x < -3]) == {InterfaceCode.U}
    assert set(line.codes[x > 3]) == {InterfaceCode.N}


def test_an_edge_of_the_grid_cannot_be_judged():
    found = measure_interface(map_of(lesion(radius=20, side=70)[:35]))
    (line,) = found.contours
    x, y = line.vertices_um.T / 112
    assert set(line.codes[(y > 34.4) & (np.abs(x - 35) < 18)]) == {InterfaceCode.U}
    assert found.summary.assessable_fraction == pytest.approx(np.pi / (np.pi + 2), abs=0.02)


def test_capsule_that_the_closing_swallows_in_a_bay_still_counts():
    classes = border((STR, 2), side=60)
    classes[:, 15:17] = TUM
    classes[28:31, 12:17] = STR  # a bay three tiles wide, liver only at its mouth
    inward = measure_interface(map_of(classes), InterfaceOptions(smooth_um=0.0)).summary
    outward = measure_interface(
        map_of(classes), InterfaceOptions(smooth_um=0.0, count_inward=False)
    ).summary
    assert inward.pct_D > outward.pct_D


def test_the_share_of_lymphocytes_is_that_of_the_way():
    found = measure_interface(map_of(border((STR, 1), (LYM, 3))))
    assert found.summary.rim_lymphocyte_share == pytest.approx(0.75, abs=0.04)
    assert found.summary.pct_D_lymphocytes == pytest.approx(100, abs=1)
    assert any("lymphocytes" in note for note in found.notes)


def test_the_liver_point_lies_on_the_livers_side():
    found = measure_interface(map_of(border((STR, 3))))
    (line,) = found.contours
    rim = np.isfinite(line.thickness_um)
    x = line.liver_um[rim, 0]
    assert x == pytest.approx(18 * 112)


def test_an_island_of_liver_inside_is_coded_too():
    classes = lesion(radius=25, side=80)
    distance, _ = polar(80)
    classes[distance < 8] = HEP
    found = measure_interface(map_of(classes))
    outer, inner = found.contours
    assert (outer.inner, inner.inner) == (False, True)
    assert set(inner.codes) == {InterfaceCode.N}
    assert found.summary.interface_mm == pytest.approx(2 * np.pi * 33 * 0.112, rel=0.03)


def test_portal_stroma_that_touches_the_lesion_is_no_capsule():
    """Its stretch is shorter than 300 um, so it is merged into the contact around it."""
    classes = border()
    classes[19:21, 15:17] = STR
    found = measure_interface(map_of(classes), InterfaceOptions(cleaning="none"))
    assert found.summary.pct_N == 100
