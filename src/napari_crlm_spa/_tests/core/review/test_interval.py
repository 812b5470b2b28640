"""Intervals from drawn labels, against closed forms."""

import numpy as np
import pytest

from napari_crlm_spa._tests.core.review.insight_maps import (
    CODE,
    DEBRIS,
    certain,
    debris_only,
    features_of,
    finished,
    hundred,
    two_terms,
    unsure,
    with_state,
)
from napari_crlm_spa.core.review.interval import IntervalOptions, LabelDraw, score_interval
from napari_crlm_spa.core.risk import load_risk_model
from napari_crlm_spa.core.tiles import TileState

STRIDE_UM = 112.0


def large(n_rows=40, chance=0.2):
    """A tumor above stroma of which every tile is debris with some chance."""
    classes = np.full((n_rows, 40), CODE["STR"])
    classes[: n_rows // 2] = CODE["TUM"]
    tissue_map = certain(classes)
    rows, cols = np.nonzero(classes == CODE["STR"])
    return unsure(tissue_map, rows, cols, "DEB", chance)


def interval_of(tissue_map, model=None, block_tiles=1, draws=300, **options):
    options = IntervalOptions(draws=draws, block_um=block_tiles * STRIDE_UM, **options)
    features = features_of(tissue_map)
    return finished(score_interval(tissue_map, features, model or debris_only(0.1), options))


def test_certain_probabilities_give_no_width():
    found = interval_of(hundred(), two_terms((0.05, 0.2)), draws=20)
    table = found.summary().set_index("quantity")
    assert table.loc["score", ["own", "mean", "low", "high"]].tolist() == [0.5] * 4
    assert (table["low"] == table["high"])[table["draws"] > 0].all()
    assert table["sd"].max() < 1e-15
    assert found.share_high == 1
    assert found.no_risk == 0


def test_independent_tiles_give_the_binomial_variance():
    found = interval_of(large(), draws=1500)
    n, total, p = 800, 1600, 0.2
    drawn = found.draws[DEBRIS]
    sd = np.sqrt(n * p * (1 - p)) / total
    assert drawn.mean() == pytest.approx(n * p / total, abs=4 * sd / np.sqrt(1500))
    assert drawn.std() == pytest.approx(sd, rel=0.08)


@pytest.mark.parametrize("block_tiles", [2, 4])
def test_blocks_multiply_the_variance(block_tiles):
    """Tiles of a block that err as one: the variance grows by what a block's tiles share.

    Aligned blocks of b x b would give a factor of b^2; with a random start, blocks are cut at the
    borders, which takes a little off.
    """
    alone = interval_of(large(), draws=1500).draws[DEBRIS].var()
    together = interval_of(large(), block_tiles=block_tiles, draws=1500).draws[DEBRIS].var()
    b = block_tiles
    # 20 x 40 tiles; per axis the mean of sum of squared pieces over n: b - (b^2 - 1) / (3 n).
    expected = np.prod([b - (b * b - 1) / (3 * n) for n in (20, 40)])
    assert together / alone == pytest.approx(expected, rel=0.15)


def test_each_tile_keeps_its_own_chances():
    tissue_map = large(chance=0.3)
    labels, rng = LabelDraw(tissue_map, 5), np.random.default_rng(1)
    debris = np.mean([labels.draw(rng) == CODE["DEB"] for _ in range(4000)], axis=0)
    stroma = tissue_map.mask("STR")
    assert (debris[~stroma] == 0).all()
    np.testing.assert_allclose(debris[stroma], 0.3, atol=0.045)


def test_neighbors_in_a_block_err_together():
    labels, rng = LabelDraw(large(), 10), np.random.default_rng(2)
    equal = [(drawn[25, 10] == drawn[25, 11]) for drawn in (labels.draw(rng) for _ in range(500))]
    assert np.mean(equal) > 0.95


def test_settled_tiles_stay():
    tissue_map = large()
    rows, cols = np.nonzero(tissue_map.mask("STR"))
    settled = with_state(tissue_map, rows[::2], cols[::2], TileState.ACCEPTED)
    settled = with_state(settled, rows[1::2], cols[1::2], TileState.EDITED)
    found = interval_of(settled, draws=10)
    assert (found.draws[DEBRIS] == 0).all()
    assert found.fixed_tiles == 800
    assert found.free_tiles == 800  # the tumor, of which every tile is certain


def test_the_share_of_high_draws():
    # Debris is in the mean just at its cut-off: about half of the draws are high.
    found = interval_of(large(), debris_only(0.1), draws=1000)
    assert found.share_high == pytest.approx(0.5, abs=0.06)
    assert found.own_group == "low"


def test_the_same_seed_draws_the_same():
    first, again = interval_of(large(), draws=10, seed=3), interval_of(large(), draws=10, seed=3)
    other = interval_of(large(), draws=10, seed=4)
    assert first.as_frame().equals(again.as_frame())
    assert not first.as_frame().equals(other.as_frame())


def test_draws_without_enough_tumor_are_counted():
    classes = np.full((10, 10), CODE["STR"])
    classes[:5] = CODE["TUM"]  # 50 tiles: one fewer is too few
    tissue_map = unsure(certain(classes), [0], [0], "STR", 0.25)
    found = interval_of(tissue_map, draws=400)
    assert found.no_risk == pytest.approx(100, abs=40)
    assert found.draws["score"].isna().sum() == found.no_risk
    assert found.summary().set_index("quantity").loc["score", "draws"] == 400 - found.no_risk


def test_a_model_without_cutoffs_gives_intervals_of_the_features():
    found = interval_of(large(), load_risk_model(), draws=20)
    table = found.summary().set_index("quantity")
    assert np.isnan(table.loc["score", "low"])
    assert table.loc[DEBRIS, "low"] < table.loc[DEBRIS, "high"]
    assert found.share_high is None


def test_the_interval_is_of_the_level():
    found = interval_of(large(), draws=400, level=0.8)
    row = found.summary().set_index("quantity").loc[DEBRIS]
    inside = found.draws[DEBRIS].between(row["low"], row["high"]).mean()
    assert inside == pytest.approx(0.8, abs=0.05)
