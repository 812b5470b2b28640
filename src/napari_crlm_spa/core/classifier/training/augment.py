"""Varying tiles: what changes between laboratories and scanners must not change the class.

All on batches in torch; every random number comes from the generator that is handed in, so the
same seed gives the same pixels. The ranges at strength 1 are our assumptions, chosen from what
slides of one tissue differ in: pixel size (estimated to +-15 % on many), stain, compression,
focus, white point.
"""

from __future__ import annotations

import io
import math

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

#: Optical densities of hematoxylin, eosin and a residual (Ruifrok and Johnston, Anal Quant
#: Cytol Histol 2001;23:291-299), rows R, G, B.
_STAINS = ((0.650, 0.072, 0.268), (0.704, 0.990, 0.570), (0.286, 0.105, 0.776))
_JPEG_SHARE, _BLUR_SHARE, _NOISE_SHARE, _GLASS_SHARE = 0.25, 0.3, 0.2, 0.2
#: Shares of tiles with the texture of another one, with a far stranger stain, and without color.
_SPECTRUM_SHARE, _FAR_SHARE, _GRAY_SHARE = 0.5, 0.5, 0.1
_FAR = 1.8
_CONTRAST = 0.15
_LUMA = (0.299, 0.587, 0.114)
_BLUR_REACH = 3


def augment(tiles: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Vary a batch of tiles.

    Parameters
    ----------
    tiles
        uint8, shape (n, 3, px, px), on the CPU.
    strength
        1 is full; 0 leaves flips and quarter turns only.
    generator
        Source of every random number.

    Returns
    -------
    Tensor
        float32, same shape, 0-255.
    """
    if strength == 0:
        return _turn(tiles.float(), generator)
    pixels = _compress(tiles, strength, generator).float()
    pixels = _mix_spectra(pixels, strength, generator)
    pixels = _move(pixels, strength, generator)
    pixels = _recolor(pixels, strength, generator)
    pixels = _blur(pixels, strength, generator)
    pixels = _glass(pixels, generator)
    pixels = _noise(pixels, strength, generator)
    return pixels.clamp_(0.0, 255.0)


def _uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator) * (high - low) + low


def _chosen(count: int, share: float, generator: torch.Generator) -> Tensor:
    return torch.nonzero(torch.rand(count, generator=generator) < share).flatten()


def _turn(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Flip and turn each tile by a multiple of 90 degrees, exactly."""
    choice = torch.randint(0, 8, (len(pixels),), generator=generator)
    out = torch.empty_like(pixels)
    for kind in range(8):
        at = torch.nonzero(choice == kind).flatten()
        part = torch.rot90(pixels[at], kind % 4, (2, 3))
        out[at] = part.flip(3) if kind >= 4 else part
    return out


def _compress(tiles: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Compress a share of the tiles as JPEG of quality 35-95."""
    at = _chosen(len(tiles), _JPEG_SHARE, generator)
    low = max(5.0, 95.0 - 60.0 * strength)
    quality = _uniform((len(at),), low, 95.0, generator)
    out = tiles.clone()
    for i, q in zip(at.tolist(), quality.tolist(), strict=True):
        out[i] = torch.from_numpy(_as_jpeg(tiles[i].permute(1, 2, 0).numpy(), round(q))).permute(
            2, 0, 1
        )
    return out


def _as_jpeg(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Compress (h, w, 3) and decode again."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.array(Image.open(stream), np.uint8)


def _move(pixels: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Flip, turn, scale by up to 1.3, stretch and shift each tile; mirror at the border."""
    count = len(pixels)
    pixels = _turn(pixels, generator)
    angle = _uniform((count,), -math.pi / 4, math.pi / 4, generator)
    angle = angle * (torch.rand(count, generator=generator) < 0.5)
    reach = math.log(1.3) * strength
    scale = _uniform((count,), -reach, reach, generator).exp()
    stretch = _uniform((count,), -0.08 * strength, 0.08 * strength, generator).exp()
    shift = _uniform((count, 2), -0.1 * strength, 0.1 * strength, generator)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = angle.cos() * scale * stretch
    theta[:, 0, 1] = -angle.sin() * scale
    theta[:, 1, 0] = angle.sin() * scale
    theta[:, 1, 1] = angle.cos() * scale / stretch
    theta[:, :, 2] = shift
    grid = functional.affine_grid(theta, list(pixels.shape), align_corners=False)
    return functional.grid_sample(pixels, grid, padding_mode="reflection", align_corners=False)


def _mix_spectra(pixels: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Move the spectrum's amplitudes of a share of the tiles toward those of others in the batch.

    What a scanner, a thickness or a drawing leaves in the texture then says nothing of the
    class, while the phases keep where things are (Xu et al., CVPR 2021, "A Fourier-based
    framework for domain generalization", amplitude mix).
    """
    at = _chosen(len(pixels), _SPECTRUM_SHARE * min(1.0, strength), generator)
    if not len(at):
        return pixels
    others = torch.randint(0, len(pixels), (len(at),), generator=generator)
    share = torch.rand((len(at), 1, 1, 1), generator=generator)
    own = torch.fft.rfft2(pixels[at])
    size = own.abs()
    wanted = size.lerp(torch.fft.rfft2(pixels[others]).abs(), share)
    mixed = torch.fft.irfft2(own * (wanted / (size + 1e-6)), s=list(pixels.shape[2:]))
    out = pixels.clone()
    out[at] = mixed.clamp(0.0, 255.0)
    return out


def _recolor(pixels: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Restain every tile, a share of them far, change the contrast, take some tiles' color away."""
    far = torch.rand(len(pixels), generator=generator) < _FAR_SHARE
    near = _restain(pixels, strength, generator)
    pixels = torch.where(
        far[:, None, None, None], _restain(pixels, _FAR * strength, generator), near
    )
    spread = torch.randn((len(pixels), 1, 1, 1), generator=generator)
    middle = pixels.mean((1, 2, 3), keepdim=True)
    pixels = middle + (pixels - middle) * (_CONTRAST * strength * spread).exp()
    pixels = pixels.clamp(0.0, 255.0)
    at = _chosen(len(pixels), _GRAY_SHARE, generator)
    gray = (pixels[at] * torch.tensor(_LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
    pixels[at] = gray.expand(-1, 3, -1, -1)
    return pixels


def _restain(pixels: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Change strength and hue of the stains in optical density, and the white point."""
    count = len(pixels)
    base = torch.tensor(_STAINS)
    base = base / base.norm(dim=0)
    gain = _uniform((count, 3), -0.4 * strength, 0.4 * strength, generator).exp()
    tilted = base + 0.07 * strength * torch.randn(count, 3, 3, generator=generator)
    tilted = tilted.clamp(min=0.01)
    tilted = tilted / tilted.norm(dim=1, keepdim=True)
    mixing = (tilted * gain[:, None, :]) @ torch.linalg.inv(base)
    density = -torch.log((pixels + 1.0) / 256.0)
    density = torch.einsum("nij,njhw->nihw", mixing, density)
    white = 256.0 * _uniform((count, 3), 1.0 - 0.06 * strength, 1.0 + 0.03 * strength, generator)
    return white[:, :, None, None] * torch.exp(-density) - 1.0


def _blur(pixels: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Blur a share of the tiles, or sharpen half of them."""
    at = _chosen(len(pixels), _BLUR_SHARE, generator)
    sigma = float(_uniform((1,), 0.3, 0.3 + 1.2 * strength, generator))
    sharpen = torch.rand(len(at), generator=generator) < 0.4
    if not len(at):
        return pixels
    offsets = torch.arange(-_BLUR_REACH, _BLUR_REACH + 1, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = (kernel / kernel.sum()).expand(3, 1, -1)
    part = pixels[at]
    soft = functional.pad(part, (_BLUR_REACH,) * 4, mode="reflect")
    soft = functional.conv2d(soft, kernel[:, :, None, :], groups=3)
    soft = functional.conv2d(soft, kernel[:, :, :, None], groups=3)
    sharp = part + 0.5 * (part - soft)
    pixels[at] = torch.where(sharpen[:, None, None, None], sharp, soft)
    return pixels


def _glass(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Lay glass over 5-45 % of a share of the tiles: the tissue's edge, or tears and lumens."""
    at = _chosen(len(pixels), _GLASS_SHARE, generator)
    if not len(at):
        return pixels
    px = pixels.shape[2]
    light = _uniform((len(at), 3), 0.0, 8.0, generator) + _uniform(
        (len(at), 1), 225, 248, generator
    )
    angle = _uniform((len(at),), 0.0, 2 * math.pi, generator)
    side = torch.linspace(-1.0, 1.0, px)
    y, x = torch.meshgrid(side, side, indexing="ij")
    edge = angle.cos()[:, None, None] * x + angle.sin()[:, None, None] * y
    coarse = torch.randn(len(at), 1, 6, 6, generator=generator)
    holes = functional.interpolate(coarse, size=(px, px), mode="bicubic")[:, 0]
    torn = torch.rand(len(at), generator=generator) < 0.6
    height = torch.where(torn[:, None, None], holes, edge)
    covered_share = _uniform((len(at),), 0.05, 0.45, generator)
    ranks = (covered_share * (px * px - 1)).long()
    ordered = height.flatten(1).sort(dim=1, descending=True).values
    limit = ordered.gather(1, ranks[:, None])[:, :, None]
    covered = (height > limit)[:, None]
    pixels[at] = torch.where(covered, light[:, :, None, None], pixels[at])
    return pixels


def _noise(pixels: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Add camera noise to a share of the tiles."""
    at = _chosen(len(pixels), _NOISE_SHARE, generator)
    sigma = _uniform((len(at), 1, 1, 1), 0.0, 6.0 * strength, generator)
    noise = torch.randn((len(at), *pixels.shape[1:]), generator=generator)
    pixels[at] += sigma * noise
    return pixels
