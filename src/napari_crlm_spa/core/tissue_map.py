"""The tissue map: one class per tile, with its probabilities and how it came about.

Everything that follows (tumor regions, masks, spatial features, heat maps) is a pure function
of it, so a corrected tile never needs the network again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from napari_crlm_spa.core.classes import NOT_CLASSIFIED, ClassScheme
from napari_crlm_spa.core.tiles import TileGrid, TileScores, TileState


@dataclass(frozen=True, slots=True, eq=False)
class TissueMap:
    """Classes on the tile grid.

    Parameters
    ----------
    classes
        Shape (rows, cols), uint8: 0 = not classified, k = k-th class of the scheme from 1.
    probabilities
        Shape (rows, cols, classes), float16, calibrated; zeros where not classified.
    strangeness
        Shape (rows, cols), float16: how unlike the training tiles a tile looks; above 1 is
        unusual, nan where not classified or not known.
    state
        Shape (rows, cols), uint8 of `TileState`.
    edge
        Shape (rows, cols), bool: the tile reaches beyond the slide and was padded white.
    stride_um
        Distance of neighboring tiles in micrometers.
    origin_um
        (x, y) of the grid's top-left corner in the slide's frame.
    scheme
        The classes.
    """

    classes: NDArray[np.uint8]
    probabilities: NDArray[np.float16]
    strangeness: NDArray[np.float16]
    state: NDArray[np.uint8]
    edge: NDArray[np.bool_]
    stride_um: float
    origin_um: tuple[float, float]
    scheme: ClassScheme

    @classmethod
    def empty(cls, grid: TileGrid, scheme: ClassScheme) -> TissueMap:
        """Start a map in which no tile of `grid` is classified yet."""
        shape = (grid.rows, grid.cols)
        return cls(
            classes=np.zeros(shape, np.uint8),
            probabilities=np.zeros((*shape, len(scheme)), np.float16),
            strangeness=np.full(shape, np.nan, np.float16),
            state=grid.state.copy(),
            edge=grid.edge.copy(),
            stride_um=grid.stride_um,
            origin_um=grid.origin_um,
            scheme=scheme,
        )

    def add(self, scores: TileScores) -> None:
        """Enter freshly scored tiles in place."""
        at = (scores.rows, scores.cols)
        classified = scores.states == TileState.CLASSIFIED
        codes = scores.probabilities.argmax(axis=1).astype(np.uint8) + 1
        self.classes[at] = np.where(classified, codes, NOT_CLASSIFIED)
        self.probabilities[at] = scores.probabilities
        self.strangeness[at] = scores.strangeness
        self.state[at] = scores.states

    def as_grid(self) -> TileGrid:
        """Return the grid that the map lies on, one pixel per micrometer."""
        return TileGrid(
            state=self.state,
            edge=self.edge,
            tile_px=round(self.stride_um),
            mpp=self.stride_um / round(self.stride_um),
            origin_um=self.origin_um,
        )

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols) of the grid."""
        return self.classes.shape[0], self.classes.shape[1]

    @property
    def done(self) -> NDArray[np.bool_]:
        """Tiles that need no further work, shape (rows, cols)."""
        return np.not_equal(self.state, TileState.PENDING)

    def confidence(self) -> NDArray[np.float32]:
        """Probability of the likeliest class, shape (rows, cols); nan where not classified.

        It is the network's, also where a reader has corrected the class.
        """
        return self._where_classified(self.probabilities.max(axis=2))

    def entropy(self) -> NDArray[np.float32]:
        """Return Shannon's entropy of the probabilities over log k, shape (rows, cols).

        0: certain; 1: all k classes are equally likely; nan where not classified.
        """
        p = self.probabilities.astype(np.float32)
        nats = entr(p).sum(axis=2)
        return self._where_classified(nats / np.log(len(self.scheme)))

    def _where_classified(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        classified = self.probabilities.any(axis=2)
        return np.where(classified, values, np.nan).astype(np.float32)

    def mask(self, name: str) -> NDArray[np.bool_]:
        """Tiles of one class, shape (rows, cols)."""
        return np.equal(self.classes, self.scheme.code(name))

    def counts(self) -> dict[str, int]:
        """Tiles per class name; classes without tiles count 0."""
        counted = np.bincount(self.classes.ravel(), minlength=len(self.scheme) + 1)
        return {name: int(counted[i + 1]) for i, name in enumerate(self.scheme.names)}

    def area_mm2(self, tiles: int | float) -> float:
        """Area of a number of tiles in square millimeters."""
        return tiles * (self.stride_um / 1000) ** 2

    def edited(self, rows: NDArray[np.intp], cols: NDArray[np.intp], class_name: str) -> TissueMap:
        """Return a copy in which the given tiles have another class; probabilities stay."""
        classes, state = self.classes.copy(), self.state.copy()
        classes[rows, cols] = self.scheme.code(class_name)
        state[rows, cols] = TileState.EDITED
        return TissueMap(
            classes=classes,
            probabilities=self.probabilities,
            strangeness=self.strangeness,
            state=state,
            edge=self.edge,
            stride_um=self.stride_um,
            origin_um=self.origin_um,
            scheme=self.scheme,
        )
