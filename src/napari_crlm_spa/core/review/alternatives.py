"""Which other class a tile could be, by the classifier's probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED, ClassScheme
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.core.tissue_map import TissueMap


@dataclass(frozen=True, slots=True, eq=False)
class Alternatives:
    """Another class for each of some tiles; arrays of shape (n,).

    Parameters
    ----------
    rows, cols
        The tiles.
    from_codes, to_codes
        The class on the map, and the other one.
    probability, other_probability
        The classifier's probabilities of both.
    scheme
        The classes.
    """

    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    from_codes: NDArray[np.uint8]
    to_codes: NDArray[np.uint8]
    probability: NDArray[np.float64]
    other_probability: NDArray[np.float64]
    scheme: ClassScheme

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, which: NDArray[np.generic]) -> Alternatives:
        """Return some of them: positions or a mask."""
        return Alternatives(
            self.rows[which],
            self.cols[which],
            self.from_codes[which],
            self.to_codes[which],
            self.probability[which],
            self.other_probability[which],
            self.scheme,
        )

    def as_frame(self) -> pd.DataFrame:
        """Return one row per tile: row, col, class, other class, both probabilities."""
        names = np.array(["", *self.scheme.names])
        return pd.DataFrame(
            {
                "row": self.rows,
                "col": self.cols,
                "class": names[self.from_codes],
                "second_class": names[self.to_codes],
                "probability": self.probability,
                "second_probability": self.other_probability,
            }
        )


def open_to_doubt(tissue_map: TissueMap) -> NDArray[np.bool_]:
    """Tiles with a class that no reader has confirmed or changed, shape (rows, cols)."""
    found: NDArray[np.bool_] = (
        (tissue_map.state == TileState.CLASSIFIED)
        & (tissue_map.classes != NOT_CLASSIFIED)
        & tissue_map.probabilities.any(axis=2)
    )
    return found


def second_classes(tissue_map: TissueMap, tiles: NDArray[np.bool_]) -> Alternatives:
    """Return the likeliest class but the one on the map, for a mask of classified tiles."""
    rows, cols = np.nonzero(tiles)
    p = tissue_map.probabilities[rows, cols].astype(np.float64)
    codes = tissue_map.classes[rows, cols]
    at = np.arange(len(rows))
    own = p[at, codes - 1]
    p[at, codes - 1] = -1.0
    other = p.argmax(axis=1)
    return Alternatives(
        rows.astype(np.int64),
        cols.astype(np.int64),
        codes,
        other.astype(np.uint8) + 1,
        own,
        p[at, other],
        tissue_map.scheme,
    )


def other_classes(tissue_map: TissueMap, tiles: NDArray[np.bool_], least: float) -> Alternatives:
    """Return every other class that has at least a probability; a tile may come several times."""
    rows, cols = np.nonzero(tiles)
    p = tissue_map.probabilities[rows, cols].astype(np.float64)
    codes = tissue_map.classes[rows, cols]
    own = p[np.arange(len(rows)), codes - 1]
    likely = p >= least
    likely[np.arange(len(rows)), codes - 1] = False
    at, index = np.nonzero(likely)
    return Alternatives(
        rows[at].astype(np.int64),
        cols[at].astype(np.int64),
        codes[at],
        index.astype(np.uint8) + 1,
        own[at],
        p[at, index],
        tissue_map.scheme,
    )
