"""``front.zarr``: the map of a slide with a finer band around the tumor-liver interface."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.files import write_errors
from napari_crlm_spa.core.store.folder import MAP_DAMAGE, read_map_group, write_map_group
from napari_crlm_spa.core.store.names import FRONT_ZARR
from napari_crlm_spa.core.tissue_map import TissueMap

if TYPE_CHECKING:
    import zarr  # slow to load, so functions import it

#: Changes when older files mean something else.
FRONT_VERSION = 1
_BAND = "band"


@dataclass(frozen=True, slots=True, eq=False)
class FrontBand:
    """A map that is finer near the tumor-liver interface.

    Parameters
    ----------
    tissue_map
        On the fine grid. Outside the band each cell has what the coarse map has at its center.
    band
        Shape (rows, cols), bool: looked at with overlapping tiles.
    record
        How it came about: identity, run, reader, stride, tiles, seconds.
    """

    tissue_map: TissueMap
    band: NDArray[np.bool_]
    record: Mapping[str, Any]

    @property
    def identity(self) -> str:
        """Hash of all that determines it."""
        return str(self.record.get("identity", ""))


def write_front(folder: Path, front: FrontBand) -> Path:
    """Write a band into a folder; an old one is exchanged when all is written.

    Raises
    ------
    StoreError
        If the folder cannot be written.
    """
    target = folder / FRONT_ZARR
    with write_errors(target):
        folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder, prefix=f".{FRONT_ZARR}-"))
        try:
            record = {"front": dict(front.record), "front_version": FRONT_VERSION}
            group = write_map_group(temporary / "new", front.tissue_map, record)
            chunks = (min(256, front.band.shape[0]), min(256, front.band.shape[1]))
            group.create_array(_BAND, data=front.band, chunks=chunks)
            if target.exists():
                target.rename(temporary / "old")
            (temporary / "new").rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return target


def load_front(folder: Path, *, identity: str = "", run: str = "") -> FrontBand | None:
    """Read the band of an analysis.

    Parameters
    ----------
    folder
        The slide's folder, or a reader's in it.
    identity
        Of the band; any if empty.
    run
        Identity of the run whose coarse map it must have been made from; any if empty.

    Returns
    -------
    FrontBand or None
        None if there is none, only another one, or a damaged one: it can always be made again.
    """
    place = folder / FRONT_ZARR
    if not place.is_dir():
        return None
    import zarr

    try:
        group = zarr.open_group(place, mode="r")
        attributes = dict(group.attrs)
        record = cast("dict[str, Any]", attributes["front"])
        asked = {"identity": identity, "run": run}
        if attributes["front_version"] != FRONT_VERSION or any(
            record[name] != value for name, value in asked.items() if value
        ):
            return None
        tissue_map = read_map_group(group)
        band = np.asarray(cast("zarr.Array", group[_BAND])[...]).astype(np.bool_, copy=False)
        return FrontBand(tissue_map, band, record) if band.shape == tissue_map.shape else None
    except MAP_DAMAGE:
        return None
