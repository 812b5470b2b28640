"""What happens to the tiles that a tool takes, and which tiles it may take at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED
from napari_crlm_spa.core.review import Action, Change, Review
from napari_crlm_spa.core.tiles import TileState


@dataclass(frozen=True, slots=True)
class Deed:
    """What is done to tiles.

    Parameters
    ----------
    action
        CORRECT, ACCEPT, SET_ASIDE or RESTORE.
    class_name
        The new class; for CORRECT only.
    """

    action: Action
    class_name: str = ""

    def do(self, review: Review, rows: ArrayLike, cols: ArrayLike) -> Change | None:
        """Do it, as one step of the review; None if no tile changes."""
        if self.action is Action.CORRECT:
            return review.correct(rows, cols, self.class_name)
        if self.action is Action.ACCEPT:
            return review.accept(rows, cols)
        if self.action is Action.SET_ASIDE:
            return review.set_aside(rows, cols)
        return review.restore(rows, cols)


def changeable(review: Review, deed: Deed, hidden: frozenset[str]) -> NDArray[np.bool_]:
    """Tell which tiles a deed would change.

    Tiles that were never classified stay as they are. So do those of classes that are hidden:
    nobody shall change what he does not see. A tile that a reader has corrected need not be
    accepted as well.

    Returns
    -------
    ndarray of bool, shape (rows, cols)
    """
    shown = review.tissue_map
    classes, predicted = shown.classes, review.predicted
    allowed = np.not_equal(predicted.classes, NOT_CLASSIFIED)
    hidden_codes = [shown.scheme.code(name) for name in hidden if name in shown.scheme.names]
    if hidden_codes:
        allowed &= ~np.isin(classes, hidden_codes)
    return allowed & _would_change(review, deed)


def _would_change(review: Review, deed: Deed) -> NDArray[np.bool_]:
    shown, predicted = review.tissue_map, review.predicted
    if deed.action is Action.CORRECT:
        return np.not_equal(shown.classes, shown.scheme.code(deed.class_name))
    if deed.action is Action.ACCEPT:
        return np.equal(shown.state, TileState.CLASSIFIED)
    if deed.action is Action.SET_ASIDE:
        return np.not_equal(shown.classes, NOT_CLASSIFIED)
    return np.not_equal(shown.classes, predicted.classes) | (shown.state != predicted.state)


def codes_after(review: Review, deed: Deed) -> NDArray[np.uint8]:
    """Grid codes that tiles show while a stroke over them goes on, shape (rows, cols).

    A class that is confirmed stays, so its tiles are shown clear while the stroke goes on:
    the reader sees the tissue that he confirms.
    """
    if deed.action is Action.RESTORE:
        return review.predicted.classes
    code = NOT_CLASSIFIED
    if deed.action is Action.CORRECT:
        code = review.tissue_map.scheme.code(deed.class_name)
    return np.broadcast_to(np.uint8(code), review.tissue_map.shape)
