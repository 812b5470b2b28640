"""Endless drawn textures: the same place of the plane looks the same in every window.

Everything random is a hash of lattice coordinates, so neighboring windows fit together
without seams, whatever their size, and a slide can be drawn block by block.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Arrays of float32 (numpy widens some of them on the way, which does no harm).
Floats = NDArray[Any]
Ints = NDArray[np.int64]
#: Neighbors on a lattice: their indices and weights, each of shape (n,).
Taps = list[tuple[Ints, Floats]]


def hash01(i: Ints, j: Ints, salt: int) -> Floats:
    """Return a number in [0, 1) for each pair of integers: always the same for the same pair."""
    value = i.astype(np.uint32) * np.uint32(0x9E3779B1)
    value = value ^ (j.astype(np.uint32) * np.uint32(0x85EBCA77))
    value = value ^ np.uint32((salt * 0xC2B2AE3D + 0x27D4EB2F) & 0xFFFFFFFF)
    value = (value ^ (value >> np.uint32(15))) * np.uint32(0x2C1B3C6D)
    value = (value ^ (value >> np.uint32(12))) * np.uint32(0x297A2D39)
    value = value ^ (value >> np.uint32(15))
    return (value >> np.uint32(8)).astype(np.float32) / np.float32(1 << 24)


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of the endless plane.

    Parameters
    ----------
    x_um, y_um
        Top-left corner.
    width_px, height_px
        Size of the picture.
    mpp
        Micrometers per pixel.
    seed
        Another seed is another plane.
    """

    x_um: float
    y_um: float
    width_px: int
    height_px: int
    mpp: float
    seed: int

    @property
    def x(self) -> Floats:
        """Micrometers of the pixel centers, shape (1, width)."""
        return self._axis(self.x_um, self.width_px)[None, :]

    @property
    def y(self) -> Floats:
        """Micrometers of the pixel centers, shape (height, 1)."""
        return self._axis(self.y_um, self.height_px)[:, None]

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.height_px, self.width_px

    def _axis(self, start: float, count: int) -> Floats:
        return (start + (np.arange(count) + 0.5) * self.mpp).astype(np.float32)

    def noise(self, scale_um: float, salt: int) -> Floats:
        """Smooth noise of mean 0 and standard deviation about 1.

        Parameters
        ----------
        scale_um
            Distance over which it changes.
        salt
            Distinguishes the noises of one plane.
        """
        rows, down = _spline_taps(self.y.ravel() / scale_um)
        cols, right = _spline_taps(self.x.ravel() / scale_um)
        lattice = hash01(cols[None, :], rows[:, None], self.seed + salt * 7919)
        return _interpolate((lattice - np.float32(0.5)) * np.float32(7.2), down, right)

    def coarse(self, step_um: float, evaluate: Callable[[Floats, Floats], Floats]) -> Floats:
        """Evaluate a function on a coarse lattice of the plane and interpolate linearly."""
        rows, down = _linear_taps(self.y.ravel() / step_um)
        cols, right = _linear_taps(self.x.ravel() / step_um)
        x, y = np.meshgrid(cols * np.float32(step_um), rows * np.float32(step_um))
        values = evaluate(x.astype(np.float32), y.astype(np.float32))
        return _interpolate(values.astype(np.float32, copy=False), down, right)

    def scatter(self, spacing_um: float, salt: int, margin_um: float = 15.0) -> Scatter:
        """Strew points, one in each cell of a jittered lattice, also just outside the window."""
        width, height = self.width_px * self.mpp, self.height_px * self.mpp
        i = np.arange(
            np.floor((self.x_um - margin_um) / spacing_um),
            np.ceil((self.x_um + width + margin_um) / spacing_um) + 1,
        ).astype(np.int64)
        j = np.arange(
            np.floor((self.y_um - margin_um) / spacing_um),
            np.ceil((self.y_um + height + margin_um) / spacing_um) + 1,
        ).astype(np.int64)
        cols, rows = (grid.ravel() for grid in np.meshgrid(i, j))
        return Scatter(cols, rows, spacing_um, self.seed + salt * 7919)


@dataclass(frozen=True, slots=True, eq=False)
class Scatter:
    """Points on a jittered lattice; each can be asked for more random numbers."""

    cols: Ints
    rows: Ints
    spacing_um: float
    salt: int

    def random(self, index: int) -> Floats:
        """Return the points' `index`-th random numbers in [0, 1)."""
        return hash01(self.cols, self.rows, self.salt + 104729 * (index + 3))

    def positions(self, jitter: float = 0.8) -> tuple[Floats, Floats]:
        """(x, y) in micrometers; odd rows are shifted by half, as in a honeycomb."""
        shift = 0.5 * (self.rows & 1)
        x = self.cols + 0.5 + shift + jitter * (self.random(-1) - 0.5)
        y = self.rows + 0.5 + jitter * (self.random(-2) - 0.5)
        return (x * self.spacing_um).astype(np.float32), (y * self.spacing_um).astype(np.float32)

    def where(self, keep: NDArray[np.bool_]) -> Scatter:
        """Only some of the points."""
        return Scatter(self.cols[keep], self.rows[keep], self.spacing_um, self.salt)


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """What `voronoi` knows of each place: its own cell and the distance to the next one."""

    edge_um: Floats  # distance to the border of the cell (half the difference of two distances)
    center_um: Floats  # distance to its center
    tint: Floats  # a random number in [0, 1) of the cell
    normal: Floats  # direction from the cell's center to the neighbor's, radians


def voronoi(x: Floats, y: Floats, spacing_um: float, salt: int, jitter: float = 0.75) -> Cells:
    """Divide the plane into polygonal cells about jittered honeycomb points."""
    col = np.floor(x / spacing_um).astype(np.int64)
    row = np.floor(y / spacing_um).astype(np.int64)
    first_col, first_row = int(col.min()) - 2, int(row.min()) - 2
    i = np.arange(first_col, int(col.max()) + 3)
    j = np.arange(first_row, int(row.max()) + 3)
    cols, rows = np.meshgrid(i, j)
    points = Scatter(cols.ravel(), rows.ravel(), spacing_um, salt)
    sites = [part.reshape(cols.shape).ravel() for part in points.positions(jitter)]
    base = (row - first_row) * len(i) + (col - first_col)
    nearest = np.full(x.shape, np.inf, np.float32)
    second = nearest.copy()
    own, other = np.zeros_like(base), np.zeros_like(base)
    for down in (-1, 0, 1):
        for right in (-2, -1, 0, 1):
            index = base + (down * len(i) + right)
            distance = (sites[0][index] - x) ** 2 + (sites[1][index] - y) ** 2
            closer = distance < nearest
            better = closer | (distance < second)
            other = np.where(closer, own, np.where(better, index, other))
            second = np.where(closer, nearest, np.minimum(second, distance))
            own = np.where(closer, index, own)
            nearest = np.minimum(nearest, distance)
    across_x = sites[0][other] - sites[0][own]
    across_y = sites[1][other] - sites[1][own]
    return Cells(
        edge_um=(np.sqrt(second) - np.sqrt(nearest)) / 2,
        center_um=np.sqrt(nearest),
        tint=points.random(7)[own],
        normal=np.arctan2(across_y, across_x).astype(np.float32),
    )


def noise_at(u: Floats, v: Floats, salt: int) -> Floats:
    """Noise in [-1, 1] at any coordinates (1 = the distance over which it changes)."""
    table = _table(salt)
    low_u, low_v = np.floor(u), np.floor(v)
    part_u, part_v = u - low_u, v - low_v
    part_u *= part_u * (3 - 2 * part_u)
    part_v *= part_v * (3 - 2 * part_v)
    left, top = low_u.astype(np.int32) & 255, low_v.astype(np.int32) & 255
    right, bottom = (left + 1) & 255, ((top + 1) & 255) << 8
    top <<= 8
    upper = table[top + left] * (1 - part_u) + table[top + right] * part_u
    lower = table[bottom + left] * (1 - part_u) + table[bottom + right] * part_u
    noise: Floats = (upper + (lower - upper) * part_v).astype(np.float32, copy=False)
    return noise


@lru_cache(maxsize=128)
def _table(salt: int) -> Floats:
    at = np.arange(256, dtype=np.int64)
    return (hash01(at[None, :], at[:, None], salt) * 2 - 1).ravel()


def _spline_taps(at: Floats) -> tuple[Ints, Taps]:
    """Cubic B-spline weights of the four lattice points about each coordinate (spacing 1)."""
    low = np.floor(at)
    part = at - low
    weights = [
        (1 - part) ** 3 / 6,
        2 / 3 - part**2 + part**3 / 2,
        2 / 3 - (1 - part) ** 2 + (1 - part) ** 3 / 2,
        part**3 / 6,
    ]
    first = int(low[0]) - 1
    index = low.astype(np.int64) - 1 - first
    return np.arange(first, int(low[-1]) + 3), [(index + k, w) for k, w in enumerate(weights)]


def _linear_taps(at: Floats) -> tuple[Ints, Taps]:
    low = np.floor(at)
    part = at - low
    index = low.astype(np.int64) - int(low[0])
    return np.arange(int(low[0]), int(low[-1]) + 2), [(index, 1 - part), (index + 1, part)]


def _interpolate(lattice: Floats, down: Taps, right: Taps) -> Floats:
    """Interpolate the last two axes; only whole rows are gathered for the large array."""
    index, weight = right[0]
    wide = lattice[..., index] * weight
    for index, weight in right[1:]:
        wide += lattice[..., index] * weight
    index, weight = down[0]
    full = wide[..., index, :] * weight[:, None]
    for index, weight in down[1:]:
        full += wide[..., index, :] * weight[:, None]
    return full
