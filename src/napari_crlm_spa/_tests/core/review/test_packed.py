"""Tiles and values in a line of the log: what is read is what was written, however it is packed."""

import base64
import json
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_crlm_spa.core.review import packed
from napari_crlm_spa.core.review.packed import (
    tiles_of_json,
    tiles_to_json,
    values_of_json,
    values_to_json,
)

SHAPE = (40, 50)
WORDS = {0: None, 1: "HEP", 2: "STR", 7: "TUM"}
CODES = {word: code for code, word in WORDS.items()}


def written_and_read(value):
    return json.loads(json.dumps(value))


@settings(max_examples=80, deadline=None)
@given(arrays(np.bool_, (9, 11)), st.integers(0, 30), st.integers(0, 38), st.sampled_from([0, 256]))
def test_tiles_come_back_in_reading_order(mask, top, left, most):
    grid = np.zeros(SHAPE, bool)
    grid[top : top + 9, left : left + 11] = mask[: SHAPE[0] - top, : SHAPE[1] - left]
    rows, cols = (axis.astype(np.int32) for axis in np.nonzero(grid))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "MOST_RUNS", most)
        found = tiles_of_json(written_and_read(tiles_to_json(rows, cols)), SHAPE)
    for read, wanted in zip(found, (rows, cols), strict=True):
        assert read.dtype == np.int32
        np.testing.assert_array_equal(read, wanted)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(sorted(WORDS)), max_size=60), st.sampled_from([0, 256]))
def test_values_come_back(values, most):
    codes = np.asarray(values, np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "MOST_RUNS", most)
        described = written_and_read(values_to_json(codes, WORDS))
    np.testing.assert_array_equal(values_of_json(described, CODES, len(codes)), codes)


def test_few_runs_are_readable_and_many_are_packed():
    rows, cols = np.array([3, 3, 5], np.int32), np.array([7, 8, 0], np.int32)
    assert tiles_to_json(rows, cols) == [[3, 7, 2], [5, 0, 1]]
    assert values_to_json(np.array([1, 1, 0], np.uint8), WORDS) == [["HEP", 2], [None, 1]]
    board = np.indices(SHAPE).sum(axis=0) % 2 == 1
    described = tiles_to_json(*(axis.astype(np.int32) for axis in np.nonzero(board)))
    assert described["box"] == [0, 0, 40, 50]
    # As the documentation says, with nothing of ours.
    bits = np.unpackbits(np.frombuffer(zlib.decompress(base64.b64decode(described["bits"])), "u1"))
    np.testing.assert_array_equal(bits[: 40 * 50].reshape(SHAPE), board)


def test_tiles_out_of_order_keep_their_order():
    rows, cols = np.arange(600, dtype=np.int32)[::-1] % 40, np.zeros(600, np.int32)
    rows, cols = rows[:40], cols[:40]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "MOST_RUNS", 0)
        found = tiles_of_json(tiles_to_json(rows, cols), SHAPE)
    np.testing.assert_array_equal(found[0], rows)


def described_board():
    board = np.indices(SHAPE).sum(axis=0) % 2 == 1
    return tiles_to_json(*(axis.astype(np.int32) for axis in np.nonzero(board)))


@pytest.mark.parametrize(
    "damage",
    [
        {"box": [1, 0, 40, 50]},
        {"box": [-1, 0, 40, 50]},
        {"box": [0, 0, 40, 49]},
        {"bits": "not base64"},
        {"bits": base64.b64encode(b"not deflated").decode()},
        {"bits": base64.b64encode(zlib.compress(bytes(10**6))).decode()},
    ],
)
def test_damaged_tiles_are_refused(damage):
    with pytest.raises(ValueError, match=r"."):
        tiles_of_json(described_board() | damage, SHAPE)


def test_values_of_another_number_or_kind_are_refused():
    codes = np.tile(np.array([1, 2], np.uint8), 400)
    described = values_to_json(codes, WORDS)
    assert set(described) == {"of", "bytes"}
    with pytest.raises(ValueError, match="damaged"):
        values_of_json(described, CODES, 799)
    with pytest.raises(ValueError, match="damaged"):
        values_of_json(described, CODES, 801)
    with pytest.raises(KeyError):
        values_of_json(described | {"of": ["HEP", "no such class"]}, CODES, 800)
    with pytest.raises(IndexError):
        values_of_json(described | {"of": ["HEP"]}, CODES, 800)
