import numpy as np
import pytest
import torch

from napari_crlm_spa.core.classifier.training.cache import TileCache
from napari_crlm_spa.core.classifier.training.sampling import (
    batches,
    draw_epoch,
    slide_priors,
    tile_weights,
)

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
    assert [index.tolist() for _, index in groups] == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_a_slide_of_one_class_says_which_it_is_and_a_mixed_one_its_shares():
    labels, slides = np.array([0, 0, 0, 1, 2]), ["mixed", "mixed", "mixed", "mixed", "single"]
    slide_of, log_priors = slide_priors(labels, slides, np.zeros(5, bool), None, 3, floor=0.3)
    priors = np.exp(log_priors[slide_of])
    assert priors[0] == pytest.approx([0.7 * 0.75 + 0.1, 0.7 * 0.25 + 0.1, 0.1])
    assert priors[4] == pytest.approx([0.1, 0.1, 0.8])


def test_a_floor_of_one_tells_nothing_of_the_slide():
    _, log_priors = slide_priors(LABELS, SLIDES, np.zeros(105, bool), None, 2, floor=1.0)
    assert log_priors == pytest.approx(np.log(0.5))


def test_all_drawn_tiles_count_as_one_slide_as_often_as_they_are_drawn():
    labels, drawn = np.array([0, 1, 1]), np.array([True, True, True])
    weights = np.array([0.5, 0.25, 0.25])
    slide_of, log_priors = slide_priors(labels, ["a", "b", "c"], drawn, weights, 2, floor=0.001)
    assert set(slide_of.tolist()) == {0}
    assert np.exp(log_priors[0]) == pytest.approx([0.5, 0.5], abs=1e-3)
