"""Classifying the tiles of a slide: reading, staining and the network overlap.

Reader threads prepare small groups of tiles (read, apply the paper's blank rule, normalize the
stain unless the device does) ahead of the network, never more than a bounded number of groups.
The caller's thread runs the network and receives the scores batch by batch; closing the generator
cancels the rest.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classifier.groups import Prepared, is_full, split
from napari_crlm_spa.core.classifier.protocol import (
    OverlappingClassifier,
    StainingClassifier,
    TileClassifier,
    TilePredictions,
)
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.slide import Slide
from napari_crlm_spa.core.stain import StainNormalizer
from napari_crlm_spa.core.tiles import (
    TileGrid,
    TileScores,
    TileState,
    TilingOptions,
    blank_fraction,
    read_tile,
)
from napari_crlm_spa.errors import UnreadableSlide

#: Tiles that a reader thread prepares in one go.
GROUP_TILES = 8
#: So many unreadable tiles before the first readable one mean that the file is damaged.
MAX_UNREADABLE_AT_START = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifyOptions(Options):
    """How tiles are classified. None of this changes what a tile is."""

    device: str = option(
        "auto",
        "Where the network runs; auto takes a CUDA or Apple GPU if there is one",
        choices=("auto", "cuda", "mps", "cpu"),
    )
    precision: str = option(
        "auto",
        "Number format of the network; auto is bf16 where the processor or GPU has it, fp16 on "
        "other NVIDIA GPUs, else fp32; int8 is quicker on a CPU and checked on each slide",
        choices=("auto", "fp32", "bf16", "fp16", "int8"),
        advanced=True,
    )
    engine: str = option(
        "auto",
        "What computes the network on a CPU; auto is OpenVINO where it is installed and quicker, "
        "else PyTorch",
        choices=("auto", "torch", "openvino"),
        advanced=True,
    )
    batch_size: int = option(
        0, "Tiles per batch; 0 finds a size that fits", min=0, max=4096, unit="tiles", advanced=True
    )
    readers: int = option(
        0,
        "Threads that read the slide; 0 is one per processor",
        min=0,
        max=64,
        advanced=True,
        label="Reader threads",
    )

    @property
    def reader_threads(self) -> int:
        """Number of reader threads, at least 1."""
        return self.readers or min(16, max(1, len(_available_cpus())))


def _available_cpus() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


@dataclass(frozen=True, slots=True)
class _Way:
    """Who normalizes the stain, and how many batches are begun at a time.

    Parameters
    ----------
    start
        Begins to classify tiles, stained or not as `readers_stain` says.
    readers_stain
        What the readers normalize the stain with; None leaves it to the device.
    in_flight
        Batches that are worth having begun at a time.
    """

    start: Callable[[NDArray[np.uint8]], Callable[[], TilePredictions]]
    readers_stain: StainNormalizer | None
    in_flight: int = 1

    @classmethod
    def of(cls, classifier: TileClassifier, normalizer: StainNormalizer) -> _Way:
        """Return the quickest way that a classifier knows."""
        if not isinstance(classifier, OverlappingClassifier) or classifier.in_flight == 1:
            return cls(lambda tiles: partial(classifier.predict, tiles), normalizer)
        if isinstance(classifier, StainingClassifier) and classifier.stains_with(normalizer):
            start_raw = partial(classifier.start_raw, normalizer=normalizer)
            return cls(start_raw, None, classifier.in_flight)
        return cls(classifier.start, normalizer, classifier.in_flight)


def classify_tiles(
    slide: Slide,
    grid: TileGrid,
    classifier: TileClassifier,
    normalizer: StainNormalizer,
    tiling: TilingOptions,
    readers: int = 2,
) -> Generator[TileScores, None, None]:
    """Classify the pending tiles of a grid.

    Parameters
    ----------
    slide
        An open slide with a pixel size.
    grid
        Where the tiles lie; only its PENDING tiles are read.
    classifier
        The network; its `batch_size` may shrink while this runs (out of memory).
    normalizer
        Stain normalization.
    tiling
        The blank rule.
    readers
        Threads that read and prepare tiles.

    Yields
    ------
    TileScores
        One batch, in the order of `TileGrid.batches`. A blank tile is BLANK, a tile that the file
        cannot deliver is UNREADABLE; neither has probabilities or a strangeness. Every batch but
        the last holds `batch_size` tiles for the network, unless it ends a long stretch without
        tissue.

    Raises
    ------
    UnreadableSlide
        If the file has delivered no tile yet, and fails for the first 16.
    """
    pool = ThreadPoolExecutor(readers, thread_name_prefix="tile-reader")
    way = _Way.of(classifier, normalizer)
    waiting: deque[Future[Prepared]] = deque()
    groups = grid.batches(GROUP_TILES)

    def refill() -> None:
        # Enough groups in flight for the next batch and for every reader, and no more.
        wanted = 2 * readers + -(-classifier.batch_size // GROUP_TILES)
        while len(waiting) < wanted and (at := next(groups, None)) is not None:
            waiting.append(pool.submit(_prepare, slide, grid, at, way.readers_stain, tiling))

    try:
        batch: list[Prepared] = []
        begun: deque[Callable[[], TileScores]] = deque()
        room = np.empty((0, grid.tile_px, grid.tile_px, 3), np.uint8)
        guard = _ReadGuard(grid)
        refill()
        while waiting:
            group = waiting.popleft().result()
            refill()
            guard.check(group)
            batch.append(group)
            while batch and (is_full(batch, classifier.batch_size) or not waiting):
                ready, batch = split(batch, classifier.batch_size)
                if len(room) < (count := sum(len(part.tiles) for part in ready)):
                    room = np.empty((count, *room.shape[1:]), np.uint8)
                begun.append(_begin(ready, classifier, way, room[:count]))
                if len(begun) >= way.in_flight:
                    yield begun.popleft()()
        while begun:
            yield begun.popleft()()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _prepare(
    slide: Slide,
    grid: TileGrid,
    at: NDArray[np.int32],
    normalizer: StainNormalizer | None,
    tiling: TilingOptions,
) -> Prepared:
    states = np.full(len(at), TileState.CLASSIFIED, np.uint8)
    tiles = np.empty((len(at), grid.tile_px, grid.tile_px, 3), np.uint8)
    problem: UnreadableSlide | None = None
    for i, (row, col) in enumerate(at):
        try:
            tiles[i] = read_tile(slide, grid, int(row), int(col))
        except UnreadableSlide as error:
            states[i], problem = TileState.UNREADABLE, error
    readable = states == TileState.CLASSIFIED
    states[readable] = np.where(
        blank_fraction(_those(tiles, readable), tiling) > tiling.blank_max,
        TileState.BLANK,
        TileState.CLASSIFIED,
    )
    keep = states == TileState.CLASSIFIED
    fallback, tiles = np.zeros(len(at), bool), _those(tiles, keep)
    if normalizer is not None:
        tiles, fallback[keep] = normalizer.normalize(tiles)
    return Prepared(at, states, tiles, fallback, problem)


def _those(tiles: NDArray[np.uint8], wanted: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the wanted tiles; a copy only where some are not."""
    return tiles if wanted.all() else tiles[wanted]


class _ReadGuard:
    """Ends a run whose file delivers nothing, and lets single damaged tiles pass."""

    def __init__(self, grid: TileGrid) -> None:
        # A resumed run may begin in a damaged part; what was read before it speaks for the file.
        self._readable = int(np.isin(grid.state, (TileState.CLASSIFIED, TileState.BLANK)).sum())
        self._unreadable = 0

    def check(self, group: Prepared) -> None:
        bad = int(np.count_nonzero(group.states == TileState.UNREADABLE))
        self._unreadable += bad
        self._readable += len(group.states) - bad
        if group.problem and not self._readable and self._unreadable >= MAX_UNREADABLE_AT_START:
            raise group.problem


def _begin(
    batch: list[Prepared], classifier: TileClassifier, way: _Way, tiles: NDArray[np.uint8]
) -> Callable[[], TileScores]:
    """Begin to classify a batch; call what is returned for its scores.

    Its tiles are gathered in `tiles`, whose memory serves every batch.
    """
    np.concatenate([part.tiles for part in batch], out=tiles)
    finish = way.start(tiles) if len(tiles) else lambda: None
    if way.in_flight > 1:
        return lambda: _scores(batch, classifier, finish())
    done = _scores(batch, classifier, finish())
    return lambda: done


def _scores(
    batch: list[Prepared], classifier: TileClassifier, predictions: TilePredictions | None
) -> TileScores:
    at = np.concatenate([part.at for part in batch])
    states = np.concatenate([part.states for part in batch])
    probabilities = np.zeros((len(at), len(classifier.card.classes)), np.float16)
    strangeness = np.full(len(at), np.nan, np.float16)
    fallback = np.concatenate([part.stain_fallback for part in batch])
    if predictions is not None:
        classified = states == TileState.CLASSIFIED
        probabilities[classified] = predictions.probabilities
        strangeness[classified] = predictions.strangeness
        if predictions.stain_fallback is not None:
            fallback[classified] = predictions.stain_fallback
    return TileScores(
        rows=at[:, 0],
        cols=at[:, 1],
        states=states,
        probabilities=probabilities,
        strangeness=strangeness,
        stain_fallback=fallback,
    )
