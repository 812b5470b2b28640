"""All that is known of each tile, block by block, for those who write it to a file.

A slide may have 800,000 tiles; a block holds some of them, so no writer needs them all at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from napari_crlm_spa.core.classes import NOT_CLASSIFIED
from napari_crlm_spa.core.spatial import SpatialFeatures
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.core.tissue_map import TissueMap

BLOCK_TILES = 20_000
#: What a reader does to a tile.
TOUCHED = (TileState.EDITED, TileState.ACCEPTED, TileState.SET_ASIDE)
#: Tiles with a class, and those that a reader took it from.
_LISTED = (TileState.CLASSIFIED, *TOUCHED)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TileBlock:
    """Some tiles; all arrays have one entry a tile, in reading order.

    Parameters
    ----------
    rows, cols
        Place on the grid.
    x_um, y_um
        Center in micrometers from the slide's top-left corner.
    codes, predicted
        Class now and as the classifier called it, uint8: 0 = none, k = k-th class from 1.
    states
        `TileState`, uint8.
    probabilities
        Shape (tiles, classes), float32, of the classifier.
    confidence, entropy, strangeness
        As in `TissueMap`, float32.
    zone
        `Zone`, uint8; None without spatial features.
    distance_um
        Distance to the tumor regions, infinite without one; None without spatial features.
    interaction
        Share of each tissue around a tumor tile, by tissue; nan elsewhere.
    marks
        Marks of quality by name, bool.
    """

    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    x_um: NDArray[np.float64]
    y_um: NDArray[np.float64]
    codes: NDArray[np.uint8]
    predicted: NDArray[np.uint8]
    states: NDArray[np.uint8]
    probabilities: NDArray[np.float32]
    confidence: NDArray[np.float32]
    entropy: NDArray[np.float32]
    strangeness: NDArray[np.float32]
    zone: NDArray[np.uint8] | None
    distance_um: NDArray[np.float64] | None
    interaction: Mapping[str, NDArray[np.float32]]
    marks: Mapping[str, NDArray[np.bool_]]

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TileSource:
    """From where the tiles of a slide are listed.

    Parameters
    ----------
    tissue_map
        The classes now; a reader's corrections included if they are to be written.
    predicted
        The map as the classifier made it; None if nothing was corrected.
    features
        The spatial features of `tissue_map`: they add zone, distance and interaction.
    reader
        Who corrected; empty if nobody did.
    marks
        Marks of quality by name, each of shape (rows, cols), bool.
    """

    tissue_map: TissueMap
    predicted: TissueMap | None = None
    features: SpatialFeatures | None = None
    reader: str = ""
    marks: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    @property
    def before(self) -> TissueMap:
        """The map as the classifier made it."""
        return self.tissue_map if self.predicted is None else self.predicted

    def touched(self, block: TileBlock) -> NDArray[np.bool_]:
        """Tiles of a block that a reader corrected, accepted or set aside."""
        touched: NDArray[np.bool_] = np.isin(block.states, TOUCHED)
        return touched

    def listed(self) -> NDArray[np.bool_]:
        """Tiles with a class now or before a reader set them aside, shape (rows, cols)."""
        counted = self.tissue_map.classes != NOT_CLASSIFIED
        listed: NDArray[np.bool_] = counted | np.isin(self.tissue_map.state, _LISTED)
        return listed

    def __len__(self) -> int:
        return int(np.count_nonzero(self.listed()))

    def blocks(self, size: int = BLOCK_TILES) -> Iterator[TileBlock]:
        """Yield the tiles in reading order, at most `size` at once."""
        flat = np.flatnonzero(self.listed())
        interaction = {} if self.features is None else self.features.interaction_maps()
        for start in range(0, len(flat), size):
            yield self._block(flat[start : start + size], interaction)

    def no_tiles(self) -> TileBlock:
        """Return a block of no tile; it tells what would be known of one."""
        interaction = {} if self.features is None else self.features.interaction_maps()
        return self._block(np.empty(0, np.intp), interaction)

    def _block(
        self, flat: NDArray[np.intp], interaction: Mapping[str, NDArray[np.float32]]
    ) -> TileBlock:
        shown, features = self.tissue_map, self.features
        rows, cols = np.divmod(flat, shown.shape[1])
        at = (rows, cols)
        p = shown.probabilities[at].astype(np.float32)
        # As `TissueMap.confidence` and `entropy`, without the arrays of the whole slide.
        known = p.any(axis=1)
        entropy = entr(p).sum(axis=1) / np.log(p.shape[1])
        return TileBlock(
            rows=rows,
            cols=cols,
            x_um=shown.origin_um[0] + (cols + 0.5) * shown.stride_um,
            y_um=shown.origin_um[1] + (rows + 0.5) * shown.stride_um,
            codes=shown.classes[at],
            predicted=self.before.classes[at],
            states=shown.state[at],
            probabilities=p,
            confidence=np.where(known, p.max(axis=1), np.nan).astype(np.float32),
            entropy=np.where(known, entropy, np.nan).astype(np.float32),
            strangeness=shown.strangeness[at].astype(np.float32),
            zone=None if features is None else features.zone[at],
            distance_um=None if features is None else features.distance_tiles[at] * shown.stride_um,
            interaction={name: share[at] for name, share in interaction.items()},
            marks={name: mark[at] for name, mark in self.marks.items()},
        )
