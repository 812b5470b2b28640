"""Tiles and their values in a line of JSON: as runs, or packed where there are many of them.

Packed tiles are the bits of a mask, packed values one byte a tile, both deflated (RFC 1950) and
in base64, so any program can read them: a step on a whole slide is a line of some 100 KB instead
of many MB, and is written in milliseconds.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tiles = tuple[NDArray[np.int32], NDArray[np.int32]]
#: Of more runs than these nobody reads a line by eye.
MOST_RUNS = 256


def tiles_to_json(rows: NDArray[np.int32], cols: NDArray[np.int32]) -> Any:
    """Describe tiles: a list of ``[row, first column, columns]``, or packed.

    Parameters
    ----------
    rows, cols
        Shape (n,) each. Tiles that do not stand in reading order are never packed.

    Returns
    -------
    list or dict
        Packed: ``box`` is [first row, first column, rows, columns]; ``bits`` a mask of it in
        reading order, the highest bit of a byte first.
    """
    if not len(rows):
        return []
    new_row = rows[1:] != rows[:-1]
    breaks = new_row | (cols[1:] != cols[:-1] + 1)
    starts = np.concatenate([[0], np.flatnonzero(breaks) + 1])
    in_order = bool(np.where(new_row, rows[1:] > rows[:-1], cols[1:] > cols[:-1]).all())
    if len(starts) <= MOST_RUNS or not in_order:
        lengths = np.diff(np.append(starts, len(rows)))
        return np.stack([rows[starts], cols[starts], lengths], axis=1).tolist()
    top, left = int(rows[0]), int(cols.min())
    mask = np.zeros((int(rows[-1]) - top + 1, int(cols.max()) - left + 1), np.bool_)
    mask[rows - top, cols - left] = True
    return {"box": [top, left, *mask.shape], "bits": _deflated(np.packbits(mask))}


def tiles_of_json(found: Any, shape: tuple[int, int]) -> Tiles:
    """Read tiles of a grid of that shape.

    Raises
    ------
    ValueError, KeyError, TypeError
        If it is no such description, a tile lies outside of the grid or is named twice.
    """
    if isinstance(found, Mapping):
        return _unpacked(found, shape)
    table = np.asarray(found, np.int64).reshape(-1, 3)
    row, first, length = table.T
    inside = (row >= 0) & (row < shape[0]) & (first >= 0) & (length > 0)
    if not (inside & (first + length <= shape[1])).all():
        raise ValueError("a tile lies outside of the map")
    rows = np.repeat(row, length)
    begins = np.cumsum(length) - length
    cols = np.arange(length.sum()) - np.repeat(begins - first, length)
    seen = np.zeros(shape, np.bool_)
    seen[rows, cols] = True
    if np.count_nonzero(seen) != len(rows):
        raise ValueError("a tile is named twice")
    return rows.astype(np.int32), cols.astype(np.int32)


def values_to_json(values: NDArray[np.uint8], words: Mapping[int, Any]) -> Any:
    """Describe a value per tile: a list of ``[word, number of tiles]``, or packed.

    Parameters
    ----------
    values
        Shape (n,).
    words
        What is written for each value.

    Returns
    -------
    list or dict
        Packed: ``bytes`` has a byte per tile, its place in the list ``of``.
    """
    if not len(values):
        return []
    starts = np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1])
    if len(starts) <= MOST_RUNS:
        lengths = np.diff(np.append(starts, len(values)))
        pairs = zip(values[starts].tolist(), lengths.tolist(), strict=True)
        return [[words[value], n] for value, n in pairs]
    used = np.flatnonzero(np.bincount(values)).tolist()
    places = np.zeros(256, np.uint8)
    places[used] = np.arange(len(used))
    return {"of": [words[value] for value in used], "bytes": _deflated(places[values])}


def values_of_json(found: Any, codes: Mapping[Any, int], expected: int) -> NDArray[np.uint8]:
    """Read as many values as expected.

    Raises
    ------
    ValueError, KeyError, TypeError, IndexError
        If it is no such description, or has another number of values.
    """
    if isinstance(found, Mapping):
        values = np.asarray([codes[word] for word in found["of"]], np.uint8)
        places = _inflated(found["bytes"], expected)
        result: NDArray[np.uint8] = values[places]
        return result
    values = np.asarray([codes[word] for word, _ in found], np.uint8)
    result = np.repeat(values, [int(n) for _, n in found])
    if len(result) != expected:
        raise ValueError("classes and tiles differ in number")
    return result


def _unpacked(found: Mapping[str, Any], shape: tuple[int, int]) -> Tiles:
    top, left, n_rows, n_cols = (int(number) for number in found["box"])
    if min(top, left, n_rows, n_cols) < 0 or top + n_rows > shape[0] or left + n_cols > shape[1]:
        raise ValueError("a tile lies outside of the map")
    n = n_rows * n_cols
    bits = np.unpackbits(_inflated(found["bits"], -(-n // 8)), count=n)
    rows, cols = np.nonzero(bits.reshape(n_rows, n_cols))
    return (rows + top).astype(np.int32), (cols + left).astype(np.int32)


def _deflated(data: NDArray[np.uint8]) -> str:
    # Long runs or noise: the search for anything between would take most of the time.
    packer = zlib.compressobj(level=1, strategy=zlib.Z_RLE)
    return base64.b64encode(packer.compress(data.tobytes()) + packer.flush()).decode()


def _inflated(text: str, expected: int) -> NDArray[np.uint8]:
    """Unpack a number of bytes, and not one more: a damaged line must not fill the memory."""
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(base64.b64decode(text, validate=True), expected + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if len(data) != expected or not unpacker.eof:
        raise ValueError("packed values are damaged, or other than the tiles")
    return np.frombuffer(data, np.uint8)
