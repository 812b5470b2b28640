import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.sample import sample_truth, truth_on_grid
from napari_crlm_spa.core.sample.layout import HEIGHT_UM, TRUTH_MPP, WIDTH_UM, tissue_weights
from napari_crlm_spa.core.sample.window import Window
from napari_crlm_spa.core.spatial import spatial_features
from napari_crlm_spa.core.tiles import TileGrid
from napari_crlm_spa.core.tissue_map import TissueMap


def grid(rows=36, cols=44, origin_um=(0.0, 0.0), tile_px=224, mpp=0.5):
    return TileGrid(
        state=np.full((rows, cols), 2, np.uint8),
        edge=np.zeros((rows, cols), bool),
        tile_px=tile_px,
        mpp=mpp,
        origin_um=origin_um,
    )


@pytest.fixture(scope="module")
def truth():
    return sample_truth()


def test_every_tissue_covers_enough_whole_tiles():
    codes, pure = truth_on_grid(grid())
    for name in CRLM7.names:
        assert (pure & (codes == CRLM7.code(name))).sum() >= 20, name


def test_tumor_is_large_enough_for_a_risk_and_has_a_satellite():
    codes, _ = truth_on_grid(grid())
    labels, count = ndimage.label(codes == CRLM7.code("TUM"), np.ones((3, 3)))
    sizes = sorted(np.bincount(labels.ravel())[1:], reverse=True)
    assert sizes[0] >= 150
    assert count >= 2
    assert 3 <= sizes[1] < 50


def test_glass_surrounds_the_tissue(truth):
    glass = CRLM7.code("BACK")
    for border in (truth[0], truth[-1], truth[:, 0], truth[:, -1]):
        assert np.all(border == glass)


def test_stroma_parts_most_of_the_tumor_from_the_liver(truth):
    tumor = truth == CRLM7.code("TUM")
    around = ndimage.binary_dilation(tumor, iterations=3) & ~tumor
    names = np.bincount(truth[around], minlength=8)
    assert names[CRLM7.code("STR")] > names[CRLM7.code("HEP")]


def test_truth_counts_agree_with_a_tile_by_tile_look(truth):
    codes, pure = truth_on_grid(grid())
    cells = round(112 / TRUTH_MPP)
    for row, col in [(0, 0), (16, 16), (14, 12), (20, 40), (26, 17), (8, 20)]:
        inside = truth[row * cells : (row + 1) * cells, col * cells : (col + 1) * cells]
        values, counts = np.unique(inside, return_counts=True)
        assert codes[row, col] == values[counts.argmax()]
        assert pure[row, col] == (len(values) == 1)


@settings(deadline=None, max_examples=15)
@given(x=st.floats(-300, 300), y=st.floats(-300, 300), tile_px=st.sampled_from([96, 224, 300]))
def test_a_pure_tile_of_any_grid_holds_one_tissue(x, y, tile_px):
    some = grid(6, 7, (1500 + x, 1500 + y), tile_px)
    codes, pure = truth_on_grid(some)
    truth = sample_truth()
    for row, col in np.argwhere(pure):
        left, top = some.corner_um(int(row), int(col))
        inside = truth[
            int(np.ceil(top / TRUTH_MPP)) : int((top + some.stride_um) // TRUTH_MPP),
            int(np.ceil(left / TRUTH_MPP)) : int((left + some.stride_um) // TRUTH_MPP),
        ]
        assert np.all(inside == codes[row, col])


def test_beyond_the_slide_there_is_glass():
    codes, pure = truth_on_grid(grid(2, 2, (WIDTH_UM + 10, HEIGHT_UM + 10)))
    assert np.all(codes == CRLM7.code("BACK"))
    assert not pure.any()


def test_weights_add_up_to_one_and_follow_the_truth(truth):
    window = Window(1400.0, 2200.0, 400, 300, TRUTH_MPP, 0)
    weights = tissue_weights(window)
    np.testing.assert_allclose(sum(weights.values()), 1, atol=1e-5)
    names = list(weights)
    winner = np.array([CRLM7.code(name) for name in names])[
        np.stack([weights[name] for name in names]).argmax(axis=0)
    ]
    expected = truth[550:850, 350:750]
    assert (winner == expected).mean() > 0.995


def test_every_spatial_feature_can_be_computed_from_the_truth():
    codes, _ = truth_on_grid(grid())
    tissue_map = TissueMap.empty(grid(), CRLM7)
    tissue_map.classes[:] = np.where(codes == CRLM7.code("BACK"), 0, codes)
    features = spatial_features(tissue_map)
    assert features.refusal is None
    assert features.notes == ()
    assert all(value > 0 for value in features.values.values())
