"""What is told of one tile agrees with the maps, and is found without computing a map."""

from dataclasses import replace

import numpy as np
import pytest

from napari_crlm_spa._tests.plugin.conftest import COLS, ROWS, STRIDE_UM
from napari_crlm_spa._tests.plugin.reviewed import reviewed_slide, run
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.review.effects import tile_effects
from napari_crlm_spa.core.spatial import Zone
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.plugin.hover import facts_of, lines, tile_at
from napari_crlm_spa.plugin.layers.source import source_of
from napari_crlm_spa.plugin.session import TileAt


@pytest.fixture
def slide(tmp_path):
    return reviewed_slide(tmp_path)


def test_every_point_of_a_tile_is_that_tile(slide):
    for dx, dy in ((0.0, 0.0), (0.5, 0.5), (0.999, 0.999)):
        point = (3 + dx) * STRIDE_UM, (7 + dy) * STRIDE_UM
        assert tile_at(slide, *point) == TileAt("a", 7, 3)


def test_beside_the_grid_there_is_no_tile(slide):
    for x, y in ((-0.01, 0), (0, -0.01), (COLS, 0), (0, ROWS), (np.nan, 0)):
        assert tile_at(slide, x * STRIDE_UM, y * STRIDE_UM) is None
    slide.tissue_map = None
    assert tile_at(slide, 10, 10) is None


def test_the_origin_of_the_grid_counts(slide):
    slide.tissue_map = replace(slide.tissue_map, origin_um=(50.0, -30.0))
    assert tile_at(slide, 50.0, -30.0) == TileAt("a", 0, 0)
    assert tile_at(slide, 49.9, -30.0) is None
    assert facts_of(slide, 0, 0).center_um == (50 + STRIDE_UM / 2, -30 + STRIDE_UM / 2)


def test_the_numbers_of_every_tile_are_those_of_the_maps(slide):
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(len(CRLM7)), slide.tissue_map.shape)
    classified = slide.tissue_map.classes > 0
    slide.tissue_map.probabilities[classified] = p[classified]
    entropy, confidence = slide.tissue_map.entropy(), slide.tissue_map.confidence()
    features, shares = slide.features, slide.features.interaction_maps()
    for row, col in np.ndindex(slide.tissue_map.shape):
        facts = facts_of(slide, row, col)
        assert facts.entropy == pytest.approx(entropy[row, col], abs=1e-3, nan_ok=True)
        assert facts.confidence == pytest.approx(confidence[row, col], nan_ok=True)
        assert facts.zone == Zone(features.zone[row, col])
        assert facts.distance_um == pytest.approx(features.distance_um[row, col])
        is_tumor = facts.name == "TUM"
        assert bool(facts.interaction) == is_tumor
        for tissue, share in facts.interaction.items():
            assert share == pytest.approx(shares[tissue][row, col])


def test_a_corrected_tile_tells_the_prediction_beside(slide):
    slide.review.correct([8], [8], "LYM")
    facts = facts_of(slide, 8, 8)
    assert (facts.name, facts.predicted, facts.state) == ("LYM", "Debris", TileState.EDITED)
    assert lines(facts)[0].startswith("Lymphocytes (corrected, predicted debris)")
    assert facts.probabilities["DEB"] == 1, "the network's, which a correction does not change"


def test_accepted_and_set_aside_tiles_say_so(slide):
    slide.review.accept([0], [0])
    slide.review.set_aside([0], [1])
    assert lines(facts_of(slide, 0, 0))[0].startswith("Hepatocytes (accepted)")
    assert lines(facts_of(slide, 0, 1))[0].startswith("Set aside (predicted hepatocytes)")


def test_a_tile_that_was_not_classified_says_why(slide):
    facts = facts_of(slide, 0, COLS - 1)
    assert facts.title == "Glass, not analyzed"
    assert facts.probabilities == {}
    assert "entropy" not in lines(facts)[1]


def test_place_and_neighbors_are_told(slide):
    told = lines(facts_of(slide, 4, 5))
    assert told[1].startswith("row 4, col 5 · 0.62, 0.50 mm · entropy 0.00 · strange 0.50")
    # A corner of the tumor: five of the nine tiles are stroma, and one lymphocyte tile is near.
    assert told[2] == "next to stroma 0.56, lymphocytes 0.11"
    inside = lines(facts_of(slide, 13, 12))[2]
    assert inside == "only tumor around"


def test_the_contribution_is_told_with_its_limit(slide):
    assert "contribution" not in lines(facts_of(slide, 0, 0))[2]
    effects = run(tile_effects(slide.features))
    source_of(slide).set_effects(effects)
    facts = facts_of(slide, 0, 0)
    expected = effects.shown_push(slide.review.risk_model)[0, 0]
    assert facts.contribution == pytest.approx(expected)
    assert f"contribution {expected:+.3f} (research use only)" in lines(facts)[2]


def test_a_slide_without_a_tile_there_has_no_facts(slide):
    assert facts_of(slide, ROWS, 0) is None
    slide.tissue_map = None
    assert facts_of(slide, 0, 0) is None
