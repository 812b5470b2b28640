"""Tiles in memory: decoded once, at the resolution of the trunk, once per stain method."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from napari_crlm_spa.core.classifier.training.data import LabeledTile
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.stain import StainNormalizer, StainOptions, estimate_slide_matrix
from napari_crlm_spa.errors import TrainingError

STAIN_METHODS = ("per_slide", "per_tile", "none")
_THREADS = 2
#: Ways to store a tile that are understood beside RGB, by Pillow's mode.
_KINDS = {
    "1": "black and white",
    "L": "grayscale",
    "LA": "grayscale with transparency",
    "P": "palette",
    "RGBA": "with transparency",
    "RGBX": "padded RGB",
    "CMYK": "CMYK",
    "YCbCr": "YCbCr",
}
#: Share of broken images from which on the data, not the image, is the problem.
_BROKEN_MAX = 0.1


@dataclass(slots=True)
class TileCache:
    """Decoded tiles.

    Parameters
    ----------
    variants
        By stain method: uint8, shape (n, input_px, input_px, 3).
    labels
        Shape (n,), int64.
    slides
        Slide of each tile.
    drawn
        Shape (n,), bool: the tile is drawn, not photographed.
    broken
        Class folder and name of files that could not be decoded and are left out, with the
        reason; not where they lie, since notes go into reports.
    paths
        File of each tile.
    digests
        Hash of the pixels of each tile, as decoded.
    converted
        By kind (grayscale, CMYK, ...): tiles that were not stored as RGB.
    """

    variants: dict[str, NDArray[np.uint8]]
    labels: NDArray[np.int64]
    slides: list[str]
    drawn: NDArray[np.bool_]
    broken: list[str] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    converted: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.labels)


def load_tiles(
    tiles: Sequence[LabeledTile],
    tile_px: int,
    input_px: int,
    methods: Sequence[str] = STAIN_METHODS,
    stage: str = "Reading tiles",
) -> Generator[Progress, None, TileCache]:
    """Decode tiles, normalize their stain and average them down.

    The slide matrix of ``per_slide`` is estimated from the tiles of that slide in `tiles`.

    Yields
    ------
    Progress
        After each slide.

    Returns
    -------
    TileCache
        In the order of slides.

    Raises
    ------
    TrainingError
        If a tile has another size, or too many are broken.
    """
    ordered = sorted(tiles, key=lambda tile: (tile.slide, tile.label, str(tile.path)))
    parts: dict[str, list[NDArray[np.uint8]]] = {method: [] for method in methods}
    kept: list[LabeledTile] = []
    broken: list[str] = []
    digests: list[bytes] = []
    converted: Counter[str] = Counter()
    done = 0
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="tile-decoder") as pool:
        for _, group in groupby(ordered, key=lambda tile: tile.slide):
            of_slide = list(group)
            images, good, bad = _decode_all(of_slide, tile_px, pool, converted)
            broken += bad
            kept += good
            digests += pool.map(_digest, images)
            if len(images):
                for method in methods:
                    parts[method].append(_normalized(images, method, input_px, pool))
            done += len(of_slide)
            yield Progress(stage, done, len(ordered), "tiles")
    if len(broken) > _BROKEN_MAX * len(ordered):
        raise TrainingError(
            f"{len(broken)} of {len(ordered)} tiles cannot be decoded, the first is {broken[0]}. "
            "Export the tiles again."
        )
    empty = np.empty((0, input_px, input_px, 3), np.uint8)
    return TileCache(
        {method: np.concatenate(parts.pop(method) or [empty]) for method in methods},
        np.array([tile.label for tile in kept], np.int64),
        [tile.slide for tile in kept],
        np.array([tile.drawn for tile in kept], bool),
        broken,
        [tile.path for tile in kept],
        digests,
        converted,
    )


def decode(path: Path, tile_px: int) -> tuple[NDArray[np.uint8], str]:
    """Decode a tile to RGB, and tell how it was stored if otherwise.

    What is transparent is laid over white, as glass is.

    Raises
    ------
    TrainingError
        If it has another size than `tile_px`.
    OSError
        If it cannot be decoded, or its values are no bytes.
    """
    with Image.open(path) as image:
        if image.size != (tile_px, tile_px):
            raise TrainingError(
                f"{path} is {image.width} x {image.height} px, but tiles of {tile_px} x "
                f"{tile_px} px are expected. Export the tiles at that size, or pass --tile-px."
            )
        if image.mode not in ("RGB", *_KINDS):
            raise OSError(f"its values are no bytes (mode {image.mode}); export it as 8-bit RGB")
        kind = _KINDS.get(image.mode, "")
        if kind and image.has_transparency_data:
            glass = Image.new("RGBA", image.size, "white")
            glass.alpha_composite(image.convert("RGBA"))
            return np.asarray(glass.convert("RGB"), np.uint8), kind
        return np.asarray(image.convert("RGB"), np.uint8), kind


def average_down(tiles: NDArray[np.uint8], input_px: int) -> NDArray[np.uint8]:
    """Average tiles (n, px, px, 3) down to (n, input_px, input_px, 3), rounded to bytes."""
    factor = tiles.shape[1] // input_px
    if factor == 1:
        return tiles
    blocks = tiles.reshape(len(tiles), input_px, factor, input_px, factor, 3)
    mean = blocks.sum(axis=(2, 4), dtype=np.uint32)
    area = factor * factor
    rounded: NDArray[np.uint8] = ((mean + area // 2) // area).astype(np.uint8)
    return rounded


def _decode_all(
    tiles: Sequence[LabeledTile],
    tile_px: int,
    pool: ThreadPoolExecutor,
    converted: Counter[str],
) -> tuple[NDArray[np.uint8], list[LabeledTile], list[str]]:
    def attempt(tile: LabeledTile) -> tuple[NDArray[np.uint8], str] | str:
        name = f"{tile.path.parent.name}/{tile.path.name}"
        try:
            return decode(tile.path, tile_px)
        except FileNotFoundError:
            return f"{name}: there is no such file"
        except UnidentifiedImageError:  # Pillow's sentence tells where the file lies
            return f"{name}: it is no image of a known kind"
        except (OSError, SyntaxError, ValueError) as error:
            return f"{name}: {getattr(error, 'strerror', None) or error}"

    images, good, bad = [], [], []
    for tile, result in zip(tiles, pool.map(attempt, tiles), strict=True):
        if isinstance(result, str):
            bad.append(result)
        else:
            images.append(result[0])
            good.append(tile)
            converted.update([result[1]] if result[1] else [])
    shape = (len(images), tile_px, tile_px, 3)
    return np.array(images, np.uint8).reshape(shape), good, bad


def _digest(tile: NDArray[np.uint8]) -> bytes:
    return hashlib.blake2b(tile.tobytes(), digest_size=16).digest()


def _normalized(
    images: NDArray[np.uint8], method: str, input_px: int, pool: ThreadPoolExecutor
) -> NDArray[np.uint8]:
    options = StainOptions(method=method)
    matrix = None if method == "none" else estimate_slide_matrix(images, options)
    normalizer = StainNormalizer(options, matrix)

    def restain(at: tuple[int, ...]) -> NDArray[np.uint8]:
        return average_down(normalizer.normalize(images[list(at)])[0], input_px)

    return np.concatenate(list(pool.map(restain, _groups(len(images)))))


def _groups(count: int) -> list[tuple[int, ...]]:
    return [tuple(range(start, min(start + 16, count))) for start in range(0, count, 16)]
