"""Macenko's method on the pixels of tiles, as machine code.

One call does everything for a batch, so that reader threads don't wait for one another: between
small steps in Python they would spend as much time handing over Python's lock as on the pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.compiled import compiled

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

#: Light that passes through bare glass, on the 0-255 scale (Io of the classic ports).
WHITE = 240.0
#: Concentrations above this percentile are outliers (99 in every port of the method).
STRONGEST_PERCENTILE = 99.0
#: A second eigenvalue smaller than this share of the first means one color only.
SINGULAR = 1e-4
#: A stain that transmits more light than glass in a channel by this much is implausible.
NEGATIVE_OD = -0.1

#: Pixels that are summed in 32 bits before the sum is carried over into 64.
_STRETCH_PX = 256
#: Pixels whose intermediate values stay in the first-level cache.
_BLOCK_PX = 1024
#: Bounds beyond which percentiles are looked for come from every so many pixels, this much
#: (in percent) inside of the percentile: a pass that keeps few values is quicker than sorting.
_SPARSE = 61
_MARGIN_PERCENT = 2.0
_SMALLEST = float(np.finfo(np.float32).eps)


def od_table() -> Floats:
    """Return the optical density -ln((I + 1) / 240) of every gray level, shape (256,)."""
    return np.log(WHITE / np.arange(1.0, 257.0)).astype(np.float32)


@compiled
def look_up(pixels: Pixels, table: Floats, density: Floats) -> None:
    """Write the optical densities of pixels (n, 3) into `density` (3, n)."""
    reds, greens, blues = density[0], density[1], density[2]
    for i in range(len(pixels)):
        reds[i] = table[pixels[i, 0]]
        greens[i] = table[pixels[i, 1]]
        blues[i] = table[pixels[i, 2]]


@compiled
def moments(density: Floats, od_min: float) -> tuple[int, Doubles]:
    """Count pixels with a density of at least `od_min` in every channel: they are stained.

    Also returns their sums of r, g, b, rr, rg, rb, gg, gb, bb.
    """
    reds, greens, blues = density[0], density[1], density[2]
    least = np.float32(od_min)
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
def plane_of_most_variance(sums: Doubles, count: int) -> tuple[bool, Doubles]:
    """Tell whether there is more than one color; axes (3, 2) of the plane, first along the mean.

    `sums` are those of `moments`.
    """
    mean = sums[:3] / count
    axes = np.zeros((3, 2))
    covariance = np.empty((3, 3))
    at = 3
    for i in range(3):
        for j in range(i, 3):
            covariance[i, j] = covariance[j, i] = sums[at] / count - mean[i] * mean[j]
            at += 1
    values, vectors = np.linalg.eigh(covariance)
    if not values[1] > SINGULAR * values[2]:
        return False, axes
    # Turned so that the mean color lies at angle 0: the result then depends neither on the
    # signs of the eigenvectors nor on the jump of the angle at 180 degrees.
    x, y = 0.0, 0.0
    for i in range(3):
        x, y = x + vectors[i, 1] * mean[i], y + vectors[i, 2] * mean[i]
    norm = np.sqrt(x * x + y * y)
    if norm < _SMALLEST:
        return False, axes
    for i in range(3):
        axes[i, 0] = (vectors[i, 1] * x + vectors[i, 2] * y) / norm
        axes[i, 1] = (vectors[i, 2] * x - vectors[i, 1] * y) / norm
    return True, axes


@compiled
def percentile(values: Floats, percent: float) -> float:
    """Return a percentile with linear interpolation, as `numpy.percentile` does."""
    rank = percent / 100.0 * (len(values) - 1)
    low = min(int(rank), len(values) - 1)
    parted = values.copy()
    # Hoare's selection (1961): afterwards no value before `low` is larger, and none after smaller.
    left, right = 0, len(parted) - 1
    while left < right:
        pivot = parted[low]
        i, j = left, right
        while i <= j:
            while parted[i] < pivot:
                i += 1
            while parted[j] > pivot:
                j -= 1
            if i <= j:
                parted[i], parted[j] = parted[j], parted[i]
                i, j = i + 1, j - 1
        if j < low:
            left = i
        if low < i:
            right = j
    here = float(parted[low])
    if low + 1 == len(parted):
        return here
    following = parted[low + 1]
    for value in parted[low + 2 :]:
        following = min(following, value)
    return here + (rank - low) * (float(following) - here)


@compiled
def slopes_beyond(
    density: Floats, od_min: float, axes: Doubles, low: float, high: float, room: Floats
) -> tuple[int, int, bool]:
    """Collect the slopes y / x of stained pixels that lie outside of two bounds.

    Those below `low` come into ``room[0]``, those above `high` into ``room[1]``; returns how many,
    and whether x is positive everywhere, so that slopes are ordered as angles are.
    """
    turned = axes.astype(np.float32)
    ax, bx, cx = turned[0, 0], turned[1, 0], turned[2, 0]
    ay, by, cy = turned[0, 1], turned[1, 1], turned[2, 1]
    least, lowest, highest = np.float32(od_min), np.float32(low), np.float32(high)
    beyond, xs = np.empty(_BLOCK_PX, np.float32), np.empty(_BLOCK_PX, np.float32)
    below, above = room[0], room[1]
    n_below = n_above = 0
    forward = True
    for start in range(0, density.shape[1], _BLOCK_PX):
        # Rows first: only their parts are known to be contiguous.
        stop = min(start + _BLOCK_PX, density.shape[1])
        reds, greens = density[0][start:stop], density[1][start:stop]
        blues = density[2][start:stop]
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
def extreme_angles(
    density: Floats, od_min: float, count: int, axes: Doubles, percent: float, room: Floats
) -> tuple[float, float]:
    """Return a percentile of the angles of `count` stained pixels to the first axis, both ends."""
    angles = room[0]
    found = 0
    for i in range(0, density.shape[1], _SPARSE):
        r, g, b = density[0, i], density[1, i], density[2, i]
        if min(r, min(g, b)) >= od_min:
            x = axes[0, 0] * r + axes[1, 0] * g + axes[2, 0] * b
            y = axes[0, 1] * r + axes[1, 1] * g + axes[2, 1] * b
            angles[found] = np.arctan2(y, x)
            found += 1
    inside = percent + _MARGIN_PERCENT
    if found and inside < 50:
        low = percentile(angles[:found], inside)
        high = percentile(angles[:found], 100 - inside)
        if low > -1.5 and high < 1.5:
            bounds = (np.tan(low), np.tan(high))
            n_below, n_above, forward = slopes_beyond(
                density, od_min, axes, bounds[0], bounds[1], room
            )
            # The angle at a rank needs its neighbor, too.
            rank = percent / 100.0 * (count - 1)
            if forward and min(n_below, n_above) > rank + 1:
                of_below, of_above = 100 * rank / (n_below - 1), 100 * rank / (n_above - 1)
                return (
                    percentile(np.arctan(room[0, :n_below]), of_below),
                    -percentile(-np.arctan(room[1, :n_above]), of_above),
                )
    found = 0
    for i in range(density.shape[1]):
        r, g, b = density[0, i], density[1, i], density[2, i]
        if min(r, min(g, b)) >= od_min:
            x = axes[0, 0] * r + axes[1, 0] * g + axes[2, 0] * b
            y = axes[0, 1] * r + axes[1, 1] * g + axes[2, 1] * b
            angles[found] = np.arctan2(y, x)
            found += 1
    return percentile(angles[:found], percent), percentile(angles[:found], 100 - percent)


@compiled
def unmixing(he: Doubles) -> Doubles:
    """Return the pseudo-inverse (2, 3) of two independent columns, from the normal equations."""
    hh = he[0, 0] * he[0, 0] + he[1, 0] * he[1, 0] + he[2, 0] * he[2, 0]
    ee = he[0, 1] * he[0, 1] + he[1, 1] * he[1, 1] + he[2, 1] * he[2, 1]
    cross = he[0, 0] * he[0, 1] + he[1, 0] * he[1, 1] + he[2, 0] * he[2, 1]
    determinant = hh * ee - cross * cross
    inverse = np.empty((2, 3))
    for i in range(3):
        inverse[0, i] = (ee * he[i, 0] - cross * he[i, 1]) / determinant
        inverse[1, i] = (hh * he[i, 1] - cross * he[i, 0]) / determinant
    return inverse


@compiled
def strongest(density: Floats, weights: Doubles, room: Floats) -> float:
    """Return `STRONGEST_PERCENTILE` of a stain's concentration, ``weights @ density``."""
    red, green, blue = np.float32(weights[0]), np.float32(weights[1]), np.float32(weights[2])
    n = density.shape[1]
    above = room[0]
    found = 0
    for i in range(0, n, _SPARSE):
        above[found] = red * density[0, i] + green * density[1, i] + blue * density[2, i]
        found += 1
    limit = np.float32(percentile(above[:found], STRONGEST_PERCENTILE - _MARGIN_PERCENT))
    values = np.empty(_BLOCK_PX, np.float32)
    found = 0
    for start in range(0, n, _BLOCK_PX):
        stop = min(start + _BLOCK_PX, n)
        reds, greens = density[0][start:stop], density[1][start:stop]
        blues = density[2][start:stop]
        for i in range(len(reds)):
            values[i] = red * reds[i] + green * greens[i] + blue * blues[i]
        for i in range(len(reds)):
            if values[i] > limit:
                above[found] = values[i]
                found += 1
    rank = (1 - STRONGEST_PERCENTILE / 100.0) * (n - 1)
    if found > rank + 1:
        return -percentile(-above[:found], 100 * rank / (found - 1))
    for i in range(n):
        above[i] = red * density[0, i] + green * density[1, i] + blue * density[2, i]
    return percentile(above, STRONGEST_PERCENTILE)


@compiled
def estimate(
    pixels: Pixels,
    table: Floats,
    od_min: float,
    stained_min: float,
    angle_percentile: float,
    separation_min_rad: float,
    room: Floats,
) -> tuple[bool, Doubles, Doubles]:
    """Estimate the stain of pixels.

    Parameters
    ----------
    pixels
        Shape (n, 3).
    table
        From `od_table`.
    od_min, stained_min, angle_percentile, separation_min_rad
        As in `StainOptions`.
    room
        Shape (5, n); overwritten.

    Returns
    -------
    bool
        Whether it can be told.
    ndarray of float64, shapes (3, 2) and (2,)
        `he` and `max_c` as in `StainMatrix`; without meaning where it cannot.
    """
    he, max_c = np.zeros((3, 2)), np.zeros(2)
    density, spare = room[:3], room[3:]
    least = float(np.float32(od_min))
    look_up(pixels, table, density)
    count, sums = moments(density, least)
    if count < max(3.0, stained_min * len(pixels)):
        return False, he, max_c
    several, axes = plane_of_most_variance(sums, count)
    if not several:
        return False, he, max_c
    ends = extreme_angles(density, least, count, axes, angle_percentile, spare)
    for end in range(2):
        for i in range(3):
            he[i, end] = axes[i, 0] * np.cos(ends[end]) + axes[i, 1] * np.sin(ends[end])
    if he[0, 0] < he[0, 1]:
        he = he[:, ::-1].copy()
    cosine = he[0, 0] * he[0, 1] + he[1, 0] * he[1, 1] + he[2, 0] * he[2, 1]
    apart = np.arccos(min(1.0, max(-1.0, cosine)))
    least_od = he[0, 0]
    for i in range(3):
        least_od = min(least_od, he[i, 0], he[i, 1])
    if apart < separation_min_rad or least_od < NEGATIVE_OD:
        return False, he, max_c
    weights = unmixing(he)
    for stain in range(2):
        max_c[stain] = strongest(density, weights[stain], spare)
    return min(max_c[0], max_c[1]) > od_min, he, max_c


@compiled
def transfer_tables(
    he: Doubles, max_c: Doubles, reference_he: Doubles, reference_max_c: Doubles, table: Floats
) -> Floats:
    """Return what turns pixels of one stain into those of another.

    Unmix (pseudo-inverse), scale both concentrations so that the strongest agree, mix anew. All
    of that is linear in optical density, so a new gray level is a product of three factors, one
    of each old channel.

    Parameters
    ----------
    he, max_c
        What the pixels have, as in `StainMatrix`.
    reference_he, reference_max_c
        What they shall have.
    table
        From `od_table`.

    Returns
    -------
    ndarray of float32, shape (3, 3, 256)
        Factor of new channel, old channel, old gray level; 240 is in those of old red.
    """
    weights = unmixing(he)
    factors = np.empty((3, 3, 256), np.float32)
    for new in range(3):
        for old in range(3):
            transfer = 0.0
            for stain in range(2):
                scale = reference_max_c[stain] / max_c[stain]
                transfer += reference_he[new, stain] * scale * weights[stain, old]
            light = WHITE if old == 0 else 1.0
            for level in range(256):
                factors[new, old, level] = light * np.exp(-transfer * table[level])
    return factors


@compiled
def restain(pixels: Pixels, tables: Floats, out: Pixels) -> None:
    """Multiply what each channel lets through (`transfer_tables`), round, write into `out`."""
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


@compiled
def restain_each(
    tiles: Pixels,
    table: Floats,
    limits: tuple[float, float, float, float],
    reference: tuple[Doubles, Doubles],
    fallback_tables: Floats,
    out: Pixels,
    failed: NDArray[np.bool_],
) -> None:
    """Estimate the stain of every tile and exchange it for the reference's.

    Parameters
    ----------
    tiles
        Shape (n, pixels, 3).
    table
        From `od_table`.
    limits
        `od_min` to `separation_min_rad` of `estimate`.
    reference
        `he` and `max_c`.
    fallback_tables
        From `transfer_tables`, for tiles whose own stain cannot be told.
    out
        Shape (n, pixels, 3); overwritten.
    failed
        Shape (n,); overwritten: which tiles these are.
    """
    # For all tiles in turn: fresh memory costs as much as the arithmetic.
    room = np.empty((5, tiles.shape[1]), np.float32)
    for i in range(len(tiles)):
        found, he, max_c = estimate(
            tiles[i], table, limits[0], limits[1], limits[2], limits[3], room
        )
        failed[i] = not found
        if found:
            tables = transfer_tables(he, max_c, reference[0], reference[1], table)
            restain(tiles[i], tables, out[i])
        else:
            restain(tiles[i], fallback_tables, out[i])
