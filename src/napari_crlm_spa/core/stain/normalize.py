"""Exchange the stain of tiles for that of the reference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.stain.estimate import (
    WHITE,
    Planes,
    estimate_density,
    optical_density,
    planes_of,
    stained_pixels,
    unmixing,
)
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
        self._slide_transfer = _transfer(self.slide_matrix, reference)

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
        result = np.empty_like(tiles)
        # Of all tiles in turn: fresh memory costs as much as the arithmetic.
        density, scratch = np.empty((2, 3, tiles.shape[1] * tiles.shape[2]), np.float32)
        for i, tile in enumerate(tiles):
            planes = planes_of(tile)
            optical_density(planes, out=density)
            transfer = self._slide_transfer
            if self.options.method == "per_tile":
                stained = stained_pixels(planes, self.options.od_min)
                own = estimate_density(density, stained, self.options, scratch)
                fallback[i] = own is None
                transfer = transfer if own is None else _transfer(own, self.reference)
            _restain(density, transfer, result[i], scratch)
        return result, fallback


def _transfer(stain: StainMatrix, reference: StainMatrix) -> NDArray[np.float32]:
    """Matrix (3, 3) that turns densities of `stain` into negated densities of `reference`.

    Unmix (pseudo-inverse), scale both concentrations so that the strongest agree, mix anew.
    """
    scale = np.diag(reference.max_c / stain.max_c)
    return (-reference.he @ scale @ unmixing(stain.he)).astype(np.float32)


def _restain(
    density: Planes, transfer: NDArray[np.float32], out: NDArray[np.uint8], light: Planes
) -> None:
    """Write 240 exp(transfer · density), rounded, into `out` (height, width, 3)."""
    np.matmul(transfer, density, out=light)
    light += np.float32(np.log(WHITE))
    np.exp(light, out=light)
    light += np.float32(0.5)
    np.clip(light, np.float32(0.0), np.float32(255.0), out=light)
    flat = out.reshape(-1, 3)
    for channel, plane in enumerate(light.astype(np.uint8)):
        flat[:, channel] = plane
