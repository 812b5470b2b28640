import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_crlm_spa._tests.core.spatial.maps import CODES, drawn, map_of, slow_interaction
from napari_crlm_spa.core.spatial.interaction import (
    DENOMINATORS,
    Neighborhoods,
    interaction_maps,
)

GRIDS = arrays(
    np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 7)
)


def disc_in_liver(radius_tiles):
    """A tumor disc in liver: every border tile touches liver."""
    side = 2 * radius_tiles + 9
    y, x = np.mgrid[:side, :side] - side // 2
    return map_of(np.where(x**2 + y**2 < radius_tiles**2, CODES["T"], CODES["H"]))


def test_the_disc_of_five_tiles_has_the_known_interaction():
    """Design notes: 69 tumor tiles, 32 of them on the border; .464 (non-tumor), .142 (nine)."""
    disc = disc_in_liver(5)
    assert Neighborhoods(disc, "non_tumor").mean("HEP") == pytest.approx(32 / 69)
    assert round(Neighborhoods(disc, "non_tumor").mean("HEP"), 3) == 0.464
    assert round(Neighborhoods(disc, "nine").mean("HEP"), 3) == 0.142


@pytest.mark.parametrize(
    ("radius", "expected"), [(10, 0.236), (20, 0.122), (40, 0.062), (60, 0.042)]
)
def test_the_papers_form_sinks_with_size_but_the_border_form_does_not(radius, expected):
    around = Neighborhoods(disc_in_liver(radius), "non_tumor")
    assert around.mean("HEP") == pytest.approx(expected, abs=1e-3)
    assert around.border_mean("HEP") == 1.0


@given(classes=GRIDS, denominator=st.sampled_from(DENOMINATORS), tissue=st.sampled_from("SDLHM"))
@settings(max_examples=80, deadline=None)
def test_interaction_equals_a_loop_over_tiles(classes, denominator, tissue):
    names = {"S": "STR", "D": "DEB", "L": "LYM", "H": "HEP", "M": "MUC"}
    found = Neighborhoods(map_of(classes), denominator).mean(names[tissue])
    expected = slow_interaction(classes, CODES[tissue], denominator)
    assert found == pytest.approx(expected, rel=1e-12, nan_ok=True)


@given(classes=GRIDS, denominator=st.sampled_from(DENOMINATORS))
@settings(max_examples=60, deadline=None)
def test_shares_lie_between_0_and_1_and_never_exceed_1_together(classes, denominator):
    around = Neighborhoods(map_of(classes), denominator)
    shares = [around.shares(tissue) for tissue in ("STR", "DEB", "LYM", "HEP", "MUC")]
    assert all((share >= 0).all() and (share <= 1).all() for share in shares)
    assert (np.sum(shares, axis=0) <= 1 + 1e-12).all()


def test_each_denominator_counts_what_it_says():
    """Around the tumor tile: 2 liver, 1 stroma, 1 background, 1 tumor, 3 empty."""
    tiles = drawn("HHS .T. BT.")
    middle = [Neighborhoods(tiles, name).shares("HEP")[0] for name in DENOMINATORS]
    assert middle == pytest.approx([2 / 5, 2 / 9, 2 / 3])


def test_beyond_the_border_of_the_grid_is_no_tile():
    corner = drawn("TH HH")
    assert Neighborhoods(corner, "tissue").mean("HEP") == pytest.approx(3 / 4)
    assert Neighborhoods(corner, "nine").mean("HEP") == pytest.approx(3 / 9)


def test_a_tumor_tile_without_other_tissue_around_counts_zero():
    assert Neighborhoods(drawn("TTT TTT TTT"), "non_tumor").mean("HEP") == 0.0
    assert np.isnan(Neighborhoods(drawn("TTT TTT TTT")).border_mean("HEP"))


def test_without_tumor_there_is_no_interaction():
    around = Neighborhoods(drawn("HH SS"))
    assert len(around) == 0
    assert np.isnan(around.mean("HEP"))


def test_heat_maps_hold_shares_on_tumor_tiles_only():
    tiles = drawn("HHH HTH SSS")
    maps = interaction_maps(tiles)
    assert set(maps) == {"STR", "DEB", "LYM", "HEP", "MUC"}
    assert maps["HEP"].dtype == np.float32
    assert maps["HEP"][1, 1] == pytest.approx(5 / 9)
    assert maps["STR"][1, 1] == pytest.approx(3 / 9)
    assert np.isnan(maps["HEP"]).sum() == 8


def test_border_tiles_are_those_beside_other_tissue():
    assert Neighborhoods(drawn("TTTH TTTH TTTH")).border_tiles == 3
    assert Neighborhoods(drawn("TTTB TTT. TTTB")).border_tiles == 0
