import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa.core.spatial.interface.nearest import NearestTile


@given(seed=st.integers(0, 10_000), density=st.sampled_from([0.02, 0.2, 0.6]))
@settings(max_examples=40, deadline=None)
def test_the_nearest_side_is_that_of_a_search_through_all_tiles(seed, density):
    rng = np.random.default_rng(seed)
    mask = rng.random((15, 18)) < density
    points = rng.uniform(-3, 20, (30, 2))
    inside = np.rint(points).astype(int)
    within = ((inside >= 0) & (inside < mask.shape)).all(axis=1)
    rows, cols = inside[within].T
    keep = ~within
    keep[within] = ~mask[rows, cols]
    points = points[keep]
    gap, nearest = NearestTile(mask, 8.0)(points)
    centers = np.argwhere(mask)
    for point, found, place in zip(points, gap, nearest, strict=True):
        if not len(centers):
            assert np.isinf(found)
            continue
        away = np.maximum(np.abs(point - centers) - 0.5, 0)
        best = np.hypot(*away.T).min()
        if best > 8:
            assert np.isinf(found)
            assert np.isnan(place).all()
        else:
            assert abs(found - best) < 1e-9
            assert abs(np.hypot(*(place - point)) - best) < 1e-9


def test_beside_a_tile_the_gap_is_0_and_a_tile_further_1():
    mask = np.zeros((9, 9), bool)
    mask[4, 4] = True
    gap, _ = NearestTile(mask, 5)(np.array([[4.0, 5.0 - 0.5], [4.0, 5.5], [5.5, 5.5]]))
    assert gap.tolist() == [0.0, 1.0, np.sqrt(2)]
