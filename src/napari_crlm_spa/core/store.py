"""The folder of an analysis: the only file that spells its file, array and column names.

``<out>/<slide stem>/`` holds ``analysis.zarr`` (classes, probabilities, state, edge),
``features.csv``, ``risk.json``, ``tissue_map.png``, ``report.html`` and ``run.json``. While the
tiles are classified there is a ``tiles.journal``: every finished batch is appended to it, so a
killed run loses nothing that it had finished. ``run.json`` is written last; a folder that has
it is complete.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

import numpy as np
import zarr
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import ClassScheme, scheme_by_name
from napari_crlm_spa.core.files import write_errors, write_text
from napari_crlm_spa.core.slide import stem
from napari_crlm_spa.core.spatial.definitions import FEATURES
from napari_crlm_spa.core.tiles import TileScores
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import DamagedAnalysis, TableError, TooLittleTumor

ANALYSIS_ZARR = "analysis.zarr"
FEATURES_CSV = "features.csv"
RISK_JSON = "risk.json"
TISSUE_MAP_PNG = "tissue_map.png"
REPORT_HTML = "report.html"
RUN_JSON = "run.json"
TILES_JOURNAL = "tiles.journal"
TILES_GEOJSON = "tiles.geojson.gz"

#: Changes when older folders can no longer be read or resumed.
FORMAT_VERSION = 1

_ARRAYS = ("classes", "probabilities", "state", "edge")


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
        return record if isinstance(record, dict) else None

    def write_run(self, record: Mapping[str, Any]) -> None:
        """Write the record that marks the folder complete, and drop the journal."""
        write_text(self.file(RUN_JSON), to_json(record))
        self.file(TILES_JOURNAL).unlink(missing_ok=True)

    def discard_run(self) -> None:
        """Mark the folder incomplete before its results are written anew."""
        with write_errors(self.path):
            self.file(RUN_JSON).unlink(missing_ok=True)

    def write_map(self, tissue_map: TissueMap, attributes: Mapping[str, Any]) -> None:
        """Write ``analysis.zarr`` beside the old one, then exchange them."""
        target = self.file(ANALYSIS_ZARR)
        with write_errors(target):
            self.path.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(dir=self.path, prefix=f".{ANALYSIS_ZARR}-"))
            try:
                _write_group(temporary / "new", tissue_map, attributes)
                if target.exists():
                    target.rename(temporary / "old")
                (temporary / "new").rename(target)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)


def _write_group(path: Path, tissue_map: TissueMap, attributes: Mapping[str, Any]) -> None:
    group = zarr.open_group(str(path), mode="w")
    for name in _ARRAYS:
        data = getattr(tissue_map, name)
        chunks = tuple(min(256, max(1, side)) for side in data.shape[:2]) + data.shape[2:]
        group.create_array(name, data=data, chunks=chunks)
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
    try:
        group = zarr.open_group(str(place.file(ANALYSIS_ZARR)), mode="r")
        return StoredAnalysis(_read_map(group), run)
    except (OSError, KeyError, ValueError, TypeError, IndexError) as error:
        raise DamagedAnalysis(
            f"{place.file(ANALYSIS_ZARR)} is damaged ({error}). Delete {place.path} and analyze "
            "the slide again."
        ) from error


def _read_map(group: zarr.Group) -> TissueMap:
    attributes = dict(group.attrs)
    arrays = {name: np.asarray(cast("zarr.Array", group[name])[...]) for name in _ARRAYS}
    scheme = scheme_by_name(str(attributes["scheme"]))
    if list(scheme.names) != list(cast("list[str]", attributes["class_names"])):
        raise ValueError("its class names are not those of its scheme")
    if len({array.shape[:2] for array in arrays.values()}) != 1:
        raise ValueError("its arrays differ in size")
    x_um, y_um = cast("list[float]", attributes["origin_um"])
    return TissueMap(
        classes=arrays["classes"].astype(np.uint8, copy=False),
        probabilities=arrays["probabilities"].astype(np.float16, copy=False),
        state=arrays["state"].astype(np.uint8, copy=False),
        edge=arrays["edge"].astype(np.bool_, copy=False),
        stride_um=float(cast("float", attributes["stride_um"])),
        origin_um=(float(x_um), float(y_um)),
        scheme=scheme,
    )


def read_features(result: str | Path) -> dict[str, float]:
    """Read the spatial features of an analyzed slide.

    Parameters
    ----------
    result
        The slide's folder, or its ``features.csv``.

    Returns
    -------
    dict
        The paper's 20 columns; NaN where a feature could not be computed.

    Raises
    ------
    TableError
        If the file is missing, or does not hold exactly one slide with these columns.
    TooLittleTumor
        If the slide was refused a risk.
    """
    path = Path(result)
    path = path / FEATURES_CSV if path.is_dir() else path
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableError(
            f"{path} cannot be read ({error}). Name the result folder of an analyzed slide."
        ) from error
    if len(rows) != 1:
        raise TableError(
            f"{path} holds {len(rows)} rows; a slide has one. For a whole cohort use "
            "crlm-spa risk fit-cutoffs."
        )
    if refusal := rows[0].get("refusal"):
        raise TooLittleTumor(refusal)
    try:
        return {column: float(rows[0][column] or "nan") for column in FEATURES}
    except (KeyError, ValueError) as error:
        raise TableError(
            f"{path} does not hold the paper's features ({error}). Analyze the slide again."
        ) from error


# The journal: one line of JSON, then fixed-size records, appended batch by batch.


def _record_type(n_classes: int) -> np.dtype[np.void]:
    return np.dtype(
        [
            ("row", "<i4"),
            ("col", "<i4"),
            ("state", "u1"),
            ("stain_fallback", "u1"),
            ("probabilities", "<f2", (n_classes,)),
        ]
    )


def read_journal_header(path: Path) -> dict[str, Any] | None:
    """Return the first line of a journal, or None if there is no readable journal."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.readline())
    except (OSError, ValueError):
        return None
    return header if isinstance(header, dict) else None


class TileJournal:
    """Appends finished tiles to a file; a kill leaves all but the batch in work.

    Parameters
    ----------
    path
        The journal file.
    header
        Identifies the run; an existing journal is continued only if its header has the same
        ``"identity"``.
    scheme
        Classes of the probabilities.
    """

    def __init__(self, path: Path, header: Mapping[str, Any], scheme: ClassScheme) -> None:
        self._path = path
        self._type = _record_type(len(scheme))
        self.finished: TileScores | None = None
        with write_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            old = read_journal_header(path)
            if old is not None and old.get("identity") == header["identity"]:
                self._file = self._continue(path)
            else:
                self._file = self._begin(path, header)

    def _begin(self, path: Path, header: Mapping[str, Any]) -> BinaryIO:
        write_text(path, to_json(header, indent=None) + "\n")
        return path.open("ab")

    def _continue(self, path: Path) -> BinaryIO:
        file = path.open("r+b")
        start = len(file.readline())
        data = file.read()
        whole = len(data) // self._type.itemsize * self._type.itemsize
        file.truncate(start + whole)  # a kill may have cut the last record
        file.seek(0, os.SEEK_END)
        if whole:
            self.finished = _scores(np.frombuffer(data[:whole], self._type))
        return file

    def append(self, scores: TileScores) -> None:
        """Add finished tiles.

        Raises
        ------
        DiskFull
            If there is no room; what was appended before is kept.
        """
        records = np.zeros(len(scores), self._type)
        records["row"], records["col"] = scores.rows, scores.cols
        records["state"] = scores.states
        records["stain_fallback"] = scores.stain_fallback
        records["probabilities"] = scores.probabilities
        with write_errors(self._path):
            self._file.write(records.tobytes())
            self._file.flush()

    def close(self) -> None:
        """Close the file; it stays until the run is complete."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _scores(records: NDArray[np.void]) -> TileScores:
    return TileScores(
        rows=records["row"].astype(np.int32),
        cols=records["col"].astype(np.int32),
        states=records["state"].copy(),
        probabilities=records["probabilities"].astype(np.float16),
        stain_fallback=records["stain_fallback"].astype(np.bool_),
    )


def to_json(value: Any, indent: int | None = 2) -> str:
    """Write JSON; paths become text, numpy numbers plain ones, NaN null."""
    return json.dumps(_plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value


def identity_of(parts: Mapping[str, Any]) -> str:
    """Hash what determines a result, so that equal inputs can be recognized."""
    return hashlib.sha256(json.dumps(_plain(parts), sort_keys=True).encode()).hexdigest()
