"""Exchange the stain of tiles for that of the reference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.stain import loops
from napari_crlm_spa.core.stain.estimate import WHITE, estimate_pixels, od_table, room_for, unmixing
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
        self._slide_tables = transfer_tables(self.slide_matrix, reference)

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
        room = room_for(tiles.shape[1] * tiles.shape[2])
        for i, tile in enumerate(tiles):
            pixels = np.ascontiguousarray(tile).reshape(-1, 3)
            tables = self._slide_tables
            if self.options.method == "per_tile":
                own = estimate_pixels(pixels, self.options, room)
                fallback[i] = own is None
                tables = tables if own is None else transfer_tables(own, self.reference)
            loops.restain(pixels, tables, result[i].reshape(-1, 3))
        return result, fallback


def transfer_tables(stain: StainMatrix, reference: StainMatrix) -> NDArray[np.float32]:
    """Return what turns pixels of one stain into those of another.

    Unmix (pseudo-inverse), scale both concentrations so that the strongest agree, mix anew. All
    of that is linear in optical density, so a new gray level is a product of three factors, one
    of each old channel.

    Parameters
    ----------
    stain
        What the pixels have.
    reference
        What they shall have.

    Returns
    -------
    ndarray of float32, shape (3, 3, 256)
        Factor of new channel, old channel, old gray level; 240 is in those of old red.
    """
    scale = np.diag(reference.max_c / stain.max_c)
    transfer = reference.he @ scale @ unmixing(stain.he)
    factors = np.exp(-transfer[:, :, None] * od_table().astype(np.float64))
    factors[:, 0] *= WHITE
    return factors.astype(np.float32)
