"""What can be wrong with a tile, and the measured numbers behind each mark."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.quality.options import QualityOptions


class QualityMark(IntFlag):
    """What is wrong with a tile; several can be."""

    BLUR = 1
    PEN = 2
    FOLD = 4
    AIR = 8

    @property
    def title(self) -> str:
        """The mark as the panel and tables name it."""
        return (self.name or "").lower()


#: What each mark says, in a sentence for a tooltip.
MARK_SENTENCES: dict[QualityMark, str] = {
    QualityMark.BLUR: "Less sharp than most tiles of its own tissue on this slide.",
    QualityMark.PEN: "Covered by ink that is no H&E color: green, blue, black, or strong red.",
    QualityMark.FOLD: "Darker and stronger in color than this slide's tissue: lying double.",
    QualityMark.AIR: "Bright, colorless holes within the tissue: bubbles, tears, vessels.",
}


@dataclass(frozen=True, slots=True, eq=False)
class TileQuality:
    """The quality of every tile of a tissue map; nothing is ever dropped because of it.

    Parameters
    ----------
    marks
        Shape (rows, cols), uint8: the sum of `QualityMark` flags, 0 = nothing seen.
    sharpness
        Shape (rows, cols), float32: log10 of the variance of the Laplacian of the optical density
        relative to the tile's contrast; nan where not measured.
    blur
        Shape (rows, cols), float32: how many robust standard deviations a tile is less sharp than
        the tiles of its class; nan where not measured.
    pen, fold, air
        Shape (rows, cols), float32: share of the tile's area, 0 to 1; nan where not measured.
    options
        The limits of the marks.
    medians
        Class name -> median sharpness of its tiles: a slide that is out of focus as a whole shows
        here only.
    """

    marks: NDArray[np.uint8]
    sharpness: NDArray[np.float32]
    blur: NDArray[np.float32]
    pen: NDArray[np.float32]
    fold: NDArray[np.float32]
    air: NDArray[np.float32]
    options: QualityOptions
    medians: dict[str, float] = field(default_factory=dict)

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Tiles that were looked at, shape (rows, cols)."""
        return np.isfinite(self.pen)

    def has(self, mark: QualityMark) -> NDArray[np.bool_]:
        """Tiles with any of the flags in `mark`, shape (rows, cols)."""
        return (self.marks & np.uint8(mark)) > 0

    def counts(self) -> dict[QualityMark, int]:
        """Count the tiles of each mark; a tile with two marks counts in both."""
        return {mark: int(np.count_nonzero(self.has(mark))) for mark in QualityMark}

    @property
    def marked_tiles(self) -> int:
        """How many tiles have any mark."""
        return int(np.count_nonzero(self.marks))
