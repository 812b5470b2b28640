"""What can be wrong with a tile, and the measured numbers behind each mark."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.quality.options import QualityOptions


class QualityMark(IntFlag):
    """What is wrong with a tile; several marks can be set at once."""

    BLUR = 1
    PEN = 2
    FOLD = 4
    AIR = 8

    @property
    def title(self) -> str:
        """The mark as tables name it, e.g. ``"blur"`` or ``"blur pen"``."""
        return " ".join(str(mark.name).lower() for mark in QualityMark if mark & self)


#: What each mark says, in a sentence.
MARK_SENTENCES: dict[QualityMark, str] = {
    QualityMark.BLUR: "Far less sharp than the other tiles of its tissue on this slide.",
    QualityMark.PEN: "Covered by ink: green, blue, black or pure red, no color of H&E.",
    QualityMark.FOLD: "Far darker than the other tiles of its tissue: it may lie double.",
    QualityMark.AIR: "Bright, colorless area: a hole, tear, vessel, fat or bubble; counted as "
    "part of the tile's tissue.",
}


@dataclass(frozen=True, slots=True, eq=False)
class TileQuality:
    """The quality of every tile of a tissue map. Nothing is dropped because of it.

    Parameters
    ----------
    marks
        Shape (rows, cols), uint8: the sum of `QualityMark` flags; 0 = nothing was seen.
    measured
        Shape (rows, cols), bool: tiles that were looked at.
    sharpness
        Shape (rows, cols), float32: log10 of the finest detail's energy over the next coarser
        detail's (see `core.quality.pixels`); nan where not measured.
    blur
        Shape (rows, cols), float32: by how many robust standard deviations the tile is less
        sharp than its class; nan where not judged.
    pen, air
        Shape (rows, cols), float32: covered share of the tile, 0 to 1; nan where not measured.
    fold
        Shape (rows, cols), float32: how many times as dark as usual in its class the darkest
        fifth of the tile is, in the color where it is least so; nan where not judged.
    options
        The limits of the marks.
    medians
        Median sharpness by class name, for classes with enough tiles.
    """

    marks: NDArray[np.uint8]
    measured: NDArray[np.bool_]
    sharpness: NDArray[np.float32]
    blur: NDArray[np.float32]
    pen: NDArray[np.float32]
    fold: NDArray[np.float32]
    air: NDArray[np.float32]
    options: QualityOptions
    medians: dict[str, float]

    def has(self, mark: QualityMark) -> NDArray[np.bool_]:
        """Tiles with any of the flags of `mark`, shape (rows, cols)."""
        return np.asarray((self.marks & np.uint8(mark)) > 0)

    def counts(self) -> dict[QualityMark, int]:
        """Count the tiles of each mark; a tile with two marks counts in both."""
        return {mark: int(np.count_nonzero(self.has(mark))) for mark in QualityMark}

    @property
    def marked_tiles(self) -> int:
        """How many tiles have any mark."""
        return int(np.count_nonzero(self.marks))

    @property
    def measured_tiles(self) -> int:
        """How many tiles were looked at."""
        return int(np.count_nonzero(self.measured))

    @property
    def median_sharpness(self) -> float:
        """Median sharpness of all tissue tiles; nan if the slide is too coarse to tell."""
        known = self.sharpness[np.isfinite(self.sharpness)]
        return float(np.median(known)) if known.size else float("nan")

    @property
    def notes(self) -> list[str]:
        """What the marks cannot show, in sentences."""
        median = self.median_sharpness
        if not self.measured_tiles:
            return ["No tile could be measured."]
        if np.isnan(median):
            return [f"Blur was not judged: the slide is coarser than {self.options.mpp:g} µm/px."]
        if median < self.options.sharp_median:
            least = self.options.sharp_median
            note = (
                f"The whole slide may be out of focus: its median sharpness is {median:.2f} "
                f"(below {least:g}). Blur marks only compare tiles with each other."
            )
            return [note]
        return []
