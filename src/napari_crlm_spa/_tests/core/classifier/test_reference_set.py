import dataclasses
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.card import Architecture, ModelCard, load_card, save_card
from napari_crlm_spa.core.classifier.network import network_for
from napari_crlm_spa.core.classifier.reference_set import (
    REFERENCE_NAME,
    ReferenceSet,
    as_half,
    build_reference_set,
    choose_reference,
    load_reference_set,
    merge_reference_sets,
    read_reference_set,
    save_reference_set,
)
from napari_crlm_spa.errors import DamagedReference


@pytest.fixture
def card():
    return ModelCard(
        name="tiny", scheme_name="crlm7", classes=CRLM7.names, tile_px=32, input_px=16,
        architecture=Architecture(name="tiny", hidden=8),
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path, card):
    save_card(tmp_path, card)
    return tmp_path


@pytest.fixture
def reference():
    rng = np.random.default_rng(0)
    return ReferenceSet(
        rng.random((6, 32)).astype(np.float16),
        np.array([0, 1, 2, 3, 4, 6], np.int16),
        ("b", "a", "b", "c", "a", "ü,;"),
        np.array([True, False, False, True, False, False]),
    )


def test_what_is_written_is_read_back(folder, reference):
    written = save_reference_set(folder, reference)
    again = load_reference_set(folder, written)
    np.testing.assert_array_equal(again.features, reference.features)
    np.testing.assert_array_equal(again.labels, reference.labels)
    np.testing.assert_array_equal(again.held_out, reference.held_out)
    assert again.slides == reference.slides
    assert again.features.dtype == np.float16
    assert load_card(folder) == written


def test_a_model_without_one_has_none(folder, card):
    assert load_reference_set(folder, card) is None
    assert read_reference_set(folder) is None


def test_a_file_that_the_card_does_not_speak_of_is_left_alone(folder, card, reference):
    save_reference_set(folder, reference)
    assert load_reference_set(folder, card) is None


def test_a_damaged_or_exchanged_file_is_named(folder, reference):
    written = save_reference_set(folder, reference)
    path = folder / REFERENCE_NAME
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedReference, match=r"reference\.safetensors.*SHA-256 differs"):
        load_reference_set(folder, written)


def test_a_file_that_holds_something_else_is_named(folder, card):
    import hashlib

    data = b"no safetensors"
    (folder / REFERENCE_NAME).write_bytes(data)
    lying = card.model_copy(update={"reference_sha256": hashlib.sha256(data).hexdigest()})
    with pytest.raises(DamagedReference, match="does not hold"):
        load_reference_set(folder, lying)


@pytest.mark.parametrize("part", ["label without a class", "not finite", "lengths"])
def test_arrays_that_disagree_are_named(folder, reference, part):
    labels, features, held = reference.labels.copy(), reference.features.copy(), reference.held_out
    if part == "label without a class":
        labels[0] = 7
    elif part == "not finite":
        features[0, 0] = np.nan
    else:
        held = held[:-1]
    written = save_reference_set(folder, ReferenceSet(features, labels, reference.slides, held))
    with pytest.raises(DamagedReference, match="disagree"):
        load_reference_set(folder, written)


def test_features_are_the_trunks(card):
    torch.manual_seed(0)
    network = network_for(card)
    rng = np.random.default_rng(0)
    tiles = rng.integers(0, 256, (5, 16, 16, 3), dtype=np.uint8)
    built = build_reference_set(
        network, tiles, np.arange(5), ["s"] * 5, np.zeros(5, bool), torch.device("cpu")
    )
    network.eval()
    with torch.inference_mode():
        pixels = torch.from_numpy(tiles).permute(0, 3, 1, 2).float()
        expected = network.features(pixels).numpy()
        logits = network.head(torch.from_numpy(built.features).float()).numpy()
        np.testing.assert_allclose(logits, network.logits(pixels).numpy(), atol=2e-3)
    np.testing.assert_allclose(built.features, expected, rtol=1e-3, atol=1e-4)


def test_slides_give_equally_many_tiles_and_small_ones_all():
    slides = ["large"] * 100 + ["medium"] * 50 + ["small"] * 4
    labels = np.zeros(154, np.int64)
    chosen = choose_reference(labels, slides, np.zeros(154, bool), per_class=60)
    taken = [slides[i] for i in chosen]
    assert [taken.count(name) for name in ("large", "medium", "small")] == [28, 28, 4]


def test_drawn_tiles_stay_a_fifth_beside_photographed_ones():
    drawn = np.arange(300) < 200
    slides = [f"drawn-{i}" if i < 200 else "real" for i in range(300)]
    chosen = choose_reference(
        np.zeros(300, np.int64), slides, np.zeros(300, bool), drawn, per_class=50
    )
    assert (np.count_nonzero(drawn[chosen]), len(chosen)) == (10, 50)
    alone = choose_reference(
        np.zeros(200, np.int64), slides[:200], np.zeros(200, bool), drawn[:200], per_class=50
    )
    assert len(alone) == 50


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_the_choice_is_bounded_and_never_wasteful(data):
    n = data.draw(st.integers(0, 80))
    labels = np.array(data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)), np.int64)
    slides = data.draw(st.lists(st.sampled_from("abcd"), min_size=n, max_size=n))
    held = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), bool)
    chosen = choose_reference(labels, slides, held, per_class=7, held_per_class=3, seed=1)
    assert len(set(chosen.tolist())) == len(chosen)
    for label in range(3):
        for side, limit in ((False, 7), (True, 3)):
            there = np.count_nonzero((labels == label) & (held == side))
            taken = np.count_nonzero((labels[chosen] == label) & (held[chosen] == side))
            assert taken == min(there, limit)


def test_features_beyond_16_bits_are_cut():
    assert as_half(np.array([1e9, -1e9, 1.5])).tolist() == [65504.0, -65504.0, 1.5]


def test_the_default_size_stays_small(folder):
    rng = np.random.default_rng(0)
    n = 7 * 450
    full = ReferenceSet(
        rng.random((n, 512)).astype(np.float16), np.repeat(np.arange(7), 450).astype(np.int16),
        tuple(f"slide-{i % 40}" for i in range(n)), np.arange(n) % 3 == 0,
    )  # fmt: skip
    save_reference_set(folder, full)
    assert (folder / REFERENCE_NAME).stat().st_size < 3.4e6
    assert json.loads((folder / "card.json").read_text())["reference_sha256"]


def with_looks(reference, rows=6):
    rng = np.random.default_rng(1)
    return dataclasses.replace(
        reference,
        middle=rng.random((rows, 5)).astype(np.float16),
        drawn=np.array([True, False, False, False, True, False])[:rows],
    )


def test_the_trunks_middle_and_what_is_drawn_come_back_and_can_be_absent(folder, reference):
    written = with_looks(reference)
    again = load_reference_set(folder, save_reference_set(folder, written))
    np.testing.assert_array_equal(again.middle, written.middle)
    np.testing.assert_array_equal(again.drawn, written.drawn)
    plain = load_reference_set(folder, save_reference_set(folder, reference))
    assert plain.middle is None
    assert plain.drawn is None


def test_a_middle_of_fewer_tiles_is_named(folder, reference):
    written = save_reference_set(folder, with_looks(reference, rows=5))
    with pytest.raises(DamagedReference, match="disagree"):
        load_reference_set(folder, written)


def test_the_middle_is_the_averaged_input_of_the_last_block(card):
    torch.manual_seed(0)
    network = network_for(card).eval()
    tiles = np.random.default_rng(0).integers(0, 256, (7, 16, 16, 3)).astype(np.uint8)
    labels = np.arange(7)
    built = build_reference_set(
        network, tiles, labels, list("abcdefg"), np.zeros(7, bool), torch.device("cpu")
    )
    pixels = torch.from_numpy(tiles).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        entered = network.trunk[:-3]((pixels - network.mean) / network.std)
    expected = entered.mean(dim=(2, 3)).numpy()
    np.testing.assert_allclose(built.middle, expected, rtol=2e-3, atol=1e-3)


def test_sets_are_merged_with_their_middles_or_without_any(reference):
    one, other = with_looks(reference), with_looks(reference)
    other = dataclasses.replace(other, features=other.features + np.float16(1))
    both = merge_reference_sets(one, other)
    assert len(both) == len(both.middle) == len(both.drawn) == 12
    assert merge_reference_sets(one, reference).middle is None
    nothing = reference.take(np.empty(0, np.int64))
    np.testing.assert_array_equal(merge_reference_sets(nothing, one).drawn, one.drawn)
