"""Which tiles a closer look at the tumor-liver interface needs, before any of them is read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.spatial.interface import Interface, InterfaceOptions, measure_interface
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import FeatureError, NoInterface

#: Cells that were never tissue, or were left out on purpose.
_NOT_LOOKED_AT = (TileState.GLASS, TileState.EXCLUDED)
#: What a reader has said is not asked of the network again. An accepted tile is no such word: that
#: most of it is tumor leaves room for a thin capsule.
_SAID = (TileState.EDITED, TileState.SET_ASIDE)
_JUST_INSIDE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontBandOptions(Options):
    """How closely the map is looked at near the tumor-liver interface."""

    stride_um: float = option(
        56.0,
        "Distance of neighboring tiles in the band; a finer one shows thinner capsules (56 and "
        "28 were measured) and takes four times the tiles for half of it (a heuristic of ours)",
        min=4.0,
        max=56.0,
        unit="µm",
        label="Stride in the band",
    )
    half_width_um: float = option(
        1000.0,
        "The band reaches so far to either side of the interface (a heuristic of ours)",
        min=50.0,
        max=5000.0,
        unit="µm",
        label="Band to either side",
    )


@dataclass(frozen=True, slots=True, eq=False)
class FrontPlan:
    """A fine map in which the band is still to be classified.

    Parameters
    ----------
    start
        Each cell has what the coarse map has at its center; those of the band are PENDING.
    band
        Shape (rows, cols), bool: cells to be classified.
    interface_mm
        Length of the interface on the coarse map that the band runs along.
    coarse
        Hash of the coarse map.
    """

    start: TissueMap
    band: NDArray[np.bool_]
    interface_mm: float
    coarse: str

    @property
    def n_tiles(self) -> int:
        """How many tiles are to be looked at."""
        return int(np.count_nonzero(self.band))

    def seconds(self, run: Mapping[str, Any]) -> float | None:
        """Guess how long that takes, by how long the analysis took; None if it doesn't say.

        Parameters
        ----------
        run
            The record of the analysis (``run.json``).
        """
        counts = run.get("tiles") or {}
        read = sum(int(counts.get(name, 0)) for name in ("classified", "blank", "unreadable"))
        read -= int(run.get("resumed_tiles", 0))
        spent = float((run.get("seconds") or {}).get("classifying", 0.0))
        return self.n_tiles * spent / read if read > 0 and spent > 0 else None

    def fingerprint(self) -> dict[str, str]:
        """Hashes of what decides the fine map, but for the pixels and the model."""
        return {"coarse": self.coarse, "band": _hash(np.packbits(self.band))}


def plan_front_band(
    tissue_map: TissueMap,
    options: FrontBandOptions | None = None,
    interface_options: InterfaceOptions | None = None,
    interface: Interface | None = None,
) -> FrontPlan:
    """Lay a fine grid over a map and choose the cells near its interface.

    Parameters
    ----------
    tissue_map
        The coarse map: as classified, or as a reader corrected it.
    options
        Stride and width of the band.
    interface_options
        How the interface is found on the coarse map.
    interface
        That of the map, if it has been measured with these options already.

    Raises
    ------
    NoInterface
        If no tumor borders on liver.
    FeatureError
        If the stride is not finer than that of the map.
    """
    options = options or FrontBandOptions()
    if options.stride_um >= tissue_map.stride_um:
        raise FeatureError(
            f"The map has a tile every {tissue_map.stride_um:g} µm already; a band at "
            f"{options.stride_um:g} µm would not be finer. Choose a smaller stride."
        )
    found = interface or measure_interface(tissue_map, interface_options)
    near_um, length_um = _near_liver(found)
    if not len(near_um):
        reason = found.refusals[0] if found.refusals else "No liver lies near any lesion."
        raise NoInterface(f"There is no tumor-liver interface to look at closely. {reason}")
    start = refined(tissue_map, options.stride_um)
    band = _within(near_um, start, options.half_width_um) & _readable(tissue_map, start)
    start.classes[band] = 0
    start.probabilities[band] = 0
    start.strangeness[band] = np.nan
    start.state[band] = TileState.PENDING
    coarse = _hash(tissue_map.classes, tissue_map.state, tissue_map.probabilities)
    return FrontPlan(start, band, length_um / 1000, coarse)


def refined(tissue_map: TissueMap, stride_um: float) -> TissueMap:
    """Lay a finer grid over a map; each cell gets what the map has at the cell's center."""
    ratio = stride_um / tissue_map.stride_um
    rows, cols = (_nearest(n_tiles, ratio) for n_tiles in tissue_map.shape)
    at = np.ix_(rows, cols)
    return TissueMap(
        classes=tissue_map.classes[at],
        probabilities=tissue_map.probabilities[at],
        strangeness=tissue_map.strangeness[at],
        state=tissue_map.state[at],
        edge=tissue_map.edge[at],
        stride_um=stride_um,
        origin_um=tissue_map.origin_um,
        scheme=tissue_map.scheme,
    )


def _nearest(n_tiles: int, ratio: float) -> NDArray[np.intp]:
    """Tile in which the center of each cell lies; a cell is `ratio` of a tile."""
    n_cells = int(np.ceil(n_tiles / ratio - _JUST_INSIDE))
    tile = np.floor((np.arange(n_cells) + 0.5) * ratio).astype(np.intp)
    within: NDArray[np.intp] = np.minimum(tile, n_tiles - 1)
    return within


def _near_liver(interface: Interface) -> tuple[NDArray[np.float64], float]:
    """Points of the contours with liver in reach, shape (n, 2), (x, y); and their length."""
    points, length_um = [np.zeros((0, 2))], 0.0
    for contour in interface.contours:
        reached = np.isfinite(contour.liver_um).all(axis=1)
        points.append(contour.vertices_um[reached])
        length_um += contour.spacing_um * int(reached.sum())
    return np.concatenate(points), length_um


def _within(points_um: NDArray[np.float64], grid: TissueMap, reach_um: float) -> NDArray[np.bool_]:
    """Cells whose center is so near to a point, to half a cell."""
    away = np.ones(grid.shape, np.bool_)
    cells = np.floor((points_um - np.array(grid.origin_um)) / grid.stride_um).astype(np.intp)
    rows, cols = (np.clip(cells[:, 1 - axis], 0, grid.shape[axis] - 1) for axis in (0, 1))
    away[rows, cols] = False
    distance = np.asarray(ndimage.distance_transform_edt(away))
    return distance * grid.stride_um <= reach_um


def _readable(coarse: TissueMap, fine: TissueMap) -> NDArray[np.bool_]:
    """Cells whose tile meets tissue, and that neither the analysis nor a reader has settled."""
    tissue = ~np.isin(coarse.state, _NOT_LOOKED_AT)
    half = coarse.stride_um / 2 - _JUST_INSIDE
    seen = np.zeros(fine.shape, np.bool_)
    # A tile is as large as those of the coarse map, so its corners lie in all that it meets.
    for up in (-half, half):
        for left in (-half, half):
            seen |= tissue[
                np.ix_(
                    _tile_at(fine.shape[0], up, coarse, fine, 0),
                    _tile_at(fine.shape[1], left, coarse, fine, 1),
                )
            ]
    settled = np.isin(fine.state, (TileState.EXCLUDED, *_SAID))
    return seen & ~settled


def _tile_at(
    n_cells: int, shift_um: float, coarse: TissueMap, fine: TissueMap, axis: int
) -> NDArray[np.intp]:
    at_um = (np.arange(n_cells) + 0.5) * fine.stride_um + shift_um
    tile = np.floor(at_um / coarse.stride_um).astype(np.intp)
    within: NDArray[np.intp] = np.clip(tile, 0, coarse.shape[axis] - 1)
    return within


def _hash(*arrays: NDArray[Any]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape}{array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
