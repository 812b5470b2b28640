import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_crlm_spa._tests.core.spatial.maps import (
    CODES,
    TISSUE_LETTERS,
    drawn,
    fixed_thresholds,
    map_of,
    slow_distance,
    slow_interaction,
    slow_mask,
    small_options,
)
from napari_crlm_spa._tests.r_reference import reference_grid
from napari_crlm_spa.core.classes import CRC9
from napari_crlm_spa.core.spatial import (
    FEATURES,
    SpatialOptions,
    TumorRegionOptions,
    ZoneOptions,
    spatial_features,
)
from napari_crlm_spa.core.spatial.definitions import column_name
from napari_crlm_spa.errors import TooLittleTumor

#: Columns 19 to 38 of the authors' tables (METHODS 1.1).
PAPER_COLUMNS = [
    *(f"Distal_{t}_ratio" for t in ("Stroma", "Debris", "Lymphocyte", "Hepatocyte", "Mucus")),
    *(f"Infiltrating_{t}_ratio" for t in ("Stroma", "Debris", "Lymphocyte", "Hepatocyte", "Mucus")),
    *(f"TUM_{t}_interaction" for t in ("STR", "DEB", "LYM", "HEP", "MUC")),
    *(f"Overall_{t}_ratio" for t in ("Stroma", "Debris", "Lymphocyte", "Hepatocyte", "Mucus")),
]
INNER = arrays(np.uint8, (9, 9), elements=st.integers(0, 7))


def embedded(inner, margin=6):
    """Put a random patch into the middle of empty tiles, away from the border of the grid."""
    return np.pad(inner, margin)


def test_the_columns_are_those_of_the_paper():
    assert list(FEATURES) == PAPER_COLUMNS
    assert list(spatial_features(drawn("HHT")).values) == PAPER_COLUMNS


def test_every_feature_says_what_it_is():
    for column, feature in FEATURES.items():
        assert feature.column == column == column_name(feature.family, feature.tissue)
        assert feature.sentence.endswith(".")
        assert feature.tissue in feature.formula
        assert "Qi et al." in feature.source
        assert "{" not in feature.title + feature.sentence + feature.formula


def test_overall_ratios_are_shares_of_the_tissue_without_background():
    found = spatial_features(drawn("TTTTHH SSLDMB ......"))
    assert found.tissue_tiles == 11
    assert found.values["Overall_Hepatocyte_ratio"] == pytest.approx(2 / 11)
    assert found.values["Overall_Stroma_ratio"] == pytest.approx(2 / 11)
    assert found.values["Overall_Debris_ratio"] == pytest.approx(1 / 11)
    assert found.overall["TUM"] == pytest.approx(4 / 11)
    assert "BACK" not in found.overall
    assert found.counts["BACK"] == 1


def test_background_counts_only_if_asked():
    options = SpatialOptions(count_background=True)
    found = spatial_features(drawn("TTTTHH SSLDMB"), options)
    assert found.tissue_tiles == 12
    assert found.values["Overall_Hepatocyte_ratio"] == pytest.approx(2 / 12)
    assert found.overall["BACK"] == pytest.approx(1 / 12)


def test_edge_tiles_count_unless_told_otherwise():
    edge = np.zeros((2, 4), bool)
    edge[:, 3] = True
    tiles = drawn("TTTH HHHH", edge=edge)
    assert spatial_features(tiles).tissue_tiles == 8
    without = spatial_features(tiles, SpatialOptions(count_edge=False))
    assert without.tissue_tiles == 6
    assert without.counts["HEP"] == 3
    assert tiles.counts()["HEP"] == 5


def test_a_square_tumor_in_liver_with_known_numbers():
    """10 x 10 tumor in 40 x 40 liver; the region is 12 x 12; liver up to distance 4 is near.

    Around a 12 x 12 square the tiles within 4 are 4 strips of 12 x 4 and 4 quarter discs of
    13 - 2 = 11 tiles (a^2 + b^2 <= 16, a, b >= 1, counted: 8); the rim of the region itself is
    44 tiles of liver. Of the tumor's 100 tiles 32 touch 3 liver tiles and 4 corners 5.
    """
    classes = np.full((40, 40), CODES["H"])
    classes[15:25, 15:25] = CODES["T"]
    found = spatial_features(map_of(classes), mixture=fixed_thresholds(4))
    quarter = sum(a * a + b * b <= 16 for a in range(1, 5) for b in range(1, 5))
    near = 44 + 4 * 12 * 4 + 4 * quarter
    assert found.regions.sizes.tolist() == [144]
    assert found.values["Infiltrating_Hepatocyte_ratio"] == pytest.approx(near / 1600)
    assert found.values["Distal_Hepatocyte_ratio"] == pytest.approx((1500 - near) / 1600)
    assert found.values["Overall_Hepatocyte_ratio"] == pytest.approx(1500 / 1600)
    assert found.values["TUM_HEP_interaction"] == pytest.approx((32 * 3 / 9 + 4 * 5 / 9) / 100)
    assert found.border_interaction["HEP"] == pytest.approx((32 * 3 / 9 + 4 * 5 / 9) / 36)
    assert found.refusal is None


@given(inner=INNER, near=st.integers(0, 4), gap=st.integers(0, 4))
@settings(max_examples=25, deadline=None)
def test_all_twenty_equal_loops_over_tiles(inner, near, gap):
    classes = embedded(inner, 3)
    options = small_options(min_tiles=9)
    found = spatial_features(map_of(classes), options, fixed_thresholds(near, near + gap)).values
    mask = slow_mask(classes == CODES["T"], min_tiles=9)
    total = int((classes > 1).sum())
    for tissue, letter in TISSUE_LETTERS.items():
        code, at = CODES[letter], np.argwhere(classes == CODES[letter])
        expected = {"overall": len(at) / total if total else math.nan}
        expected["interaction"] = slow_interaction(classes, code, "tissue")
        expected["infiltrating"] = expected["distal"] = math.nan
        if mask.any():
            distances = [slow_distance(mask, r, c) for r, c in at]
            expected["infiltrating"] = sum(d <= near for d in distances) / total
            expected["distal"] = sum(d > near + gap for d in distances) / total
        for family, value in expected.items():
            column = column_name(family, tissue)
            assert found[column] == pytest.approx(value, abs=1e-12, nan_ok=True), column


@given(inner=INNER)
@settings(max_examples=40, deadline=None)
def test_ratios_lie_between_0_and_1_and_sum_to_1(inner):
    classes = embedded(inner)
    found = spatial_features(map_of(classes), small_options(), fixed_thresholds(2, 3))
    for value in found.values.values():
        assert math.isnan(value) or 0 <= value <= 1
    if found.tissue_tiles:
        assert sum(found.overall.values()) == pytest.approx(1)
    for tissue in TISSUE_LETTERS:
        near = found.values[column_name("infiltrating", tissue)]
        far = found.values[column_name("distal", tissue)]
        if not math.isnan(near):
            assert near + far <= found.overall[tissue] + 1e-12


@given(inner=INNER, turns=st.integers(0, 3), flip=st.booleans(), top=st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_turning_flipping_and_moving_the_map_changes_nothing(inner, turns, flip, top):
    options = small_options()
    original = spatial_features(map_of(embedded(inner)), options, fixed_thresholds(2))
    moved = np.rot90(embedded(inner), turns)
    moved = np.pad(moved[::-1] if flip else moved, ((top, 3), (0, 2 * top)))
    found = spatial_features(map_of(moved), options, fixed_thresholds(2))
    for column, value in original.values.items():
        assert found.values[column] == pytest.approx(value, abs=1e-12, nan_ok=True), column


@pytest.mark.parametrize("turn", [lambda c: np.rot90(c), np.flipud, np.transpose])
def test_thresholds_fitted_to_a_turned_map_are_the_same(turn):
    classes = reference_grid("h_lattice_slide1.csv")
    one, other = spatial_features(map_of(classes)), spatial_features(map_of(turn(classes)))
    assert one.mixture == other.mixture
    assert one.values == pytest.approx(other.values, nan_ok=True)


def test_with_two_components_infiltrating_and_distal_make_up_the_whole():
    found = spatial_features(map_of(reference_grid("h_lattice_slide1.csv")))
    for tissue in ("STR", "DEB", "LYM", "HEP"):
        parts = [found.values[column_name(f, tissue)] for f in ("infiltrating", "distal")]
        assert sum(parts) == pytest.approx(found.overall[tissue])


def test_with_three_components_something_lies_between():
    options = SpatialOptions(zones=ZoneOptions(components=3))
    found = spatial_features(map_of(reference_grid("h_lattice_slide1.csv")), options)
    parts = [found.values[f"{f}_Hepatocyte_ratio"] for f in ("Infiltrating", "Distal")]
    assert sum(parts) < found.overall["HEP"]


def test_thresholds_from_before_an_edit_stay_when_handed_in():
    tiles = map_of(reference_grid("h_lattice_slide1.csv"))
    before = spatial_features(tiles)
    rows, cols = np.nonzero(tiles.mask("LYM"))
    edited = spatial_features(tiles.edited(rows, cols, "HEP"), mixture=before.mixture)
    assert edited.mixture is before.mixture
    assert edited.values["Overall_Lymphocyte_ratio"] == 0
    assert edited.overall["HEP"] == pytest.approx(before.overall["HEP"] + before.overall["LYM"])


def test_fewer_than_50_contiguous_tumor_tiles_are_refused_a_risk_but_not_the_rest():
    """49 tiles grow to a region of 81, yet the paper's rule looks at the tiles themselves."""
    classes = np.full((30, 30), CODES["H"])
    classes[10:17, 10:17] = CODES["T"]
    found = spatial_features(map_of(classes))
    assert "49 tiles" in found.refusal
    assert found.values["Overall_Hepatocyte_ratio"] == pytest.approx(851 / 900)
    assert found.values["TUM_HEP_interaction"] > 0
    with pytest.raises(TooLittleTumor, match="fewer than 50"):
        found.require_risk()


def test_50_contiguous_tumor_tiles_are_enough():
    classes = np.full((30, 30), CODES["H"])
    classes[10:15, 10:20] = CODES["T"]
    found = spatial_features(map_of(classes))
    assert found.refusal is None
    found.require_risk()


def test_many_small_tumor_islands_do_not_add_up():
    classes = np.full((60, 60), CODES["H"])
    classes[5:55:9, 5:55:9] = CODES["T"]
    classes[6:56:9, 5:55:9] = CODES["T"]
    found = spatial_features(map_of(classes))
    assert found.counts["TUM"] == 72
    assert "has 2 tiles" in found.refusal
    assert math.isnan(found.values["Distal_Hepatocyte_ratio"])
    assert any("no tumor region of at least 50" in note for note in found.notes)


def test_without_tumor_there_are_overall_ratios_only():
    found = spatial_features(drawn("HHHH SSSS LLLL"))
    assert found.refusal.startswith("No risk for this slide: no tile was classified as tumor")
    for column, value in found.values.items():
        assert math.isnan(value) != column.startswith("Overall_")
    assert not found.zone.any()


def test_an_empty_map_gives_no_number_and_no_crash():
    found = spatial_features(map_of(np.zeros((5, 6))))
    assert all(math.isnan(value) for value in found.values.values())
    assert found.tissue_tiles == 0
    assert found.refusal is not None


def test_an_absent_tissue_has_the_ratio_0():
    found = spatial_features(
        map_of(reference_grid("h_lattice_slide1.csv")).edited(
            *np.nonzero(reference_grid("h_lattice_slide1.csv") == CODES["M"]), "HEP"
        )
    )
    for family in ("overall", "infiltrating", "distal", "interaction"):
        assert found.values[column_name(family, "MUC")] == 0
    assert any("no tile of mucus" in note for note in found.notes)


def test_a_tissue_that_cannot_be_split_is_missing_with_its_reason():
    classes = np.full((40, 40), CODES["H"])
    classes[15:25, 15:25] = CODES["T"]
    classes[2, 2:6] = CODES["M"]
    found = spatial_features(map_of(classes))
    assert math.isnan(found.values["Infiltrating_Mucus_ratio"])
    assert math.isnan(found.values["Distal_Mucus_ratio"])
    assert found.values["Overall_Mucus_ratio"] == pytest.approx(4 / 1600)
    note = next(note for note in found.notes if "mucus" in note)
    assert "only 4 tiles to fit, 20 are needed" in note
    assert "0.25%" in note


def test_a_tissue_that_lies_wholly_inside_the_tumor_needs_no_split():
    classes = np.full((40, 40), CODES["H"])
    classes[10:30, 10:30] = CODES["T"]
    classes[20, 20:24] = CODES["D"]
    found = spatial_features(map_of(classes))
    assert found.values["Infiltrating_Debris_ratio"] == pytest.approx(4 / 1600)
    assert found.values["Distal_Debris_ratio"] == 0


def test_a_model_file_splits_what_the_slide_alone_cannot():
    classes = np.full((40, 40), CODES["H"])
    classes[15:25, 15:25] = CODES["T"]
    classes[2, 2:6] = CODES["M"]
    found = spatial_features(map_of(classes), mixture=fixed_thresholds(5))
    assert found.values["Distal_Mucus_ratio"] == pytest.approx(4 / 1600)


def test_a_model_file_without_a_tissue_says_so():
    model = fixed_thresholds(5)
    model = model.model_copy(update={"tissues": {"HEP": model.tissues["HEP"]}})
    classes = reference_grid("h_lattice_slide1.csv")
    found = spatial_features(map_of(classes), mixture=model)
    assert math.isnan(found.values["Distal_Stroma_ratio"])
    assert not math.isnan(found.values["Distal_Hepatocyte_ratio"])
    assert any("holds no thresholds" in note for note in found.notes)


def test_a_model_fitted_with_other_regions_is_remarked():
    classes = reference_grid("h_lattice_slide1.csv")
    other = spatial_features(
        map_of(classes), SpatialOptions(regions=TumorRegionOptions(dilate_tiles=7))
    )
    found = spatial_features(map_of(classes), mixture=other.mixture)
    assert any("other options for tumor regions" in note for note in found.notes)
    assert not any("other options" in note for note in other.notes)


def test_a_scheme_without_hepatocytes_misses_their_features_only():
    classes = np.full((30, 30), CRC9.code("STR"))
    classes[5:20, 5:20] = CRC9.code("TUM")
    found = spatial_features(map_of(classes, scheme=CRC9))
    assert math.isnan(found.values["Overall_Hepatocyte_ratio"])
    assert found.values["Overall_Stroma_ratio"] == pytest.approx(1 - 225 / 900)
    assert any("does not know hepatocytes" in note for note in found.notes)


def test_maps_for_display_come_with_the_features():
    tiles = map_of(reference_grid("h_lattice_slide1.csv"))
    found = spatial_features(tiles)
    assert found.distance_um.max() == pytest.approx(found.distance_tiles.max() * 112)
    zones = found.zone_masks()
    assert set(zones) == set(TISSUE_LETTERS)
    assert all(mask.dtype == np.uint8 and mask.shape == tiles.shape for mask in zones.values())
    heat = found.interaction_maps()["STR"]
    assert np.nanmean(heat) == pytest.approx(found.values["TUM_STR_interaction"], rel=1e-6)


def test_signed_distances_leave_the_shown_distance_at_zero_inside():
    options = SpatialOptions(zones=ZoneOptions(inside="signed"))
    found = spatial_features(map_of(reference_grid("h_lattice_slide1.csv")), options)
    assert found.distance_tiles.min() == 0
    assert found.mixture.inside == "signed"


def test_features_turn_into_strict_json():
    found = spatial_features(drawn("HHHH SSTS LLLL"))
    plain = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert plain["values"]["Distal_Stroma_ratio"] is None
    assert plain["counts"]["TUM"] == 1
    assert plain["options"]["regions"]["dilate_tiles"] == 5


def test_features_do_not_change_the_map():
    tiles = map_of(reference_grid("h_lattice_slide1.csv"))
    before = tiles.classes.copy()
    spatial_features(tiles, SpatialOptions(count_edge=False))
    assert np.array_equal(tiles.classes, before)
