import numpy as np
import pytest
import torch

from napari_crlm_spa.core.classifier.training.cache import TileCache
from napari_crlm_spa.core.classifier.training.sampling import batches, draw_epoch, tile_weights

LABELS = np.array([0] * 90 + [0] * 10 + [1] * 5)
SLIDES = ["big"] * 90 + ["small"] * 10 + ["big"] * 5


def test_classes_are_drawn_equally_often():
    weights = tile_weights(LABELS, SLIDES, np.zeros(105, bool), 0.2)
    assert weights.sum() == pytest.approx(1)
    assert weights[LABELS == 0].sum() == pytest.approx(0.5)


def test_slides_are_drawn_by_the_root_of_their_tiles():
    weights = tile_weights(LABELS, SLIDES, np.zeros(105, bool), 0.2)
    assert weights[:90].sum() / weights[90:100].sum() == pytest.approx(3)


def test_drawn_tiles_get_their_share_where_there_are_real_ones():
    drawn = np.zeros(105, bool)
    drawn[90:100] = True
    weights = tile_weights(LABELS, SLIDES, drawn, 0.2)
    assert weights[90:100].sum() == pytest.approx(0.1)
    assert weights[LABELS == 1].sum() == pytest.approx(0.5)


def test_an_unweighted_epoch_shows_each_tile_once():
    order = draw_epoch(None, 17, torch.Generator().manual_seed(0))
    assert sorted(order.tolist()) == list(range(17))


def cache_of(count):
    flat = {
        name: np.full((count, 4, 4, 3), value, np.uint8)
        for value, name in enumerate(("none", "per_slide", "per_tile"))
    }
    return TileCache(flat, np.arange(count), ["s"] * count, np.zeros(count, bool))


def test_batches_mix_the_stain_variants_in_the_share_asked_for():
    generator = torch.Generator().manual_seed(0)
    groups = batches(cache_of(2000), "per_slide", 0.4, torch.arange(2000), 100, generator)
    values = torch.cat([tiles[:, 0, 0, 0] for tiles, _ in groups])
    shares = torch.bincount(values.long(), minlength=3) / 2000
    assert shares[1].item() == pytest.approx(0.6, abs=0.04)
    assert shares[0].item() == pytest.approx(0.2, abs=0.03)


def test_a_last_batch_of_one_tile_is_left_out():
    generator = torch.Generator().manual_seed(0)
    groups = list(batches(cache_of(9), "none", 0.0, torch.arange(9), 4, generator))
    assert [len(labels) for _, labels in groups] == [4, 4]
