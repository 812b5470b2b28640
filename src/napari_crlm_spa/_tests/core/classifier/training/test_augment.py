import pytest
import torch

from napari_crlm_spa.core.classifier.training.augment import augment


def tiles(count=8, px=24):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (count, 3, px, px), generator=generator, dtype=torch.uint8)


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0, 2.0])
def test_shape_and_range_are_kept(strength):
    varied = augment(tiles(40), strength, torch.Generator().manual_seed(0))
    assert varied.shape == (40, 3, 24, 24)
    assert varied.dtype == torch.float32
    assert torch.isfinite(varied).all()
    assert varied.min() >= 0
    assert varied.max() <= 255


@pytest.mark.parametrize("value", [0, 255])
def test_black_and_white_tiles_stay_finite(value):
    flat = torch.full((16, 3, 24, 24), value, dtype=torch.uint8)
    assert torch.isfinite(augment(flat, 2.0, torch.Generator().manual_seed(0))).all()


def test_the_same_seed_gives_the_same_pixels():
    first = augment(tiles(), 1.0, torch.Generator().manual_seed(5))
    again = augment(tiles(), 1.0, torch.Generator().manual_seed(5))
    other = augment(tiles(), 1.0, torch.Generator().manual_seed(6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_strength_zero_only_turns():
    before = tiles(32)
    after = augment(before, 0.0, torch.Generator().manual_seed(0))
    assert torch.equal(before.float().flatten(1).sort().values, after.flatten(1).sort().values)
    assert not torch.equal(before.float(), after)


def test_the_input_is_left_as_it_was():
    before = tiles()
    copy = before.clone()
    augment(before, 2.0, torch.Generator().manual_seed(0))
    assert torch.equal(before, copy)


def test_a_white_tile_stays_nearly_white():
    white = torch.full((64, 3, 24, 24), 245, dtype=torch.uint8)
    assert augment(white, 1.0, torch.Generator().manual_seed(0)).mean() > 225
