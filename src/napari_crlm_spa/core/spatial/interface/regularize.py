"""Codes along a closed line, freed of what is too short to mean anything; and its runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.spatial.interface.codes import InterfaceCode


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of one code on a contour.

    Parameters
    ----------
    contour
        Index of the contour.
    code
        What it is.
    start_um
        Where it begins, along the contour; the last run may reach past the contour's first point.
    length_um
        How long it is.
    start, n_points
        The same in points.
    """

    contour: int
    code: InterfaceCode
    start_um: float
    length_um: float
    start: int
    n_points: int


def regularized(codes: NDArray[np.uint8], spacing_um: float, window_um: float) -> NDArray[np.uint8]:
    """Give each point the commonest code around it, then merge runs that are still too short.

    Parameters
    ----------
    codes
        Shape (n,), of `InterfaceCode`, along a closed line.
    spacing_um
        Distance of neighboring points.
    window_um
        Length over which the majority is taken, and the shortest run that remains.

    Returns
    -------
    ndarray
        Shape (n,), uint8. A line shorter than the window has one code.
    """
    n_points = len(codes)
    window = round(window_um / spacing_um)
    if window < 2 or not n_points:
        return codes
    if window >= n_points:
        return np.full(n_points, np.bincount(codes).argmax(), np.uint8)
    smooth = _majority(codes, window | 1)
    return _merged(smooth, window)


def _majority(codes: NDArray[np.uint8], window: int) -> NDArray[np.uint8]:
    """Commonest code in an odd window around each point; a tie leaves the point's own."""
    votes = np.stack([_window_sum(codes == code, window) for code in InterfaceCode])
    own = votes[codes, np.arange(len(codes))]
    return np.where(own == votes.max(axis=0), codes, votes.argmax(axis=0)).astype(np.uint8)


def _window_sum(hit: NDArray[np.bool_], window: int) -> NDArray[np.int64]:
    half = window // 2
    reach = np.concatenate([hit[len(hit) - half :], hit, hit[:half]])
    total = np.concatenate([[0], np.cumsum(reach)])
    found: NDArray[np.int64] = total[window:] - total[:-window]
    return found


def _merged(codes: NDArray[np.uint8], least: int) -> NDArray[np.uint8]:
    """Give the shortest run, while it is too short, the code of its longer neighbor."""
    starts, lengths = run_lengths(codes)
    kinds = codes[starts].tolist()
    sizes = lengths.tolist()
    while len(sizes) > 1 and min(sizes) < least:
        at = sizes.index(min(sizes))
        before, after = at - 1, (at + 1) % len(sizes)
        kinds[at] = kinds[before] if sizes[before] >= sizes[after] else kinds[after]
        kinds, sizes, moved = _joined(kinds, sizes)
        starts = np.array([(starts[0] + moved) % len(codes)])
    out = np.repeat(np.array(kinds, np.uint8), sizes)
    return np.roll(out, int(starts[0]))


def _joined(kinds: list[int], sizes: list[int]) -> tuple[list[int], list[int], int]:
    """Join neighbors of one code around the ring; also say how far the first run's start moved."""
    new_kinds, new_sizes = [kinds[0]], [sizes[0]]
    for kind, size in zip(kinds[1:], sizes[1:], strict=True):
        if kind == new_kinds[-1]:
            new_sizes[-1] += size
        else:
            new_kinds.append(kind)
            new_sizes.append(size)
    if len(new_kinds) > 1 and new_kinds[0] == new_kinds[-1]:
        last = new_sizes.pop()
        new_kinds.pop()
        new_sizes[0] += last
        return new_kinds, new_sizes, -last
    return new_kinds, new_sizes, 0


def run_lengths(codes: NDArray[np.uint8]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the runs of equal codes along a closed line.

    Returns
    -------
    starts, lengths
        First point and points of each run, shape (runs,). One run that goes all around starts
        at 0.
    """
    starts = np.flatnonzero(codes != np.roll(codes, 1))
    if not len(starts):
        return np.zeros(1, np.intp), np.array([len(codes)], np.intp)
    return starts, np.diff(starts, append=starts[0] + len(codes)).astype(np.intp)


def runs_of(codes: NDArray[np.uint8], spacing_um: float, contour: int) -> list[Run]:
    """List the runs of a contour, shape (n,) of codes, by where they start."""
    starts, lengths = run_lengths(codes)
    return [
        Run(
            contour,
            InterfaceCode(int(codes[start])),
            float(start * spacing_um),
            float(length * spacing_um),
            int(start),
            int(length),
        )
        for start, length in zip(starts, lengths, strict=True)
    ]
