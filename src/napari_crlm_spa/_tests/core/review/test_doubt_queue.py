"""The review order."""

import numpy as np
import pytest

from napari_crlm_spa._tests.core.review.insight_maps import hundred, unsure, with_state
from napari_crlm_spa.core.review.doubt_queue import DoubtQueueOptions, doubt_queue
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.errors import ReviewError

ALL = DoubtQueueOptions(apart_tiles=0)


def some_doubt():
    """Three unsure tiles of growing doubt in the last row: columns 1, 5 and 8."""
    return unsure(hundred(), [9, 9, 9], [1, 5, 8], "DEB", [0.1, 0.25, 0.4])


def test_the_order_is_by_doubt_times_contribution():
    contribution = np.zeros((10, 10))
    contribution[9, [1, 5, 8]] = [0.1, -0.2, 0.01]
    table = doubt_queue(some_doubt(), contribution, ALL)
    assert table["col"].tolist() == [5, 1, 8]
    p = np.array([0.25, 0.1, 0.4])
    entropy = -(p * np.log(p) + (1 - p) * np.log(1 - p)) / np.log(7)
    np.testing.assert_allclose(table["entropy"], entropy, rtol=2e-3)
    np.testing.assert_allclose(table["product"], entropy * [0.2, 0.1, 0.01], rtol=2e-3)
    np.testing.assert_allclose(table["contribution"], [-0.2, 0.1, 0.01])
    assert table["class"].tolist() == ["STR"] * 3
    assert table["second_class"].tolist() == ["DEB"] * 3
    np.testing.assert_allclose(table["second_probability"], p, atol=1e-3)
    np.testing.assert_allclose(table["probability"], 1 - p, atol=1e-3)


def test_certain_tiles_do_not_come_up():
    assert len(doubt_queue(some_doubt(), np.ones((10, 10)), ALL)) == 3
    assert len(doubt_queue(hundred(), np.ones((10, 10)), ALL)) == 0


def test_confidence_is_the_other_measure():
    options = DoubtQueueOptions(apart_tiles=0, uncertainty="confidence")
    table = doubt_queue(some_doubt(), np.ones((10, 10)), options)
    np.testing.assert_allclose(table["uncertainty"], [0.4, 0.25, 0.1], atol=1e-3)


@pytest.mark.parametrize("state", [TileState.ACCEPTED, TileState.EDITED, TileState.SET_ASIDE])
def test_settled_tiles_do_not_come_up(state):
    table = doubt_queue(with_state(some_doubt(), [9], [8], state), np.ones((10, 10)), ALL)
    assert table["col"].tolist() == [5, 1]


def test_neighbors_of_a_chosen_tile_stay_out():
    tissue_map = unsure(hundred(), [9, 9, 9, 8], [1, 2, 3, 1], "DEB", [0.4, 0.3, 0.2, 0.1])
    table = doubt_queue(tissue_map, None, DoubtQueueOptions(apart_tiles=1))
    assert table[["row", "col"]].to_numpy().tolist() == [[9, 1], [9, 3]]
    assert len(doubt_queue(tissue_map, None, ALL)) == 4


def test_without_a_risk_the_doubt_alone_counts():
    table = doubt_queue(some_doubt(), None, ALL)
    assert table["col"].tolist() == [8, 5, 1]
    assert table["contribution"].isna().all()


def test_the_queue_has_a_length():
    table = doubt_queue(some_doubt(), None, DoubtQueueOptions(max_tiles=2))
    assert table["col"].tolist() == [8, 5]


def test_unknown_contributions_do_not_come_first():
    contribution = np.ones((10, 10))
    contribution[9, 8] = np.nan
    assert doubt_queue(some_doubt(), contribution, ALL)["col"].tolist() == [5, 1]


def test_contributions_of_another_grid_are_refused():
    with pytest.raises(ReviewError, match="Compute them again"):
        doubt_queue(some_doubt(), np.ones((9, 10)))
