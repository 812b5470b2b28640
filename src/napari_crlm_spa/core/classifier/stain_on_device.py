"""Macenko's stain normalization of whole batches, where the network runs.

The arithmetic of `core.stain` in PyTorch. Nothing asks the device for a number, so that a GPU's
kernels can be recorded: what fails in a tile is exchanged, not branched on.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_crlm_spa.core.stain import StainNormalizer
from napari_crlm_spa.core.stain.macenko import (
    NEGATIVE_OD,
    SINGULAR,
    STRONGEST_PERCENTILE,
    WHITE,
    od_table,
)

#: Tiles whose densities are held at a time: those of more would leave a GPU's cache.
_AT_ONCE = 64


class DeviceStain:
    """Does on a device what a `StainNormalizer` does in the reader threads.

    Parameters
    ----------
    normalizer
        Method, the slide's stain and the reference; its method is not ``none``.
    device
        Where the tiles lie; it needs 64-bit numbers, which Apple GPUs lack.
    """

    def __init__(self, normalizer: StainNormalizer, device: torch.device) -> None:
        self.normalizer = normalizer
        options, slide = normalizer.options, normalizer.slide_matrix
        self._per_tile = options.method == "per_tile"
        self._angle_percentile = options.angle_percentile
        self._stained_min = options.stained_min
        self._od_min = options.od_min
        self._separation_min = math.radians(options.separation_min_deg)
        self._dark_levels = int(np.count_nonzero(od_table() >= options.od_min))
        self._reference_he = _float64(normalizer.reference.he, device)
        self._reference_max_c = _float64(normalizer.reference.max_c, device)
        of_slide = self._transfer(_float64(slide.he, device), _float64(slide.max_c, device))
        self._slide_transfer = of_slide

    def __call__(self, tiles: Tensor) -> tuple[Tensor, Tensor]:
        """Normalize tiles.

        Parameters
        ----------
        tiles
            Shape (n, height, width, 3), uint8, on the device; left as they are.

        Returns
        -------
        Tensor of uint8, same shape
        Tensor of bool, shape (n,)
            Tiles that were normalized with the slide's stain because their own failed.
        """
        parts = [self._normalize(part) for part in torch.split(tiles, _AT_ONCE)]
        return torch.cat([part for part, _ in parts]), torch.cat([failed for _, failed in parts])

    def _normalize(self, tiles: Tensor) -> tuple[Tensor, Tensor]:
        # One plane per channel: (n, 3, pixels).
        planes = tiles.flatten(1, 2).movedim(2, 1).contiguous()
        density = math.log(WHITE) - (planes.float() + 1).log_()
        transfer = self._slide_transfer.expand(len(tiles), 3, 3)
        failed = torch.zeros(len(tiles), dtype=torch.bool, device=tiles.device)
        if self._per_tile:
            stained = planes.amax(dim=1) < self._dark_levels
            own, failed = self._estimate(density, stained)
            transfer = torch.where(failed[:, None, None], transfer, own)
        light = torch.bmm(transfer.float(), density).add_(math.log(WHITE)).exp_()
        restained = light.add_(0.5).clamp_(0, 255).to(torch.uint8)
        return restained.movedim(1, 2).reshape(tiles.shape), failed

    def _estimate(self, density: Tensor, stained: Tensor) -> tuple[Tensor, Tensor]:
        """Transfer matrices (n, 3, 3) of the tiles' own stains, and which of them (n,) failed.

        A failed one holds anything, nan too. Of the comparisons with nan none is true.
        """
        pixels = density.shape[2]
        count = stained.sum(dim=1)
        enough = count >= max(3.0, self._stained_min * pixels)
        axes, has_plane = _plane_of_most_variance(density, stained, count)
        along_mean, across = torch.bmm(axes.mT.float(), density).unbind(dim=1)
        angle = torch.atan2(across, along_mean)
        low = _percentile(angle, self._angle_percentile, stained, count)
        high = -_percentile(-angle, self._angle_percentile, stained, count)
        ends = torch.bmm(
            axes,
            torch.stack(
                [torch.stack([low.cos(), high.cos()], 1), torch.stack([low.sin(), high.sin()], 1)],
                dim=1,
            ),
        )
        hematoxylin_first = ends[:, 0, :1] > ends[:, 0, 1:]
        he = torch.where(hematoxylin_first[:, :, None], ends, ends.flip(2))
        concentration = torch.bmm(_unmixing(he).float(), density)
        max_c = -_percentile(-concentration.flatten(0, 1), 100 - STRONGEST_PERCENTILE).view(-1, 2)
        strong = max_c.amin(dim=1) > self._od_min
        good = enough & has_plane & self._plausible(he) & strong
        return self._transfer(he, max_c), ~good

    def _plausible(self, he: Tensor) -> Tensor:
        cosine = (he[:, :, 0] * he[:, :, 1]).sum(dim=1).clamp(-1, 1)
        return (cosine.acos() >= self._separation_min) & (he.amin(dim=(1, 2)) >= NEGATIVE_OD)

    def _transfer(self, he: Tensor, max_c: Tensor) -> Tensor:
        """Matrices (..., 3, 3) from densities of a stain to negated ones of the reference."""
        scale = self._reference_max_c / max_c
        return -(self._reference_he * scale[..., None, :]) @ _unmixing(he)


def _float64(values: NDArray[np.float64], device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.float64)).to(device)


def _unmixing(he: Tensor) -> Tensor:
    """Pseudo-inverses (..., 2, 3) of two independent columns, from the normal equations."""
    first, second = he[..., 0], he[..., 1]
    hh, ee = (first * first).sum(dim=-1), (second * second).sum(dim=-1)
    cross = (first * second).sum(dim=-1)
    rows = [
        ee[..., None] * first - cross[..., None] * second,
        hh[..., None] * second - cross[..., None] * first,
    ]
    return torch.stack(rows, dim=-2) / (hh * ee - cross**2)[..., None, None]


def _plane_of_most_variance(
    density: Tensor, stained: Tensor, count: Tensor
) -> tuple[Tensor, Tensor]:
    """Axes (n, 3, 2) of the plane, the first along the mean, and whether there is one.

    All but `stained` pixels, `count` of them, are left out.
    """
    weight = stained[:, None].float()
    n_stained = count.clamp(min=1).double()
    mean = (density * weight).sum(dim=2, dtype=torch.float64) / n_stained[:, None]
    apart = (density - mean[:, :, None].float()) * weight
    covariance = torch.bmm(apart, apart.mT).double() / n_stained[:, None, None]
    values, normal = _eigenvalues_and_least_vector(covariance)
    in_plane = mean - (normal * mean).sum(dim=1, keepdim=True) * normal
    length = torch.linalg.vector_norm(in_plane, dim=1, keepdim=True)
    along = in_plane / length
    two_colors = values[:, 1] > SINGULAR * values[:, 2]
    # Which way the second axis points does not matter: hematoxylin is told by its color.
    axes = torch.stack([along, torch.linalg.cross(normal, along)], dim=2)
    return axes, two_colors & (length[:, 0] >= torch.finfo(torch.float32).eps)


def _eigenvalues_and_least_vector(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues (n, 3), rising, of symmetric 3 x 3 matrices, and the first's vector (n, 3).

    In closed form (Smith, Communications of the ACM 1961;4:168), since LAPACK's counterparts on a
    GPU wait for it.
    """
    eye = torch.eye(3, dtype=matrices.dtype, device=matrices.device)
    middle = matrices.diagonal(dim1=1, dim2=2).mean(dim=1)
    centered = matrices - middle[:, None, None] * eye
    spread = (centered.square().sum(dim=(1, 2)) / 6).sqrt()
    row_0, row_1, row_2 = (centered / spread[:, None, None]).unbind(dim=1)
    determinant = (row_0 * torch.linalg.cross(row_1, row_2)).sum(dim=1)
    angle = (determinant / 2).clamp(-1, 1).acos() / 3
    most = middle + 2 * spread * angle.cos()
    least = middle + 2 * spread * (angle + 2 * math.pi / 3).cos()
    values = torch.stack([least, 3 * middle - most - least, most], dim=1)
    row_0, row_1, row_2 = (matrices - least[:, None, None] * eye).unbind(dim=1)
    # Each is perpendicular to two rows; the longest is the most exact.
    normals = torch.stack(
        [
            torch.linalg.cross(row_0, row_1),
            torch.linalg.cross(row_0, row_2),
            torch.linalg.cross(row_1, row_2),
        ],
        dim=1,
    )
    lengths = torch.linalg.vector_norm(normals, dim=2)
    longest = lengths.argmax(dim=1)[:, None]
    normal = normals.gather(1, longest[:, :, None].expand(-1, 1, 3))[:, 0]
    return values, normal / lengths.gather(1, longest)


def _percentile(
    values: Tensor, percent: float, wanted: Tensor | None = None, count: Tensor | None = None
) -> Tensor:
    """Percentiles (n,) of rows (n, pixels), float64, between two neighbors if need be.

    `percent` should be small: only so many of the smallest values are put into order. `wanted`
    (n, pixels) are the pixels that count, `count` (n,) of them.
    """
    pixels = values.shape[1]
    if wanted is not None:
        values = torch.where(wanted, values, torch.inf)
    most = min(pixels, int(percent / 100 * (pixels - 1)) + 2)
    ordered = values.topk(most, dim=1, largest=False, sorted=True).values
    if count is None:
        count = torch.full((len(values),), pixels, device=values.device)
    last = (count - 1).clamp(min=0)
    rank = percent / 100 * last.double()
    below = rank.long()
    here, beyond = (
        ordered.gather(1, at[:, None])[:, 0].double()
        for at in (below, torch.minimum(below + 1, last))
    )
    return here + (rank - below) * (beyond - here)
