"""Lines drawn in NDP.view (``.ndpa``, XML).

Coordinates are nanometers from the center of the glass slide; the scan's center lies at
XOffsetFromSlideCentre, YOffsetFromSlideCentre. With the slide's frame they become micrometers from
the scan's top-left corner; without it lengths are right all the same.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.hgp.lines import LineOptions, PatternLines, gather_lines, title_table
from napari_crlm_spa.core.slide import SlideInfo
from napari_crlm_spa.core.slide.center import center_offset_nm
from napari_crlm_spa.errors import AnnotationError

#: Larger files are no annotations.
_MOST_BYTES = 200 * 1024**2
_NM_PER_UM = 1000.0


@dataclass(frozen=True, slots=True)
class NdpFrame:
    """Where a scan lies on its glass slide.

    Parameters
    ----------
    offset_nm
        (x, y) of the scan's center from the slide's center, in nanometers.
    center_um
        (x, y) of the scan's center from its top-left corner, in micrometers.
    """

    offset_nm: tuple[float, float]
    center_um: tuple[float, float]

    @classmethod
    def of(cls, info: SlideInfo) -> NdpFrame | None:
        """Return the frame of a slide; None if its file doesn't say where the scan lies.

        Raises
        ------
        MissingPixelSize
            If the slide's pixel size is not known.
        """
        offset_nm = center_offset_nm(info.path)
        if offset_nm is None:
            return None
        pixel = info.known_pixel_size()
        center_um = (info.width_px * pixel.x_um / 2, info.height_px * pixel.y_um / 2)
        return cls(offset_nm, center_um)

    def to_um(self, points_nm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn NDP.view's nanometers, shape (n, 2), into micrometers from the scan's corner."""
        from_center = (points_nm - np.array(self.offset_nm)) / _NM_PER_UM
        return np.asarray(from_center + np.array(self.center_um))


def read_ndpa(
    path: Path | str, frame: NdpFrame | None = None, options: LineOptions | None = None
) -> PatternLines:
    """Read lines of NDP.view.

    Parameters
    ----------
    path
        The ``.ndpa`` file.
    frame
        Of the slide; without it vertices are micrometers from the center of the glass slide.
    options
        What titles mean.

    Raises
    ------
    AnnotationError
        If the file can't be read, is no such XML, or declares entities.
    """
    path = Path(path)
    root = _parsed(path)
    notes: list[str] = []
    found = []
    raters: dict[str, None] = {}
    for number, state in enumerate(root.iter("ndpviewstate"), start=1):
        title = (state.findtext("title") or "").strip()
        for annotation in state.iter("annotation"):
            raters[(annotation.get("owner") or "").strip()] = None
            points_nm = _points(annotation, path, number, notes)
            unit = (state.findtext("coordformat") or "nanometers").strip().lower()
            if points_nm is None:
                continue
            if unit != "nanometers":
                raise AnnotationError(
                    f"Annotation {number} of {path.name} is in {unit}, not in nanometers. Save it "
                    "with NDP.view 2."
                )
            um = points_nm / _NM_PER_UM if frame is None else frame.to_um(points_nm)
            closed = (annotation.findtext("closed") or "0").strip() in ("1", "true")
            found.append((title, um, closed))
    named = [name for name in raters if name]
    rater = named[0] if len(named) == 1 else ""
    return gather_lines(found, title_table(options or LineOptions()), notes, rater)


def _points(
    annotation: ET.Element, path: Path, number: int, notes: list[str]
) -> NDArray[np.float64] | None:
    kind = annotation.get("type", "")
    try:
        if kind == "linearmeasure":
            return _numbers([(annotation, "x1", "y1"), (annotation, "x2", "y2")])
        points = [(point, "x", "y") for point in annotation.iterfind("pointlist/point")]
        if len(points) < 2:
            notes.append(f"Annotation {number} of {path.name} ({kind or 'a mark'}) is no line.")
            return None
        return _numbers(points)
    except ValueError as error:
        raise AnnotationError(
            f"Annotation {number} of {path.name} has coordinates that are no numbers. Remove it in "
            "NDP.view, or save the file anew."
        ) from error


def _numbers(points: list[tuple[ET.Element, str, str]]) -> NDArray[np.float64]:
    found = np.array(
        [[float(point.findtext(name) or "nan") for name in names] for point, *names in points]
    )
    if not np.isfinite(found).all():
        raise ValueError("not finite")
    return found


def _parsed(path: Path) -> ET.Element:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise AnnotationError(
                f"{path.name} is too large for annotations. Name the .ndpa file beside the slide."
            )
        data = path.read_bytes()
    except OSError as error:
        raise AnnotationError(
            f"{path.name} cannot be read ({error.strerror or error}). Check the path."
        ) from error
    try:
        _refuse_doctype(data, path)
        root = ET.fromstring(data)
    except (ET.ParseError, expat.ExpatError, ValueError, LookupError) as error:
        raise AnnotationError(
            f"{path.name} is no XML of NDP.view ({error}). Name the .ndpa file, or save it anew."
        ) from error
    if root.tag != "annotations":
        raise AnnotationError(
            f"{path.name} holds {root.tag}, not annotations of NDP.view. Name the .ndpa file."
        )
    return root


def _refuse_doctype(data: bytes, path: Path) -> None:
    """Refuse files that declare entities, which could swell to gigabytes or name other files."""

    def refuse(*_: object) -> None:
        raise AnnotationError(
            f"{path.name} declares a document type, which annotations of NDP.view never do. "
            "It is not read."
        )

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(data, True)


def ndpa_titles(path: Path | str) -> Iterator[str]:
    """Yield the titles of a file's annotations, to choose what they stand for."""
    for state in _parsed(Path(path)).iter("ndpviewstate"):
        yield (state.findtext("title") or "").strip()
