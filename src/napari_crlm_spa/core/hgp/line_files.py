"""Pattern lines as GeoJSON that QuPath opens and writes, and the door to all files of lines.

QuPath counts level-0 pixels from the corner of the scanned area where the file names one (MRXS).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.hgp.lines import (
    LineOptions,
    PatternLine,
    PatternLines,
    gather_lines,
    title_table,
)
from napari_crlm_spa.core.hgp.ndpa import NdpFrame, read_ndpa
from napari_crlm_spa.core.slide import SlideInfo
from napari_crlm_spa.core.tiles.geojson_file import GeoFeature, class_of, read_features
from napari_crlm_spa.errors import AnnotationError

NDPA_SUFFIX = ".ndpa"
LINE_SUFFIXES = (NDPA_SUFFIX, ".geojson", ".geojson.gz")
#: Colors of patterns, 0-255: those that tell color-blind readers apart (Okabe & Ito).
PATTERN_RGB: Mapping[str, tuple[int, int, int]] = {
    "D": (0, 114, 178),
    "R": (213, 94, 0),
    "R2": (230, 159, 0),
    "P": (204, 121, 167),
    "other": (120, 120, 120),
}
_NAMESPACE = uuid.UUID("0a0a6b53-0a5c-4f6b-9d9c-6f1c3c1d7c11")


@dataclass(frozen=True, slots=True)
class PixelFrame:
    """What turns level-0 pixels of a GeoJSON file into micrometers.

    Parameters
    ----------
    pixel_um
        Width and height of a pixel.
    corner_xy0
        Of the area that the file counts from, in level-0 pixels.
    """

    pixel_um: tuple[float, float]
    corner_xy0: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, info: SlideInfo) -> PixelFrame:
        """Return the frame of a slide.

        Raises
        ------
        MissingPixelSize
            If the slide's pixel size is not known.
        """
        pixel, (left, top, *_) = info.known_pixel_size(), info.bounds_xy0
        return cls((pixel.x_um, pixel.y_um), (left, top))

    def to_um(self, points_px: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn pixels of the file, shape (n, 2), into micrometers."""
        return np.asarray((points_px + np.array(self.corner_xy0)) * np.array(self.pixel_um))

    def to_px(self, points_um: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn micrometers into pixels of the file."""
        return np.asarray(points_um / np.array(self.pixel_um) - np.array(self.corner_xy0))


def read_line_file(
    path: Path | str,
    info: SlideInfo | None = None,
    *,
    mpp: float | None = None,
    options: LineOptions | None = None,
) -> PatternLines:
    """Read drawn lines, whatever program wrote them.

    Parameters
    ----------
    path
        ``.ndpa`` or ``.geojson`` (plain or gzipped).
    info
        The slide that was drawn on.
    mpp
        Micrometers per level-0 pixel, for GeoJSON without a slide.
    options
        What titles mean.

    Raises
    ------
    AnnotationError
        If the file can't be read, or it is GeoJSON and nobody knows how large a pixel is.
    MissingPixelSize
        If `info` has no pixel size.
    """
    path = Path(path)
    if path.suffix.lower() == NDPA_SUFFIX:
        return read_ndpa(path, None if info is None else NdpFrame.of(info), options)
    if info is not None:
        frame = PixelFrame.of(info)
    elif mpp is not None:
        frame = PixelFrame((mpp, mpp))
    else:
        raise AnnotationError(
            f"{path.name} counts pixels, and nobody says how large they are. Name the slide, or "
            "pass --mpp (micrometers per pixel of the full resolution)."
        )
    return read_line_geojson(path, frame, options)


def is_line_file(path: Path) -> bool:
    """Tell whether a file's name is that of drawn lines."""
    return path.name.lower().endswith(LINE_SUFFIXES)


def read_line_geojson(
    path: Path | str, frame: PixelFrame, options: LineOptions | None = None
) -> PatternLines:
    """Read lines of QuPath (LineString, MultiLineString); the classification names the pattern.

    A line without classification is called by its name. Areas and points are left out with a note.
    """
    path = Path(path)
    notes: list[str] = []
    found, raters, others = [], dict[str, None](), 0
    for number, feature in enumerate(read_features(path, AnnotationError), start=1):
        parts = _parts(feature, f"Line {number} of {path.name}")
        if parts is None:
            others += 1
            continue
        told = feature.properties
        title = class_of(told) or str(told.get("name") or "").strip()
        metadata = told.get("metadata")
        if isinstance(metadata, Mapping):
            raters[str(metadata.get("annotator") or "").strip()] = None
        found += [(title, frame.to_um(points), False) for points in parts]
    if others:
        notes.append(f"Shapes that are no lines were left out: {others}.")
    named = [name for name in raters if name]
    rater = named[0] if len(named) == 1 else ""
    return gather_lines(found, title_table(options or LineOptions()), notes, rater)


def write_line_geojson(
    path: Path | str, lines: Iterable[PatternLine], frame: PixelFrame, *, rater: str = ""
) -> int:
    """Write lines that QuPath opens (drag the file onto the slide); return how many.

    Raises
    ------
    StoreError
        If the file can't be written.
    """
    features = [_feature(line, frame, rater) for line in lines]
    rows = ",\n".join(json.dumps(feature, ensure_ascii=False) for feature in features)
    write_text(Path(path), f'{{"type": "FeatureCollection", "features": [\n{rows}\n]}}\n')
    return len(features)


def _feature(line: PatternLine, frame: PixelFrame, rater: str) -> dict[str, Any]:
    points = frame.to_px(line.vertices_um)
    if line.closed and len(points) > 2:
        points = np.concatenate([points, points[:1]])
    coordinates = points.tolist()
    content = f"{line.pattern}/{coordinates}"
    properties: dict[str, Any] = {
        "objectType": "annotation",
        "classification": {"name": line.pattern, "color": list(PATTERN_RGB[line.pattern])},
        "measurements": {"Length um": line.length_um},
    }
    if rater:
        properties["metadata"] = {"annotator": rater}
    return {
        "type": "Feature",
        "id": str(uuid.uuid5(_NAMESPACE, content)),
        "geometry": {"type": "LineString", "coordinates": coordinates},
        "properties": properties,
    }


def _parts(feature: GeoFeature, name: str) -> list[NDArray[np.float64]] | None:
    """Return the vertices of a line's parts in pixels; None if this is no line."""
    geometry = feature.geometry
    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    if kind not in ("LineString", "MultiLineString"):
        return None
    found = geometry.get("coordinates")
    try:
        return list(_coordinates(found if kind == "MultiLineString" else [found]))
    except (TypeError, ValueError, IndexError) as damage:
        raise AnnotationError(
            f"{name} has coordinates that are missing or no numbers. Remove it, or export the "
            "lines anew."
        ) from damage


def _coordinates(parts: Any) -> Iterator[NDArray[np.float64]]:
    for part in parts:
        points = np.array([[float(point[0]), float(point[1])] for point in part], np.float64)
        if len(points) == 0 or not np.isfinite(points).all():
            raise ValueError("no points")
        yield points
