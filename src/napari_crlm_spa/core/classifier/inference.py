"""Classifying the tiles of a slide: reading, staining and the network overlap.

Reader threads prepare small groups of tiles (read, apply the paper's blank rule, normalize the
stain) ahead of the network, never more than a bounded number of groups. The caller's thread
runs the network and receives the scores batch by batch; closing the generator cancels the rest.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classifier.card import ModelCard
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
#: A stretch without tissue is reported after so many batches of looking, so Cancel is heard there.
MOST_LOOKED_AT = 4


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
        "Number format of the network; auto is bf16 where the processor or GPU has it, else fp32; "
        "int8 is quicker on a CPU and checked on each slide",
        choices=("auto", "fp32", "bf16", "int8"),
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


@dataclass(frozen=True, slots=True, eq=False)
class TilePredictions:
    """What a classifier says of tiles, from one look at them.

    Parameters
    ----------
    probabilities
        Shape (n, classes), calibrated; rows sum to 1.
    strangeness
        Shape (n,): how unlike the training tiles; above 1 is unusual. nan where the model cannot
        tell, since it has no reference set.
    """

    probabilities: NDArray[np.float32]
    strangeness: NDArray[np.float32]

    @classmethod
    def of(cls, probabilities: NDArray[np.float32]) -> TilePredictions:
        """Return predictions of a model that cannot tell what is strange."""
        return cls(probabilities, np.full(len(probabilities), np.nan, np.float32))


class TileClassifier(Protocol):
    """What inference needs of a classifier; `runtime.Classifier` is one."""

    @property
    def card(self) -> ModelCard:
        """What the model is."""

    @property
    def batch_size(self) -> int:
        """Tiles that fit into one batch."""

    def predict(self, tiles: NDArray[np.uint8]) -> TilePredictions:
        """Return probabilities and strangeness of tiles (n, px, px, 3)."""


@runtime_checkable
class OverlappingClassifier(TileClassifier, Protocol):
    """A classifier whose device works while the next batch is prepared."""

    @property
    def in_flight(self) -> int:
        """Batches that are worth having begun at a time."""

    def start(self, tiles: NDArray[np.uint8]) -> Callable[[], TilePredictions]:
        """Begin to do what `predict` does; the memory of `tiles` may be used again at once."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A group of tiles on its way to the network; `tiles` holds those to classify only."""

    at: NDArray[np.int32]
    states: NDArray[np.uint8]
    tiles: NDArray[np.uint8]
    stain_fallback: NDArray[np.bool_]
    problem: UnreadableSlide | None

    def part(self, looked_at: slice, tiles: slice) -> _Prepared:
        """Return a stretch of the group."""
        return _Prepared(
            self.at[looked_at],
            self.states[looked_at],
            self.tiles[tiles],
            self.stain_fallback[looked_at],
            self.problem,
        )


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
    waiting: deque[Future[_Prepared]] = deque()
    groups = grid.batches(GROUP_TILES)

    def refill() -> None:
        # Enough groups in flight for the next batch and for every reader, and no more.
        wanted = 2 * readers + -(-classifier.batch_size // GROUP_TILES)
        while len(waiting) < wanted and (at := next(groups, None)) is not None:
            waiting.append(pool.submit(_prepare, slide, grid, at, normalizer, tiling))

    try:
        batch: list[_Prepared] = []
        begun: deque[Callable[[], TileScores]] = deque()
        room = np.empty((0, grid.tile_px, grid.tile_px, 3), np.uint8)
        guard = _ReadGuard(grid)
        refill()
        while waiting:
            group = waiting.popleft().result()
            refill()
            guard.check(group)
            batch.append(group)
            while batch and (_is_full(batch, classifier.batch_size) or not waiting):
                ready, batch = _split(batch, classifier.batch_size)
                if len(room) < (count := sum(len(part.tiles) for part in ready)):
                    room = np.empty((count, *room.shape[1:]), np.uint8)
                begun.append(_begin(ready, classifier, room[:count]))
                if len(begun) >= _in_flight(classifier):
                    yield begun.popleft()()
        while begun:
            yield begun.popleft()()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _is_full(batch: list[_Prepared], batch_size: int) -> bool:
    to_classify = sum(len(part.tiles) for part in batch)
    looked_at = sum(len(part.states) for part in batch)
    return to_classify >= batch_size or looked_at >= MOST_LOOKED_AT * batch_size


def _split(batch: list[_Prepared], size: int) -> tuple[list[_Prepared], list[_Prepared]]:
    """Part a batch after `size` tiles to classify: a network likes to see full batches."""
    over = sum(len(part.tiles) for part in batch) - size
    if over <= 0:
        return batch, []
    *before, last = batch
    kept = len(last.tiles) - over
    if kept <= 0:
        ready, rest = _split(before, size)
        return ready, [*rest, last]
    cut = int(np.flatnonzero(last.states == TileState.CLASSIFIED)[kept - 1]) + 1
    return [*before, last.part(slice(cut), slice(kept))], [
        last.part(slice(cut, None), slice(kept, None))
    ]


def _prepare(
    slide: Slide,
    grid: TileGrid,
    at: NDArray[np.int32],
    normalizer: StainNormalizer,
    tiling: TilingOptions,
) -> _Prepared:
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
    fallback = np.zeros(len(at), bool)
    normalized, fallback[keep] = normalizer.normalize(_those(tiles, keep))
    return _Prepared(at, states, normalized, fallback, problem)


def _those(tiles: NDArray[np.uint8], wanted: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the wanted tiles; a copy only where some are not."""
    return tiles if wanted.all() else tiles[wanted]


class _ReadGuard:
    """Ends a run whose file delivers nothing, and lets single damaged tiles pass."""

    def __init__(self, grid: TileGrid) -> None:
        # A resumed run may begin in a damaged part; what was read before it speaks for the file.
        self._readable = int(np.isin(grid.state, (TileState.CLASSIFIED, TileState.BLANK)).sum())
        self._unreadable = 0

    def check(self, group: _Prepared) -> None:
        bad = int(np.count_nonzero(group.states == TileState.UNREADABLE))
        self._unreadable += bad
        self._readable += len(group.states) - bad
        if group.problem and not self._readable and self._unreadable >= MAX_UNREADABLE_AT_START:
            raise group.problem


def _in_flight(classifier: TileClassifier) -> int:
    return classifier.in_flight if isinstance(classifier, OverlappingClassifier) else 1


def _begin(
    batch: list[_Prepared], classifier: TileClassifier, tiles: NDArray[np.uint8]
) -> Callable[[], TileScores]:
    """Begin to classify a batch; call what is returned for its scores.

    Its tiles are gathered in `tiles`, whose memory serves every batch.
    """
    np.concatenate([part.tiles for part in batch], out=tiles)
    if isinstance(classifier, OverlappingClassifier) and classifier.in_flight > 1 and len(tiles):
        finish = classifier.start(tiles)
        return lambda: _scores(batch, classifier, finish())
    done = _scores(batch, classifier, classifier.predict(tiles) if len(tiles) else None)
    return lambda: done


def _scores(
    batch: list[_Prepared], classifier: TileClassifier, predictions: TilePredictions | None
) -> TileScores:
    at = np.concatenate([part.at for part in batch])
    states = np.concatenate([part.states for part in batch])
    probabilities = np.zeros((len(at), len(classifier.card.classes)), np.float16)
    strangeness = np.full(len(at), np.nan, np.float16)
    if predictions is not None:
        classified = states == TileState.CLASSIFIED
        probabilities[classified] = predictions.probabilities
        strangeness[classified] = predictions.strangeness
    return TileScores(
        rows=at[:, 0],
        cols=at[:, 1],
        states=states,
        probabilities=probabilities,
        strangeness=strangeness,
        stain_fallback=np.concatenate([part.stain_fallback for part in batch]),
    )
