"""Tiles as AnnData, as scanpy and squidpy read it, and as SpatialData.

Both packages are optional: SpatialData brings a hundred others. The AnnData file is at the same
time a valid table of SpatialData (it says which shapes its rows annotate), so who has only the
light extra loses nothing but the squares, which follow from the centers.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_crlm_spa.core.export.table import tile_frame
from napari_crlm_spa.core.files import atomic_path, write_errors
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.report.record import public_record
from napari_crlm_spa.core.risk import RiskAssessment
from napari_crlm_spa.core.tile_table import TileSource
from napari_crlm_spa.errors import StoreError

#: Names inside the files.
TILES, REGION, INSTANCE = "tiles", "region", "tile"
#: One of these lies in every Zarr store, by version.
_ZARR_FILES = ("zarr.json", ".zgroup", ".zattrs", ".zmetadata")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SlideRecord:
    """What is kept about the slide beside its tiles.

    Parameters
    ----------
    run
        The record of the run; folders are left out of what is written.
    risk
        The risk, if there is one.
    """

    run: Mapping[str, Any] = field(default_factory=dict)
    risk: RiskAssessment | None = None


def tiles_as_anndata(source: TileSource, record: SlideRecord | None = None) -> Any:
    """Return the tiles as an ``anndata.AnnData``.

    Returns
    -------
    AnnData
        ``X``: probabilities, float32 (tiles, classes); ``obs``: the columns of `tile_frame`;
        ``var``: title and color of each class; ``obsm["spatial"]``: centers of the tiles,
        (x, y) in micrometers; ``uns``: ``class_colors`` as scanpy knows it, ``tile_um``,
        ``features`` (SOFs), ``risk``, ``run`` and ``spatialdata_attrs``.

    Raises
    ------
    StoreError
        If anndata is not installed.
    """
    anndata = _needed("anndata", "anndata")
    frames = [tile_frame(block, source) for block in source.blocks()]
    if not frames:
        raise StoreError("There is no classified tile to export. Analyze the slide first.")
    frame = pd.concat(frames, ignore_index=True)
    scheme, stride = source.tissue_map.scheme, source.tissue_map.stride_um
    chances = [f"p_{name}" for name in scheme.names]
    matrix = frame[chances].to_numpy(np.float32)
    obs = frame.drop(columns=chances)
    obs[INSTANCE] = np.arange(len(obs), dtype=np.int64)
    # Plain objects: see `tile_frame`.
    obs[REGION] = pd.Categorical.from_codes(
        np.zeros(len(obs), int), pd.Index([TILES], dtype=object)
    )
    places = zip(frame["row"], frame["col"], strict=True)
    obs.index = pd.Index([f"r{row}c{col}" for row, col in places], dtype=object)
    var = pd.DataFrame(
        {
            "title": [tissue.title for tissue in scheme.classes],
            "color": [tissue.color for tissue in scheme.classes],
        },
        index=pd.Index(list(scheme.names), dtype=object),
        dtype=object,
    )
    return anndata.AnnData(
        X=matrix,
        obs=obs,
        var=var,
        obsm={"spatial": frame[["x_um", "y_um"]].to_numpy(np.float64)},
        uns={
            "class_colors": [tissue.color for tissue in scheme.classes],
            "predicted_colors": [tissue.color for tissue in scheme.classes],
            "tile_um": float(stride),
            "spatialdata_attrs": {"region": TILES, "region_key": REGION, "instance_key": INSTANCE},
            **_about(source, record or SlideRecord()),
        },
    )


def export_anndata(
    path: Path, source: TileSource, record: SlideRecord | None = None
) -> Generator[Progress, None, int]:
    """Write the tiles as ``.h5ad``; see `tiles_as_anndata`.

    Returns
    -------
    int
        Number of tiles written.
    """
    stage = "Writing AnnData"
    if path.suffix != ".h5ad":
        raise StoreError(f"{path.name}: the name of an AnnData file ends in .h5ad.")
    yield Progress(stage, 0, 2)
    made = tiles_as_anndata(source, record)
    yield Progress(stage, 1, 2)
    with atomic_path(path) as temporary:
        made.write_h5ad(temporary, compression="gzip")
    yield Progress(stage, 2, 2)
    return int(made.n_obs)


def export_spatialdata(
    path: Path, source: TileSource, record: SlideRecord | None = None
) -> Generator[Progress, None, int]:
    """Write the tiles as a SpatialData store: squares ``tiles`` in micrometers, and their table.

    Returns
    -------
    int
        Number of tiles written.

    Raises
    ------
    StoreError
        If spatialdata is not installed, the store cannot be written, or `path` is something
        else than a store.
    """
    stage = "Writing SpatialData"
    _refuse_other_folder(path)
    spatialdata = _needed("spatialdata", "spatialdata")
    models = _needed("spatialdata.models", "spatialdata")
    geopandas = _needed("geopandas", "spatialdata")
    yield Progress(stage, 0, 2)
    import shapely

    table = tiles_as_anndata(source, record)
    (x, y), half = table.obsm["spatial"].T, source.tissue_map.stride_um / 2
    squares = shapely.box(x - half, y - half, x + half, y + half)
    index = pd.Index(table.obs[INSTANCE].to_numpy(), name=INSTANCE)
    shapes = models.ShapesModel.parse(geopandas.GeoDataFrame(geometry=squares, index=index))
    del table.uns["spatialdata_attrs"]  # parse writes it anew, and refuses one that is there
    parsed = models.TableModel.parse(table, region=TILES, region_key=REGION, instance_key=INSTANCE)
    made = spatialdata.SpatialData(shapes={TILES: shapes}, tables={"table": parsed})
    yield Progress(stage, 1, 2)
    _replace_folder(path, made)
    yield Progress(stage, 2, 2)
    return int(table.n_obs)


def _refuse_other_folder(path: Path) -> None:
    """Refuse to replace a folder that is no store: all that is in it would be lost."""
    if path.suffix != ".zarr":
        raise StoreError(f"{path.name}: the name of a SpatialData store ends in .zarr.")
    is_store = any((path / name).is_file() for name in _ZARR_FILES)
    if path.is_file() or (path.is_dir() and any(path.iterdir()) and not is_store):
        raise StoreError(
            f"{path} is there already and is no SpatialData store, so it is not replaced. Choose "
            "another name."
        )


def _replace_folder(path: Path, made: Any) -> None:
    with write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.stem}-"))
        try:
            made.write(temporary / path.name)
            old = temporary / "old"
            if path.exists():
                path.rename(old)
            try:
                (temporary / path.name).rename(path)
            except OSError:
                if old.exists():
                    old.rename(path)
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _about(source: TileSource, record: SlideRecord) -> dict[str, Any]:
    """Return what stands beside the tiles; only what HDF5 can hold."""
    told: dict[str, Any] = {
        "napari_crlm_spa": version("napari-crlm-spa"),
        "run": json.dumps(public_record(record.run), ensure_ascii=False),
    }
    if source.reader:
        told["reader"] = source.reader
    if source.features is not None:
        told["features"] = {
            name: float(value) for name, value in source.features.values.items() if not isnan(value)
        }
    if record.risk is not None:
        risk = record.risk
        told["risk"] = {
            "disclaimer": risk.disclaimer,
            "model": risk.model.name,
            "source": risk.model.source or "",
            "formula": risk.formula,
            "group": risk.group or "",
            "reason": risk.reason,
            **({} if risk.score is None else {"score": float(risk.score)}),
        }
    return told


def _needed(module: str, extra: str) -> Any:
    """Import an optional package."""
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise StoreError(
            f"The package {module.partition('.')[0]} is not installed ({error}). Install it with "
            f'pip install "napari-crlm-spa[{extra}]", or export a .csv.gz.'
        ) from error
