"""Exchange the stain of tiles for that of the reference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.stain import macenko
from napari_crlm_spa.core.stain.estimate import limits_of
from napari_crlm_spa.core.stain.matrix import REFERENCE, StainMatrix, StainOptions


class StainNormalizer:
    """Normalizes tiles to a reference stain; safe to share among threads.

    Parameters
    ----------
    options
        Method and estimation.
    slide_matrix
        The slide's stain: used for every tile with ``per_slide``, and with ``per_tile`` for
        tiles whose own estimate fails. None stands for the reference.
    reference
        What the tiles are normalized to.
    """

    def __init__(
        self,
        options: StainOptions,
        slide_matrix: StainMatrix | None = None,
        reference: StainMatrix = REFERENCE,
    ) -> None:
        self.options = options
        self.slide_matrix = slide_matrix or reference
        self.reference = reference
        self._table = macenko.od_table()
        self._reference = (_own(reference.he), _own(reference.max_c))
        stain = (_own(self.slide_matrix.he), _own(self.slide_matrix.max_c))
        self._slide_tables = macenko.transfer_tables(*stain, *self._reference, self._table)

    def normalize(self, tiles: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Normalize tiles.

        Parameters
        ----------
        tiles
            Shape (n, height, width, 3), uint8; left as they are.

        Returns
        -------
        ndarray of uint8, same shape
            The input itself with method ``none``.
        ndarray of bool, shape (n,)
            Tiles that were normalized with the slide's stain because their own failed; always
            False with ``per_slide`` and ``none``.
        """
        fallback = np.zeros(len(tiles), np.bool_)
        if self.options.method == "none":
            return tiles, fallback
        result = np.empty(tiles.shape, np.uint8)
        given = np.ascontiguousarray(tiles).reshape(len(tiles), tiles.shape[1] * tiles.shape[2], 3)
        out = result.reshape(given.shape)
        if self.options.method == "per_tile":
            limits = limits_of(self.options)
            macenko.restain_each(
                given, self._table, limits, self._reference, self._slide_tables, out, fallback
            )
        else:
            macenko.restain(given.reshape(-1, 3), self._slide_tables, out.reshape(-1, 3))
        return result, fallback


def _own(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a contiguous copy in 64 bits: machine code is made for one kind of array."""
    return np.array(numbers, np.float64, order="C")
