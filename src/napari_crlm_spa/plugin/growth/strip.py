"""What the straightened strip of one contour shows at a zoom: pieces, classes, numbers. No Qt."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.slide import RgbImage, Slide
from napari_crlm_spa.core.spatial.interface import Contour, InterfaceCode, Run
from napari_crlm_spa.core.spatial.interface.straighten import read_strip, row_offsets_um
from napari_crlm_spa.core.spatial.interface.unroll import (
    REACH_UM,
    Unrolled,
    sample_classes,
    unroll,
)
from napari_crlm_spa.plugin.growth.keeper import Measured

#: Widths of columns of the pieces, in micrometers; the next finer one is shown.
STEPS_UM = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
PIECE_COLUMNS = 128
#: Sides of the tissue strip's cells, in tiles.
CELL_TILES = 0.25
#: Where normals cross, the picture is so pale.
PALE = 0.7


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the strip: the k-th of `PIECE_COLUMNS` columns of a width."""

    step_um: float
    number: int

    @property
    def start_um(self) -> float:
        """Where it begins along the contour."""
        return self.number * self.length_um

    @property
    def length_um(self) -> float:
        """How much of the contour it shows."""
        return self.step_um * PIECE_COLUMNS


class Strip:
    """One contour as a strip.

    Parameters
    ----------
    measured
        The slide's interface.
    number
        Index of the contour.
    """

    def __init__(self, measured: Measured, number: int) -> None:
        self.measured = measured
        self.number = number
        self.contour: Contour = measured.interface.contours[number]
        self.interaction: NDArray[np.float64] = measured.interaction[number]
        self.runs: tuple[Run, ...] = tuple(
            run for run in measured.interface.runs if run.contour == number
        )

    @cached_property
    def unrolled(self) -> Unrolled:
        """Where it lies on the slide."""
        return unroll(self.contour)

    @property
    def length_um(self) -> float:
        """Length of the contour."""
        return self.contour.length_um

    def pieces(self, start_um: float, end_um: float, um_per_px: float) -> list[Piece]:
        """List the pieces that show a part of the strip at a zoom, from left to right."""
        step = max((s for s in STEPS_UM if s <= um_per_px * 1.01), default=STEPS_UM[0])
        length = step * PIECE_COLUMNS
        first = max(0, math.floor(start_um / length))
        last = min(math.ceil(end_um / length), math.ceil(self.length_um / length))
        return [Piece(step, number) for number in range(first, last)]

    def read(self, slide: Slide, piece: Piece) -> RgbImage:
        """Read a piece, pale where normals cross; shape (rows, columns, 3).

        Raises
        ------
        SlideError
            If the slide cannot be read there.
        """
        columns = min(PIECE_COLUMNS, math.ceil((self.length_um - piece.start_um) / piece.step_um))
        pixels = read_strip(slide, self.unrolled, piece.start_um, columns, piece.step_um)
        arcs = piece.start_um + _centers(columns) * piece.step_um
        folded = self.unrolled.folded(arcs, row_offsets_um(piece.step_um))
        pixels[folded] = np.rint(pixels[folded] * (1 - PALE) + 255 * PALE)
        return pixels

    @cached_property
    def classes(self) -> NDArray[np.uint8]:
        """Class codes of the whole strip, shape (rows, columns), the liver's side above."""
        cell_um = self.measured.tissue_map.stride_um * CELL_TILES
        columns = max(1, round(self.length_um / cell_um))
        arcs = _centers(columns) * (self.length_um / columns)
        rows = max(1, round(2 * REACH_UM / cell_um))
        offsets = REACH_UM - _centers(rows) * (2 * REACH_UM / rows)
        return sample_classes(self.measured.tissue_map, self.unrolled.places_um(arcs, offsets))

    def shares(self, start_um: float, end_um: float) -> dict[InterfaceCode, float]:
        """Share of each code of what can be judged in a part, 0-1; empty if nothing can."""
        at = self._points(start_um, end_um)
        counts = np.bincount(self.contour.codes[at], minlength=len(InterfaceCode))
        counts[InterfaceCode.U] = 0
        total = counts.sum()
        return {code: counts[code] / total for code in InterfaceCode if total and counts[code]}

    def code_at(self, arc_um: float) -> InterfaceCode:
        """Return the code at a place."""
        return InterfaceCode(int(self.contour.codes[self._point(arc_um)]))

    def numbers_at(self, arc_um: float) -> tuple[float, float]:
        """Return interaction and thickness in micrometers at a place; NaN if there is none."""
        at = self._point(arc_um)
        return float(self.interaction[at]), float(self.contour.thickness_um[at])

    def center_um(self, arc_um: float) -> tuple[float, float]:
        """Return the place on the slide, (x, y)."""
        x, y = self.unrolled.at(np.array([arc_um]))[0][0]
        return float(x), float(y)

    def across_um(self, arc_um: float) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return the ends of the strip's column at a place, inside and outside, each (x, y)."""
        inside, outside = self.unrolled.places_um(
            np.array([arc_um]), np.array([-REACH_UM, REACH_UM])
        )[:, 0]
        return (float(inside[0]), float(inside[1])), (float(outside[0]), float(outside[1]))

    def stretches(self) -> Iterator[tuple[float, float]]:
        """Yield start and end of its stretches."""
        for each in self.measured.stretches:
            if each.contour == self.number:
                yield each.start_um, each.start_um + each.length_um

    def _point(self, arc_um: float) -> int:
        return int(arc_um / self.contour.spacing_um) % len(self.contour.codes)

    def _points(self, start_um: float, end_um: float) -> slice:
        spacing = self.contour.spacing_um
        return slice(max(0, round(start_um / spacing)), max(0, round(end_um / spacing)))


def _centers(n_cells: int) -> NDArray[np.float64]:
    return np.arange(n_cells, dtype=np.float64) + 0.5


def contour_title(measured: Measured, number: int) -> str:
    """Name a contour for a chooser."""
    contour = measured.interface.contours[number]
    same = [
        at for at, each in enumerate(measured.interface.contours) if each.lesion == contour.lesion
    ]
    # The walk gives the outer line of a lesion first, as it is the longest.
    what = "outline" if number == same[0] else f"island {same.index(number)}"
    return f"Lesion {contour.lesion}, {what}: {contour.length_um / 1000:.1f} mm"
