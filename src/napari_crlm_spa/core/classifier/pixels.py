"""From the pixels of a tile to what a network's first convolution sees."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_crlm_spa.core.classifier.network import TileNetwork
from napari_crlm_spa.core.compiled import compiled


class Pixels(nn.Module):
    """Tiles in; averaged and scaled pixels out, in 32 bits.

    Parameters
    ----------
    network
        Whose pixels they are.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, network: TileNetwork) -> None:
        super().__init__()
        self.pooling = network.pooling
        mean, std = network.mean.view(3), network.std.view(3)
        # Sums of pixels come in; division by their number is part of the scale.
        self.register_buffer("scale", 1 / (std * self.pooling**2))
        self.register_buffer("shift", -mean / std)

    def forward(self, tiles: Tensor) -> Tensor:
        """Return pixels (n, input_px, input_px, 3) of tiles (n, tile_px, tile_px, 3), uint8."""
        n, side, _, _ = tiles.shape
        k = self.pooling
        if k > 1 and tiles.device.type == "cpu":
            out = torch.empty((n, side // k, side // k, 3))
            _add_up_and_scale(
                tiles.contiguous().numpy().reshape(n * side, side * 3),
                k,
                self.scale.numpy(),
                self.shift.numpy(),
                out.numpy().reshape(n * (side // k), (side // k) * 3),
            )
            return out
        x = tiles.float()
        if k > 1:
            x = x.view(n, side // k, k, side // k, k, 3).sum(dim=(2, 4))
            side //= k
        # Whole rows are scaled at once: a dimension of 3 is too short for vector instructions.
        wide = x.reshape(n, side, side * 3)
        wide = wide.mul_(self.scale.repeat(side)).add_(self.shift.repeat(side))
        return wide.view(n, side, side, 3)


@compiled
def _add_up_and_scale(
    rows: NDArray[np.uint8],
    k: int,
    scale: NDArray[np.float32],
    shift: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Add up k x k pixels, interleaved channels, in one pass instead of PyTorch's five."""
    length = rows.shape[1]
    sums = np.empty(length, np.float32)
    red, green, blue = scale[0], scale[1], scale[2]
    from_red, from_green, from_blue = shift[0], shift[1], shift[2]
    for y in range(out.shape[0]):
        first = rows[y * k]
        for i in range(length):
            sums[i] = np.float32(first[i])
        for row in range(y * k + 1, y * k + k):
            more = rows[row]
            for i in range(length):
                sums[i] += np.float32(more[i])
        here = out[y]
        if k == 2:
            for x in range(len(here) // 3):
                here[3 * x] = (sums[6 * x] + sums[6 * x + 3]) * red + from_red
                here[3 * x + 1] = (sums[6 * x + 1] + sums[6 * x + 4]) * green + from_green
                here[3 * x + 2] = (sums[6 * x + 2] + sums[6 * x + 5]) * blue + from_blue
            continue
        for x in range(len(here) // 3):
            r = g = b = np.float32(0)
            for at in range(3 * x * k, 3 * (x + 1) * k, 3):
                r += sums[at]
                g += sums[at + 1]
                b += sums[at + 2]
            here[3 * x] = r * red + from_red
            here[3 * x + 1] = g * green + from_green
            here[3 * x + 2] = b * blue + from_blue
