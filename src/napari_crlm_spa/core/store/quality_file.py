"""``quality.zarr`` in the analysis folder: the marks of the tiles and the numbers behind them."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from napari_crlm_spa.core.files import write_errors
from napari_crlm_spa.core.quality import QualityMark, QualityOptions, TileQuality
from napari_crlm_spa.core.store.names import QUALITY_ZARR
from napari_crlm_spa.errors import CrlmSpaError, StoreError

if TYPE_CHECKING:
    import zarr  # slow to load, so functions import it

#: Changes when the numbers mean something else.
QUALITY_VERSION = 1
_ARRAYS = ("marks", "measured", "sharpness", "blur", "pen", "fold", "air")
#: What a damaged file makes fail: zarr, its decompressors (RuntimeError), its options.
_DAMAGE = (OSError, KeyError, ValueError, TypeError, IndexError, RuntimeError, CrlmSpaError)


def write_quality(folder: Path, quality: TileQuality, identity: str) -> Path:
    """Write the marks into an analysis folder; the old ones are exchanged when all is written.

    Parameters
    ----------
    folder
        The slide's folder.
    quality
        The marks.
    identity
        Of the run that made the tissue map (``run.json``); other runs don't get to see them.

    Raises
    ------
    StoreError
        If the folder cannot be written.
    """
    target = folder / QUALITY_ZARR
    with write_errors(target):
        folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder, prefix=f".{QUALITY_ZARR}-"))
        try:
            _write(temporary / "new", quality, identity)
            if target.exists():
                target.rename(temporary / "old")
            (temporary / "new").rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return target


def load_quality(folder: Path, identity: str, shape: tuple[int, int]) -> TileQuality | None:
    """Read the marks of an analysis.

    Parameters
    ----------
    folder
        The slide's folder.
    identity
        Of the run whose tissue map is shown.
    shape
        (rows, cols) of that map.

    Returns
    -------
    TileQuality or None
        None if there are none, or only those of another run or an earlier version.

    Raises
    ------
    StoreError
        If the file is damaged.
    """
    place = folder / QUALITY_ZARR
    if not place.is_dir():
        return None
    import zarr

    try:
        group = zarr.open_group(place, mode="r")
        attributes = dict(group.attrs)
        ours = (attributes["identity"], attributes["version"]) == (identity, QUALITY_VERSION)
        return _read(group, attributes, shape) if ours else None
    except _DAMAGE as error:
        raise StoreError(
            f"{place} is damaged ({error}). Check the quality again; it is written anew."
        ) from error


def _write(path: Path, quality: TileQuality, identity: str) -> None:
    import zarr

    group = zarr.open_group(path, mode="w")
    for name in _ARRAYS:
        data = getattr(quality, name)
        chunks = tuple(min(256, max(1, side)) for side in data.shape)
        group.create_array(name, data=data, chunks=chunks)
    group.attrs.update(
        {
            "version": QUALITY_VERSION,
            "identity": identity,
            "flags": {mark.title: int(mark) for mark in QualityMark},
            "options": quality.options.as_dict(),
            "median_sharpness": quality.medians,
        }
    )


def _read(group: zarr.Group, attributes: dict[str, object], shape: tuple[int, int]) -> TileQuality:
    arrays = {name: np.asarray(cast("zarr.Array", group[name])[...]) for name in _ARRAYS}
    if any(array.shape != shape for array in arrays.values()):
        raise ValueError("its size is not that of the tissue map")
    known = {field.name for field in dataclasses.fields(QualityOptions)}
    options = cast("dict[str, float]", attributes["options"])
    medians = cast("dict[str, float]", attributes["median_sharpness"])
    return TileQuality(
        **arrays,
        options=QualityOptions(**{key: options[key] for key in known & set(options)}),  # type: ignore[arg-type]
        medians={str(name): float(value) for name, value in medians.items()},
    )
