"""Lesions whose interface is known, drawn on a fine grid and seen through tiles.

A lesion is given by its distance function: how far outside of the tumor a point lies. Around it
comes a capsule of a given width, except along given shares of the outline, then liver.
"""

from __future__ import annotations

import numpy as np

from napari_crlm_spa._tests.core.spatial.maps import CODES, map_of

NONE, DEB, HEP, LYM, MUC, STR, TUM = (CODES[letter] for letter in ".DHLMST")


def polar(side, center=None):
    """Distance and angle (0-1 of a turn) of every tile of a square from its center."""
    middle = (side - 1) / 2 if center is None else center
    y, x = np.mgrid[:side, :side] - np.reshape(middle, (-1, 1, 1))
    return np.hypot(y, x), (np.arctan2(y, x) / (2 * np.pi)) % 1.0


def lesion(
    *, radius, side, capsule=0.0, contact=0.0, pieces=1, waves=0.0, lobes=7, center=None, rim=STR
):
    """Codes of a lesion in liver; lengths in tiles.

    `contact` is the share of the outline (by angle) without capsule, in `pieces` equal pieces.
    `waves` is how far the outline goes in and out, `lobes` how often.
    """
    distance, turn = polar(side, center)
    edge = radius + waves * np.cos(2 * np.pi * lobes * turn)
    classes = np.full((side, side), HEP, np.uint8)
    touching = (turn * pieces) % 1.0 < contact
    # Across a wavy outline a capsule is as wide as it is measured at right angles.
    slope = waves * lobes * np.sin(2 * np.pi * lobes * turn) / np.maximum(distance, 1)
    width = capsule * np.hypot(1, slope)
    classes[(distance < edge + width) & ~touching] = rim
    classes[distance < edge] = TUM
    return classes


def lesion_map(stride_um=112.0, **kwargs):
    return map_of(lesion(**kwargs), stride_um=stride_um)


def noisy(classes, share, seed, among=(DEB, HEP, LYM, MUC, STR, TUM)):
    """Relabel a share of the tiles, each to one of the other classes, independently."""
    rng = np.random.default_rng(seed)
    out = classes.copy()
    for at in np.argwhere((rng.random(classes.shape) < share) & (classes > 0)):
        others = [code for code in among if code != classes[tuple(at)]]
        out[tuple(at)] = rng.choice(others)
    return out


def tiles_of(fine, pixel_um, stride_um, tile_um=112.0, shift_um=(0.0, 0.0)):
    """Commonest class in each tile of a fine drawing; tiles overlap if the stride is less."""
    reach, step = round(tile_um / pixel_um), round(stride_um / pixel_um)
    row, col = (round(shift / pixel_um) for shift in shift_um)
    shares = []
    codes = np.unique(fine)
    for code in codes:
        total = np.pad((fine == code).astype(np.int32), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
        sums = total[reach:, reach:] - total[:-reach, reach:]
        sums = sums - total[reach:, :-reach] + total[:-reach, :-reach]
        shares.append(sums[row::step, col::step])
    return codes[np.argmax(shares, axis=0)].astype(np.uint8)
