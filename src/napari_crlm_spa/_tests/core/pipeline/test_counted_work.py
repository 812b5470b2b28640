"""Guards against slow code that count work, not seconds: decoding, reading, calls, tiles in flight.

Everything is counted where the package meets others: the file that a decoder reads, the
decoding of one stored chunk, a slide's `read_level`, the classifier's `predict`.
"""

import dataclasses
import math
import threading
from collections import Counter

import numpy as np
import pytest

from napari_crlm_spa._tests.drawn_slides import TiffKind, halved, write_tiff
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.card import ModelCard
from napari_crlm_spa.core.classifier.inference import GROUP_TILES, classify_tiles
from napari_crlm_spa.core.classifier.protocol import TilePredictions
from napari_crlm_spa.core.slide import open_slide, tiff_pixels
from napari_crlm_spa.core.slide.tiff_slide import TiffSlide
from napari_crlm_spa.core.stain import StainNormalizer, StainOptions
from napari_crlm_spa.core.tiles import TilingOptions, plan_tiles
from napari_crlm_spa.core.tiles.grid import STRIP_TILES

PX, CHUNK_PX = 32, 48
TILING = TilingOptions(tile_px=PX, mpp=0.5, mask_mpp=2.0)
#: Rows of chunks below one strip of tiles for which there is room, by pixel size: what two readers
#: that lie a batch apart have between them. The wide slide needs two or three of its own rows,
#: and they don't fit.
CACHE_ROWS = {0.5: 4, 0.25: 6}
#: (rows, columns) of tiles; the second has ten times as many and is three strips wide.
SMALL, LARGE = (12, 30), (40, 90)


class Counts:
    """What was done since `reset`; safe to use from several threads."""

    def __init__(self):
        self._lock = threading.Lock()
        self.reset()

    def reset(self):
        with self._lock:
            self.decoded, self.file_bytes, self.reads = Counter(), 0, 0
            self.batches, self.in_flight, self.most_in_flight = [], 0, 0

    def decode(self, level, row, col):
        with self._lock:
            self.decoded[level, row, col] += 1

    def file_read(self, count):
        with self._lock:
            self.file_bytes += count

    def read(self):
        with self._lock:
            self.reads += 1
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def predict(self, tiles):
        with self._lock:
            self.batches.append(tiles)

    def deliver(self, tiles):
        with self._lock:
            self.in_flight -= tiles


class CountedClassifier:
    """Calls every tile tumor."""

    card = ModelCard(name="t", scheme_name="crlm7", classes=CRLM7.names, tile_px=PX, input_px=PX)

    def __init__(self, counts, batch_size):
        self.counts, self.batch_size = counts, batch_size

    def predict(self, tiles):
        self.counts.predict(len(tiles))
        return TilePredictions.of(np.eye(7, dtype=np.float32)[np.full(len(tiles), 6)])


@pytest.fixture
def counts(monkeypatch):
    """Counts of all that any slide opened in this test does."""
    counted = Counts()
    begin, read_level = tiff_pixels.TiffPixels.__init__, TiffSlide.read_level
    read_file = tiff_pixels.TiffPixels._read_at

    def counting(index, level):
        def decode(row, col):
            counted.decode(index, row, col)
            return level.decode(row, col)

        return dataclasses.replace(level, decode=decode)

    def begin_counted(self, path, file, levels):
        begin(self, path, file, levels)
        self.levels = tuple(counting(i, level) for i, level in enumerate(self.levels))

    def read_file_counted(self, offset, count):
        data = read_file(self, offset, count)
        counted.file_read(len(data))
        return data

    def read_counted(self, *where):
        counted.read()
        return read_level(self, *where)

    monkeypatch.setattr(tiff_pixels.TiffPixels, "__init__", begin_counted)
    monkeypatch.setattr(tiff_pixels.TiffPixels, "_read_at", read_file_counted)
    monkeypatch.setattr(TiffSlide, "read_level", read_counted)
    return counted


@pytest.fixture(scope="module")
def tissue_paths(tmp_path_factory):
    """Slides full of tissue, at 20x (None) and 40x, by size and resolution."""
    folder = tmp_path_factory.mktemp("counted")
    paths = {}
    for (rows, cols), mpp in ((SMALL, 0.5), (LARGE, 0.5), (SMALL, 0.25), (LARGE, 0.25)):
        side = round(PX * 0.5 / mpp)
        rng = np.random.default_rng(0)
        tiles = rng.integers(60, 200, (rows, cols, 3)).astype(np.uint8)
        base = tiles.repeat(side, axis=0).repeat(side, axis=1)
        levels = [base, halved(halved(base))]
        kind = TiffKind(compression="jpeg", tile_px=CHUNK_PX)
        paths[rows, cols, mpp] = write_tiff(folder / f"{rows}-{mpp}.tif", levels, mpp, kind)
    return paths


def classify(path, counts, batch_size=16, readers=2, method="none"):
    """Classify a slide; return its grid and the rows and columns of chunks of level 0."""
    with open_slide(path, decoder="tifffile") as slide:
        grid = plan_tiles(slide, TILING)
        counts.reset()
        normalizer = StainNormalizer(StainOptions(method=method))
        classifier = CountedClassifier(counts, batch_size)
        for scores in classify_tiles(slide, grid, classifier, normalizer, TILING, readers):
            counts.deliver(len(scores))
        level = slide.info.levels[0]
    return grid, (math.ceil(level.height_px / CHUNK_PX), math.ceil(level.width_px / CHUNK_PX))


@pytest.mark.parametrize("mpp", [0.5, 0.25])
@pytest.mark.parametrize("readers", [1, 2])
@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_a_stored_chunk_is_decoded_once_but_twice_where_strips_meet(
    tissue_paths, counts, monkeypatch, size, mpp, readers
):
    strip_chunks = STRIP_TILES * PX * 0.5 / mpp / CHUNK_PX + 2
    room = int(CACHE_ROWS[mpp] * strip_chunks * CHUNK_PX**2 * 3)
    monkeypatch.setattr(tiff_pixels, "CACHE_BYTES", room)
    grid, (chunk_rows, chunk_cols) = classify(tissue_paths[(*size, mpp)], counts, readers=readers)
    borders = -(-grid.cols // STRIP_TILES) - 1
    of_level_0 = [times for (level, _, _), times in counts.decoded.items() if level == 0]
    assert len(of_level_0) == chunk_rows * chunk_cols
    # The filter that reduces 40x reaches beyond a tile, so there two columns may be shared.
    shared = 1 if mpp == 0.5 else 2
    assert sum(of_level_0) <= chunk_rows * (chunk_cols + shared * borders)
    assert not any(level for level, _, _ in counts.decoded)


def test_the_file_is_read_once(tissue_paths, counts):
    path = tissue_paths[(*SMALL, 0.5)]
    classify(path, counts)
    assert 0 < counts.file_bytes <= path.stat().st_size


@pytest.mark.parametrize("mpp", [0.5, 0.25])
@pytest.mark.parametrize("method", ["none", "per_tile"])
def test_a_tile_is_one_read(tissue_paths, counts, mpp, method):
    grid, _ = classify(tissue_paths[(*SMALL, mpp)], counts, method=method)
    assert counts.reads == len(grid.pending()) == SMALL[0] * SMALL[1]


@pytest.mark.parametrize("batch_size", [5, 16, 20, 64])
def test_the_network_is_called_with_full_batches(tissue_paths, counts, batch_size):
    tiles = SMALL[0] * SMALL[1]
    classify(tissue_paths[(*SMALL, 0.5)], counts, batch_size)
    assert len(counts.batches) == math.ceil(tiles / batch_size)
    assert set(counts.batches[:-1]) == {batch_size}
    assert sum(counts.batches) == tiles


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize(("batch_size", "readers"), [(8, 1), (16, 2), (64, 4)])
def test_tiles_in_flight_are_bounded_by_batch_and_readers_not_by_the_slide(
    tissue_paths, counts, size, batch_size, readers
):
    classify(tissue_paths[(*size, 0.5)], counts, batch_size, readers)
    groups = 2 * readers + math.ceil(batch_size / GROUP_TILES)
    assert counts.most_in_flight <= batch_size + (groups + 1) * GROUP_TILES
    assert counts.in_flight == 0
