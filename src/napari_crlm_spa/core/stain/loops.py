"""The passes over the pixels of a tile, each as one compiled loop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.compiled import compiled

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

#: Pixels that are summed in 32 bits before the sum is carried over into 64.
_STRETCH_PX = 256
#: Pixels whose intermediate values stay in the first-level cache.
_BLOCK_PX = 1024


@compiled
def look_up(pixels: Pixels, table: Floats, density: Floats) -> None:
    """Turn gray levels into optical densities.

    Parameters
    ----------
    pixels
        Shape (n, 3).
    table
        Shape (256,): the density of each gray level.
    density
        Shape (3, n); overwritten.
    """
    reds, greens, blues = density[0], density[1], density[2]
    for i in range(len(pixels)):
        reds[i] = table[pixels[i, 0]]
        greens[i] = table[pixels[i, 1]]
        blues[i] = table[pixels[i, 2]]


@compiled
def moments(density: Floats, stained_od: float) -> tuple[int, NDArray[np.float64]]:
    """Sum the densities of stained pixels.

    Parameters
    ----------
    density
        Shape (3, n).
    stained_od
        A pixel is stained if it has this density in every channel.

    Returns
    -------
    int
        Stained pixels.
    ndarray of float64, shape (9,)
        Their sums of r, g, b, rr, rg, rb, gg, gb, bb.
    """
    reds, greens, blues = density[0], density[1], density[2]
    least = np.float32(stained_od)
    sums = np.zeros(9)
    count = 0
    for start in range(0, len(reds), _STRETCH_PX):
        r = g = b = rr = rg = rb = gg = gb = bb = np.float32(0)
        stained = np.uint32(0)
        for i in range(start, min(start + _STRETCH_PX, len(reds))):
            x, y, z = reds[i], greens[i], blues[i]
            counts = min(x, min(y, z)) >= least
            stained += np.uint32(1) if counts else np.uint32(0)
            weight = np.float32(1) if counts else np.float32(0)
            x, y, z = x * weight, y * weight, z * weight
            r, g, b = r + x, g + y, b + z
            rr, rg, rb = rr + x * x, rg + x * y, rb + x * z
            gg, gb, bb = gg + y * y, gb + y * z, bb + z * z
        count += int(stained)
        sums[0], sums[1], sums[2] = sums[0] + r, sums[1] + g, sums[2] + b
        sums[3], sums[4], sums[5] = sums[3] + rr, sums[4] + rg, sums[5] + rb
        sums[6], sums[7], sums[8] = sums[6] + gg, sums[7] + gb, sums[8] + bb
    return count, sums


@compiled
def tangents_beyond(
    density: Floats,
    stained_od: float,
    axes: Floats,
    low: float,
    high: float,
    below: Floats,
    above: Floats,
) -> tuple[int, int, bool]:
    """Collect the slopes y / x of stained pixels that lie outside of two bounds.

    Parameters
    ----------
    density
        Shape (3, n).
    stained_od
        A pixel is stained if it has this density in every channel.
    axes
        Shape (3, 2): x and y of the plane in which slopes are taken.
    low, high
        The bounds.
    below, above
        Shape (n,); overwritten with the slopes below `low` and above `high`.

    Returns
    -------
    int, int
        Slopes in `below` and `above`.
    bool
        Whether x is positive everywhere, so that slopes are ordered as angles are.
    """
    ax, ay, bx, by, cx, cy = axes[0, 0], axes[0, 1], axes[1, 0], axes[1, 1], axes[2, 0], axes[2, 1]
    least, lowest, highest = np.float32(stained_od), np.float32(low), np.float32(high)
    beyond, xs = np.empty(_BLOCK_PX, np.float32), np.empty(_BLOCK_PX, np.float32)
    n_below = n_above = 0
    forward = True
    for start in range(0, density.shape[1], _BLOCK_PX):
        # Rows first: only their parts are known to be contiguous.
        stop = min(start + _BLOCK_PX, density.shape[1])
        reds, greens, blues = (
            density[0][start:stop],
            density[1][start:stop],
            density[2][start:stop],
        )
        # What has no branches is computed for many pixels at a time.
        for i in range(len(reds)):
            r, g, b = reds[i], greens[i], blues[i]
            x, y = ax * r + bx * g + cx * b, ay * r + by * g + cy * b
            stained = min(r, min(g, b)) >= least
            outside = max(lowest * x - y, y - highest * x)
            beyond[i] = outside if stained else np.float32(-1)
            xs[i] = x if stained else np.float32(1)
        for i in range(len(reds)):
            forward &= xs[i] > 0
        for i in range(len(reds)):
            if beyond[i] > 0:
                slope = (ay * reds[i] + by * greens[i] + cy * blues[i]) / xs[i]
                if slope < lowest:
                    below[n_below] = slope
                    n_below += 1
                elif slope > highest:
                    above[n_above] = slope
                    n_above += 1
    return n_below, n_above, forward


@compiled
def concentrations_above(density: Floats, weights: Floats, bound: float, above: Floats) -> int:
    """Collect the concentrations of one stain that exceed a bound.

    Parameters
    ----------
    density
        Shape (3, n).
    weights
        Shape (3,): what each channel's density adds to the concentration.
    bound
        The bound.
    above
        Shape (n,); overwritten.

    Returns
    -------
    int
        Values in `above`.
    """
    values = np.empty(_BLOCK_PX, np.float32)
    limit, red, green, blue = np.float32(bound), weights[0], weights[1], weights[2]
    count = 0
    for start in range(0, density.shape[1], _BLOCK_PX):
        # Rows first: only their parts are known to be contiguous.
        stop = min(start + _BLOCK_PX, density.shape[1])
        reds, greens, blues = (
            density[0][start:stop],
            density[1][start:stop],
            density[2][start:stop],
        )
        for i in range(len(reds)):
            values[i] = red * reds[i] + green * greens[i] + blue * blues[i]
        for i in range(len(reds)):
            if values[i] > limit:
                above[count] = values[i]
                count += 1
    return count


@compiled
def restain(pixels: Pixels, tables: Floats, out: Pixels) -> None:
    """Multiply what each channel lets through, round, and write the new gray levels.

    Parameters
    ----------
    pixels
        Shape (n, 3).
    tables
        Shape (3, 3, 256): factor of new channel, old channel, old gray level.
    out
        Shape (n, 3).
    """
    to_red, to_green, to_blue = tables[0], tables[1], tables[2]
    half, white = np.float32(0.5), np.float32(255)
    for i in range(len(pixels)):
        r, g, b = pixels[i, 0], pixels[i, 1], pixels[i, 2]
        red = to_red[0, r] * to_red[1, g] * to_red[2, b]
        green = to_green[0, r] * to_green[1, g] * to_green[2, b]
        blue = to_blue[0, r] * to_blue[1, g] * to_blue[2, b]
        out[i, 0] = np.uint8(min(red + half, white))
        out[i, 1] = np.uint8(min(green + half, white))
        out[i, 2] = np.uint8(min(blue + half, white))
