"""One stroke: shown while the mouse moves, and one step of the review when it is let go."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.review import Change, Review
from napari_crlm_spa.plugin.tools.deed import Deed, changeable, codes_after
from napari_crlm_spa.plugin.tools.shapes import Patch


class Stroke:
    """The tiles that were touched since the button went down.

    Parameters
    ----------
    review
        Whose tiles.
    deed
        What happens to them.
    shown
        Codes that the canvas shows, shape (rows, cols), uint8; changed while the stroke goes on
        and put back at its end, whatever that is. It may be the review's own array.
    hidden
        Names of the classes that are not shown and so stay as they are.
    refresh
        Called after `shown` has changed.
    """

    def __init__(
        self,
        review: Review,
        deed: Deed,
        shown: NDArray[np.uint8],
        hidden: frozenset[str] = frozenset(),
        refresh: Callable[[], None] = lambda: None,
    ) -> None:
        self.review = review
        self.deed = deed
        self._free = changeable(review, deed, hidden)
        self._after = codes_after(review, deed)
        self._shown = shown
        self._before = shown.copy()
        self._touched = np.zeros(shown.shape, np.bool_)
        self._refresh = refresh

    def __len__(self) -> int:
        """Count the tiles that would change."""
        return int(np.count_nonzero(self._touched))

    def add(self, patch: Patch) -> None:
        """Take more tiles."""
        window = patch.window
        new = patch.mask & self._free[window] & ~self._touched[window]
        if new.any():
            self._touched[window] |= new
            self._shown[window][new] = self._after[window][new]
            self._refresh()

    def replace(self, patch: Patch) -> None:
        """Take these tiles instead of those before."""
        self._put_back()
        self._touched[patch.window] = patch.mask & self._free[patch.window]
        self._shown[self._touched] = self._after[self._touched]
        self._refresh()

    def finish(self) -> Change | None:
        """Make one step of the review of it; None if no tile changes."""
        rows, cols = np.nonzero(self._touched)
        self._put_back()
        return self.deed.do(self.review, rows, cols) if len(rows) else None

    def cancel(self) -> None:
        """Leave everything as it was."""
        self._put_back()
        self._refresh()

    def _put_back(self) -> None:
        self._shown[self._touched] = self._before[self._touched]
        self._touched[:] = False
