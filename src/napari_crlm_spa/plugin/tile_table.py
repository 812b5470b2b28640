"""The tiles of a slide as a table: columns, order, rows as text. No Qt.

The numbers are those of the maps: same arrays, same functions. A column is computed when it is
first shown, sorted or filtered by, so that a table of 800,000 tiles is there at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.quality import QualityMark
from napari_crlm_spa.core.spatial import Zone
from napari_crlm_spa.core.spatial.interaction import Neighborhoods
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.plugin.layers.source import source_of
from napari_crlm_spa.plugin.session import OpenSlide
from napari_crlm_spa.plugin.tile_columns import COLUMNS, TileColumn

#: Rows of a table that are written between two reports.
CSV_ROWS = 20_000
#: These follow from the prediction and the slide; corrections leave them as they are.
_FIXED = (
    *("row", "col", "x_um", "y_um", "edge"),
    *("predicted", "probability", "second", "entropy", "strangeness"),
)
_OF_QUALITY = {
    "sharpness": "sharpness",
    "blur_sd": "blur",
    "pen_share": "pen",
    "fold_ratio": "fold",
    "air_share": "air",
}
NO_WORD = ""


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """One column of all tiles.

    Parameters
    ----------
    numbers
        Shape (tiles,): numbers, or codes of `words`.
    words
        What the codes say; None for numbers.
    """

    numbers: NDArray[Any]
    words: tuple[str, ...] | None = None


class TileTable:
    """The classified tiles of a slide under review, in reading order.

    Parameters
    ----------
    slide
        It has a review.
    contribution
        Push on the risk, shape (rows, cols), as the map shows it; None if it is not known.
    earlier
        A table of the same slide: what cannot have changed is taken from it.
    """

    def __init__(
        self,
        slide: OpenSlide,
        contribution: NDArray[np.floating] | None = None,
        earlier: TileTable | None = None,
    ) -> None:
        assert slide.review is not None
        self.slide = slide
        self.review = slide.review
        self._features = slide.review.features
        self._quality = slide.quality
        self._contribution = contribution
        self._kept: dict[str, Values] = {}
        self._at: tuple[NDArray[np.intp], ...]
        if earlier is not None and earlier.review is self.review:
            self._at = earlier._at
            self._kept = {key: earlier._kept[key] for key in _FIXED if key in earlier._kept}
        else:
            self._at = np.nonzero(self.review.predicted.classes)

    def __len__(self) -> int:
        return len(self._at[0])

    @property
    def rows(self) -> NDArray[np.intp]:
        """Grid row of each tile, shape (tiles,)."""
        return self._at[0]

    @property
    def cols(self) -> NDArray[np.intp]:
        """Grid column of each tile, shape (tiles,)."""
        return self._at[1]

    @property
    def columns(self) -> tuple[TileColumn, ...]:
        """The columns in order."""
        return COLUMNS

    def values(self, name: str) -> Values:
        """Return a column; it is computed once.

        Raises
        ------
        KeyError
            If there is no such column.
        """
        if name not in self._kept:
            self._kept[name] = self._compute(name)
        return self._kept[name]

    def is_known(self, name: str) -> bool:
        """Whether a column can hold anything yet."""
        if name in _OF_QUALITY or name == "marks":
            return self._quality is not None
        return name != "contribution" or self._contribution is not None

    def compute_all(self) -> TileTable:
        """Compute all columns, so that later corrections of the slide leave this table as it is."""
        for column in COLUMNS:
            if self.is_known(column.name):
                self.values(column.name)
        return self

    def find(self, row: int, col: int) -> int:
        """Return the index of a tile of the grid; -1 if it is none of the table's."""
        n_cols = self.review.predicted.shape[1]
        flat = self._kept_flat(n_cols)
        at = int(np.searchsorted(flat, row * n_cols + col))
        return at if at < len(flat) and flat[at] == row * n_cols + col else -1

    # -- order ----------------------------------------------------------------------------

    def sorted_by(
        self, indices: NDArray[np.intp], name: str, *, descending: bool
    ) -> NDArray[np.intp]:
        """Order tiles by a column, stably; unknown numbers come last either way."""
        found = self.values(name)
        keys = found.numbers[indices]
        if found.words is not None:
            # By word, not by code.
            rank = np.argsort(np.argsort(np.array(found.words)))
            keys = rank[keys]
        keys = keys.astype(np.float64)
        order = np.argsort(-keys if descending else keys, kind="stable")
        return indices[order]

    # -- text -----------------------------------------------------------------------------

    def text(self, index: int, column: TileColumn) -> str:
        """Return what a cell shows; nothing for what is not known."""
        if not self.is_known(column.name):
            return NO_WORD
        found = self.values(column.name)
        value = found.numbers[index]
        if column.name == "predicted" and value == self.values("class").numbers[index]:
            return NO_WORD
        if found.words is not None:
            return found.words[int(value)]
        return "" if np.isnan(value) else f"{value:.{column.decimals}f}"

    def csv(self, indices: NDArray[np.intp]) -> Iterator[tuple[int, str]]:
        """Yield (rows written so far, text) of a CSV file, exactly in the order of `indices`."""
        yield 0, ",".join(column.name for column in COLUMNS) + "\n"
        for start in range(0, len(indices), CSV_ROWS):
            chosen = indices[start : start + CSV_ROWS]
            texts = [self._texts(chosen, column) for column in COLUMNS]
            lines = "\n".join(map(",".join, zip(*texts, strict=True)))
            yield start + len(chosen), lines + "\n"

    def _texts(self, indices: NDArray[np.intp], column: TileColumn) -> list[str]:
        """All digits that the number has, unlike on the screen."""
        if not self.is_known(column.name):
            return [NO_WORD] * len(indices)
        found = self.values(column.name)
        chosen = found.numbers[indices]
        if found.words is not None:
            return [found.words[code] for code in chosen.tolist()]
        if chosen.dtype.kind in "iu":
            return [str(value) for value in chosen.tolist()]
        shortest = chosen.astype(str).tolist()
        return [NO_WORD if text == "nan" else text for text in shortest]

    # -- columns --------------------------------------------------------------------------

    def _compute(self, name: str) -> Values:
        if name in _OF_QUALITY:
            return self._numbers(
                None if self._quality is None else getattr(self._quality, _OF_QUALITY[name])
            )
        if name == "contribution":
            return self._numbers(self._contribution)
        if name.startswith("interaction_"):
            return self._interaction(name.removeprefix("interaction_").upper())
        maker: Callable[[], Values] = getattr(self, f"_{name}")
        return maker()

    def _numbers(self, grid: NDArray[Any] | None) -> Values:
        if grid is None:
            return Values(np.full(len(self), np.nan, np.float32))
        return Values(grid[self._at])

    def _kept_flat(self, n_cols: int) -> NDArray[np.intp]:
        if "_flat" not in self._kept:
            self._kept["_flat"] = Values(self._at[0] * n_cols + self._at[1])
        return self._kept["_flat"].numbers

    def _row(self) -> Values:
        return Values(self._at[0].astype(np.int32))

    def _col(self) -> Values:
        return Values(self._at[1].astype(np.int32))

    def _x_um(self) -> Values:
        return Values(self.review.predicted.origin_um[0] + self._at[1] * self._stride_um)

    def _y_um(self) -> Values:
        return Values(self.review.predicted.origin_um[1] + self._at[0] * self._stride_um)

    @property
    def _stride_um(self) -> float:
        return self.review.predicted.stride_um

    @property
    def _class_words(self) -> tuple[str, ...]:
        return (NO_WORD, *self.review.predicted.scheme.names)

    def _class(self) -> Values:
        return Values(self.review.tissue_map.classes[self._at], self._class_words)

    def _predicted(self) -> Values:
        return Values(self.review.predicted.classes[self._at], self._class_words)

    def _second(self) -> Values:
        shares = self.review.predicted.probabilities[self._at].astype(np.float32)
        tiles = np.arange(len(shares))
        shares[tiles, shares.argmax(axis=1)] = -1
        return Values(shares.argmax(axis=1).astype(np.uint8) + 1, self._class_words)

    def _probability(self) -> Values:
        source = source_of(self.slide)
        return self._numbers(None if source is None else source.confidence)

    def _entropy(self) -> Values:
        source = source_of(self.slide)
        return self._numbers(None if source is None else source.entropy)

    def _strangeness(self) -> Values:
        return self._numbers(self.review.predicted.strangeness.astype(np.float32))

    def _edge(self) -> Values:
        return Values(self.review.predicted.edge[self._at].astype(np.uint8), (NO_WORD, "edge"))

    def _zone(self) -> Values:
        words = tuple(NO_WORD if zone is Zone.NONE else zone.name.lower() for zone in Zone)
        return Values(self._features.zone[self._at], words)

    def _distance_um(self) -> Values:
        distance = self._features.distance_um[self._at]
        return Values(np.where(np.isfinite(distance), distance, np.nan))

    def _interaction(self, tissue: str) -> Values:
        options = self._features.options
        around = Neighborhoods(self._features.tissue_map, options.interaction_denominator)
        return self._numbers(around.share_map(tissue))

    def _marks(self) -> Values:
        every = range(int(sum(QualityMark)) + 1)
        words = tuple(QualityMark(flags).title for flags in every)
        if self._quality is None:
            return Values(np.zeros(len(self), np.uint8), words)
        return Values(self._quality.marks[self._at], words)

    def _state(self) -> Values:
        words = tuple(state.name.lower().replace("_", " ") for state in TileState)
        return Values(self.review.tissue_map.state[self._at], words)
