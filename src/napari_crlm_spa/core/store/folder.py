"""One slide's folder: what it holds, and how it is written without ever being half-written."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import scheme_by_name
from napari_crlm_spa.core.files import write_errors, write_text
from napari_crlm_spa.core.slide import stem
from napari_crlm_spa.core.spatial import SpatialFeatures, Zone
from napari_crlm_spa.core.store.journal import read_journal_header
from napari_crlm_spa.core.store.names import (
    ANALYSIS_ZARR,
    FORMAT_VERSION,
    LOCK,
    RUN_JSON,
    TILES_GEOJSON,
    TILES_JOURNAL,
)
from napari_crlm_spa.core.store.plain import to_json
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import DamagedAnalysis, ModelError, StoreError

if TYPE_CHECKING:
    import zarr  # slow to load, so functions import it

_ARRAYS = ("classes", "probabilities", "state", "edge")
#: Folders of earlier versions don't have it.
_STRANGENESS = "strangeness"
#: What a damaged map makes fail: zarr, its decompressors (RuntimeError), its scheme (ModelError).
MAP_DAMAGE = (OSError, KeyError, ValueError, TypeError, IndexError, RuntimeError, ModelError)


@dataclass(frozen=True, slots=True)
class StoredAnalysis:
    """What a finished folder holds: the tissue map and the record of its run."""

    tissue_map: TissueMap
    run: dict[str, Any]


class AnalysisFolder:
    """One slide's folder.

    Parameters
    ----------
    path
        The folder; it is created by the first write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def for_slide(cls, out_dir: Path, slide_path: Path, fingerprint: str) -> AnalysisFolder:
        """Return the slide's folder below `out_dir`.

        It is named after the slide; where another slide of that name already has the folder,
        the beginning of the fingerprint is added, so nobody's results are overwritten.
        """
        name = stem(slide_path)
        folder = cls(out_dir / name)
        slide = folder.recorded_slide()
        taken = slide is not None and not (
            slide.get("fingerprint") == fingerprint
            or slide.get("path") == str(slide_path.absolute())
        )
        return cls(out_dir / f"{name}-{fingerprint[:8]}") if taken else folder

    def file(self, name: str) -> Path:
        """Path of one of the folder's files."""
        return self.path / name

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other runs out of the folder while the block runs.

        The system frees the lock of a killed run. A folder that may not be written needs none.

        Raises
        ------
        StoreError
            If another run holds it.
        """
        if self.path.is_dir() and not os.access(self.path, os.W_OK):
            yield
            return
        with write_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            # A generator may be closed by another thread than the one that began it.
            lock = FileLock(self.file(LOCK), thread_local=False)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                raise StoreError(
                    f"Another run is analyzing into {self.path} right now. Wait until it has "
                    "ended, or choose another output folder."
                ) from None
        try:
            yield
        finally:
            lock.release()
            with suppress(OSError):
                self.file(LOCK).unlink()
            with suppress(OSError):
                self.path.rmdir()  # only if the run came to write nothing

    def recorded_slide(self) -> dict[str, Any] | None:
        """Return the slide that a finished or begun run here belongs to, or None."""
        run = self.read_run()
        if run is not None:
            return cast("dict[str, Any] | None", run.get("slide"))
        header = read_journal_header(self.file(TILES_JOURNAL))
        return None if header is None else cast("dict[str, Any] | None", header.get("slide"))

    def read_run(self) -> dict[str, Any] | None:
        """Return the record of the finished run, or None if there is none that can be read."""
        try:
            record = json.loads(self.file(RUN_JSON).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        ours = isinstance(record, dict) and isinstance(record.get("slide", {}), dict)
        return cast("dict[str, Any]", record) if ours else None

    def write_run(self, record: Mapping[str, Any]) -> None:
        """Write the record that marks the folder complete, and drop the journal."""
        write_text(self.file(RUN_JSON), to_json(record))
        self.file(TILES_JOURNAL).unlink(missing_ok=True)

    def discard_run(self) -> None:
        """Mark the folder incomplete before its results are written anew.

        The tiles for QuPath go too: the next run writes them only if it is asked to.
        """
        with write_errors(self.path):
            self.file(RUN_JSON).unlink(missing_ok=True)
            self.file(TILES_GEOJSON).unlink(missing_ok=True)

    def write_map(
        self,
        tissue_map: TissueMap,
        attributes: Mapping[str, Any],
        features: SpatialFeatures | None = None,
    ) -> None:
        """Write ``analysis.zarr`` beside the old one, then exchange them.

        Parameters
        ----------
        tissue_map
            Becomes the arrays ``classes``, ``probabilities``, ``strangeness``, ``state`` and
            ``edge``.
        attributes
            What else is to be kept about it.
        features
            Adds ``tumor_region``, ``zones`` (values: attribute ``zone_names``) and
            ``interaction`` (last axis: attribute ``interaction_tissues``). They can always be
            computed again from the classes; here they are for readers in other languages.
        """
        target = self.file(ANALYSIS_ZARR)
        with write_errors(target):
            self.path.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(dir=self.path, prefix=f".{ANALYSIS_ZARR}-"))
            try:
                group = write_map_group(temporary / "new", tissue_map, attributes)
                if features is not None:
                    _write_features(group, features)
                if target.exists():
                    target.rename(temporary / "old")
                (temporary / "new").rename(target)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)


def _write_array(group: zarr.Group, name: str, data: NDArray[Any]) -> None:
    chunks = tuple(min(256, max(1, side)) for side in data.shape[:2]) + data.shape[2:]
    group.create_array(name, data=data, chunks=chunks)


def _write_features(group: zarr.Group, features: SpatialFeatures) -> None:
    shares = features.interaction_maps()
    _write_array(group, "tumor_region", features.regions.mask)
    _write_array(group, "zones", features.zone)
    _write_array(group, "interaction", np.stack(list(shares.values()), axis=-1))
    group.attrs.update(
        {
            "zone_names": [zone.name.lower() for zone in Zone],
            "interaction_tissues": list(shares),
        }
    )


def write_map_group(path: Path, tissue_map: TissueMap, attributes: Mapping[str, Any]) -> zarr.Group:
    """Write a map as a new zarr group, not atomically."""
    import zarr

    group = zarr.open_group(path, mode="w")
    for name in (*_ARRAYS, _STRANGENESS):
        _write_array(group, name, getattr(tissue_map, name))
    group.attrs.update(
        {
            **json.loads(to_json(attributes)),
            "format_version": FORMAT_VERSION,
            "scheme": tissue_map.scheme.name,
            "class_names": list(tissue_map.scheme.names),
            "stride_um": tissue_map.stride_um,
            "origin_um": list(tissue_map.origin_um),
        }
    )
    return group


def load_analysis(folder: str | Path) -> StoredAnalysis:
    """Read a finished analysis.

    Parameters
    ----------
    folder
        A folder that ``analyze_slide`` wrote, e.g. ``results/slide-01``.

    Raises
    ------
    DamagedAnalysis
        If the folder holds no finished analysis or a damaged one.
    """
    place = AnalysisFolder(Path(folder))
    run = place.read_run()
    if run is None:
        raise DamagedAnalysis(
            f"{place.path} holds no finished analysis ({RUN_JSON} is absent or damaged). "
            "Run crlm-spa analyze on the slide with the same output folder; it resumes."
        )
    import zarr

    try:
        group = zarr.open_group(place.file(ANALYSIS_ZARR), mode="r")
        return StoredAnalysis(read_map_group(group), run)
    except MAP_DAMAGE as error:
        raise DamagedAnalysis(
            f"{place.file(ANALYSIS_ZARR)} is damaged ({error}). Delete {place.path} and analyze "
            "the slide again."
        ) from error


def read_map_group(group: zarr.Group) -> TissueMap:
    """Read what `write_map_group` wrote; anything may fail of what is in `MAPMAP_DAMAGE`."""
    attributes = dict(group.attrs)
    arrays = {name: np.asarray(cast("zarr.Array", group[name])[...]) for name in _ARRAYS}
    if _STRANGENESS in group:
        arrays[_STRANGENESS] = np.asarray(cast("zarr.Array", group[_STRANGENESS])[...])
    else:
        arrays[_STRANGENESS] = np.full(arrays["classes"].shape, np.nan, np.float16)
    scheme = scheme_by_name(str(attributes["scheme"]))
    if list(scheme.names) != list(cast("list[str]", attributes["class_names"])):
        raise ValueError("its class names are not those of its scheme")
    if len({array.shape[:2] for array in arrays.values()}) != 1:
        raise ValueError("its arrays differ in size")
    x_um, y_um = cast("list[float]", attributes["origin_um"])
    return TissueMap(
        classes=arrays["classes"].astype(np.uint8, copy=False),
        probabilities=arrays["probabilities"].astype(np.float16, copy=False),
        strangeness=arrays[_STRANGENESS].astype(np.float16, copy=False),
        state=arrays["state"].astype(np.uint8, copy=False),
        edge=arrays["edge"].astype(np.bool_, copy=False),
        stride_um=float(cast("float", attributes["stride_um"])),
        origin_um=(float(x_um), float(y_um)),
        scheme=scheme,
    )
