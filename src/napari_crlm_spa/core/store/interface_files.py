"""What was measured of an interface, as files: numbers, runs, points, and lines for QuPath."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.files import write_bytes, write_text
from napari_crlm_spa.core.slide import SlideInfo
from napari_crlm_spa.core.spatial.interface import Contour, Interface, Run
from napari_crlm_spa.core.spatial.interface.colors import CODE_COLORS, CODE_TITLES
from napari_crlm_spa.core.store.names import (
    INTERFACE_GEOJSON,
    INTERFACE_JSON,
    INTERFACE_RUNS_CSV,
    INTERFACE_VERTICES_CSV,
)
from napari_crlm_spa.core.store.plain import to_json

if TYPE_CHECKING:
    import pandas as pd

#: Ids are derived from slide and place, so a second export has the same ids.
_NAMESPACE = uuid.UUID("3b1d1c0a-7f6e-4f0e-9a65-0e9b6c1d7a42")
#: 6 is a fifth larger than 9 and three times as fast.
_GZIP_LEVEL = 6
_DIGITS = 3


def write_interface(
    folder: Path, interface: Interface, record: Mapping[str, Any], info: SlideInfo | None
) -> None:
    """Write an interface into a folder: numbers, runs, points, and lines for QuPath.

    The same interface gives the same bytes. ``interface.json`` is written last.

    Parameters
    ----------
    folder
        The slide's folder, or a reader's in it.
    interface
        What was measured.
    record
        What it was measured on: map, stride, reader, identities, versions.
    info
        The slide, for pixel size and scanned area. None: no lines for QuPath are written, and
        those of an earlier measurement are removed.

    Raises
    ------
    StoreError
        If the folder cannot be written.
    """
    tables = interface.tables()
    write_text(folder / INTERFACE_RUNS_CSV, _csv(tables["runs"]))
    write_bytes(
        folder / INTERFACE_VERTICES_CSV,
        # No name and no time: the same interface gives the same file.
        gzip.compress(_csv(tables["contours"]).encode(), _GZIP_LEVEL, mtime=0),
    )
    if info is None:
        (folder / INTERFACE_GEOJSON).unlink(missing_ok=True)
    else:
        write_text(folder / INTERFACE_GEOJSON, interface_geojson(interface, info))
    write_text(folder / INTERFACE_JSON, to_json({**record, **interface.as_dict()}))


def read_interface(folder: Path) -> dict[str, Any] | None:
    """Return what ``interface.json`` of a folder says, or None if there is none to be read."""
    try:
        found = json.loads((folder / INTERFACE_JSON).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def interface_geojson(interface: Interface, info: SlideInfo) -> str:
    """Return a feature collection: each run of one code is a line of that class.

    Parameters
    ----------
    interface
        What was measured.
    info
        The slide: QuPath counts level-0 pixels from the corner of the scanned area.
    """
    size, (left, top) = info.known_pixel_size(), info.bounds_xy0[:2]
    scale, corner = np.array([size.x_um, size.y_um]), np.array([left, top])
    features = [
        _feature(number, run, interface, contour.vertices_um[at] / scale - corner, info.fingerprint)
        for number, (run, contour, at) in enumerate(_placed(interface))
    ]
    lines = ",\n".join(json.dumps(feature) for feature in features)
    return f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n'


def _placed(interface: Interface) -> Iterator[tuple[Run, Contour, NDArray[np.intp]]]:
    """Each run with its contour and its points, up to the first of the next run."""
    for run in interface.runs:
        contour = interface.contours[run.contour]
        yield run, contour, (run.start + np.arange(run.n_points + 1)) % len(contour.codes)


def _feature(
    number: int,
    run: Run,
    interface: Interface,
    points_xy0: NDArray[np.float64],
    fingerprint: str,
) -> dict[str, Any]:
    contour = interface.contours[run.contour]
    name = f"interface: {CODE_TITLES[run.code]}"
    return {
        "type": "Feature",
        "id": str(uuid.uuid5(_NAMESPACE, f"{fingerprint}/{interface.stride_um}/{number}")),
        "geometry": {"type": "LineString", "coordinates": points_xy0.round(1).tolist()},
        "properties": {
            "objectType": "annotation",
            "name": name,
            "classification": {"name": name, "color": _rgb(CODE_COLORS[run.code])},
            "isLocked": True,
            "measurements": {"length um": round(run.length_um, 1), "lesion": contour.lesion},
            "metadata": {"code": run.code.name, "note": interface.disclaimer},
        },
    }


def _rgb(color: str) -> list[int]:
    return [int(color[at : at + 2], 16) for at in (1, 3, 5)]


def _csv(table: pd.DataFrame) -> str:
    return str(table.round(_DIGITS).to_csv(index=False, lineterminator="\n"))
