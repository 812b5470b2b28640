"""Areas that somebody drew on a slide, each of one tissue class."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shapely.geometry import MultiPolygon, Polygon

from napari_crlm_spa.core.slide import SlideInfo


def _new_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Area:
    """A drawn area.

    Parameters
    ----------
    polygon_xy0
        In level-0 pixels, x first; (0, 0) is the top-left corner of the slide's first pixel.
        Holes and several parts are allowed.
    class_name
        Short name of a class of the scheme; any other name where the scheme has none for it;
        empty where nobody gave a class.
    annotator
        Who drew it.
    when
        Date and time in UTC, ISO 8601; empty where it is not known.
    id
        A UUID. QuPath keeps it.
    name
        What its annotator called it.
    locked
        Whether QuPath protects it from changes.
    properties
        What a file said of it beside all this, kept for the way back: ``measurements``,
        ``metadata``, ``classification`` of a class that the scheme does not know.
    """

    polygon_xy0: Polygon | MultiPolygon
    class_name: str
    annotator: str = ""
    when: str = ""
    id: str = field(default_factory=_new_id)
    name: str = ""
    locked: bool = False
    properties: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def area_mm2(self, info: SlideInfo) -> float:
        """Its size in square millimeters.

        Raises
        ------
        MissingPixelSize
            If nobody knows how large a pixel is.
        """
        size = info.known_pixel_size()
        return float(self.polygon_xy0.area) * size.x_um * size.y_um / 1e6


@dataclass(frozen=True, slots=True)
class Areas:
    """The areas of one slide.

    Parameters
    ----------
    areas
        In the order of drawing.
    notes
        What was mended, ignored or not understood while reading, in sentences for the user.
    """

    areas: tuple[Area, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.areas)

    def of_class(self, class_name: str) -> tuple[Area, ...]:
        """Return the areas of one class."""
        return tuple(area for area in self.areas if area.class_name == class_name)

    def class_names(self) -> tuple[str, ...]:
        """Return the names that occur, in alphabetical order."""
        return tuple(sorted({area.class_name for area in self.areas}))
