"""Two readers' corrections made one.

Every rule is ours; the result is one step of a review, which can be undone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.review.edits import Action
from napari_crlm_spa.core.review.review import Change, Review
from napari_crlm_spa.errors import ReviewError

MergeRule = Literal["a", "b", "agreed", "later"]
#: What the rules do, in words.
MERGE_RULES: dict[MergeRule, str] = {
    "a": "the work of both; where both touched a tile, that of the first reader",
    "b": "the work of both; where both touched a tile, that of the second reader",
    "agreed": "only what both readers say alike; the prediction on all other tiles",
    "later": "the work of both; where both touched a tile, what was done later",
}


def merge(target: Review, a: Review, b: Review, rule: MergeRule) -> Change | None:
    """Put two readers' work into a review as one step.

    Parameters
    ----------
    target
        The review that takes it over; it may be one of the two.
    a, b
        Reviews of the same analysis.
    rule
        One of `MERGE_RULES`.

    Returns
    -------
    Change or None
        None if `target` has these classes and states already.

    Raises
    ------
    ReviewError
        If there is no such rule, or the reviews are not of one map.
    """
    classes, state = merged_labels(a, b, rule)
    if not np.array_equal(target.predicted.classes, a.predicted.classes):
        raise ReviewError("The merged corrections are of another map than the review's.")
    return target.take_over(classes, state)


def merged_labels(
    a: Review, b: Review, rule: MergeRule
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return classes and states of two readers' merged work, each of shape (rows, cols).

    Raises
    ------
    ReviewError
        If there is no such rule, or the reviews are not of one map.
    """
    if rule not in get_args(MergeRule):
        raise ReviewError(f"There is no rule {rule!r}; choose one of {', '.join(MERGE_RULES)}.")
    if not np.array_equal(a.predicted.classes, b.predicted.classes):
        raise ReviewError(
            f"{a.reader} and {b.reader} corrected different maps, so their work cannot be merged. "
            "Choose two readers of one analysis."
        )
    touched_a, touched_b = a.touched, b.touched
    if rule == "agreed":
        from_a = touched_a & touched_b & (a.tissue_map.classes == b.tissue_map.classes)
        from_b = np.zeros_like(from_a)
    else:
        both = touched_a & touched_b
        first = {"a": both, "b": np.zeros_like(both), "later": both & ~_later(b, a)}[rule]
        from_a = (touched_a & ~both) | first
        from_b = touched_b & ~from_a
    classes, state = a.predicted.classes.copy(), a.predicted.state.copy()
    for mask, side in ((from_a, a), (from_b, b)):
        classes[mask] = side.tissue_map.classes[mask]
        state[mask] = side.tissue_map.state[mask]
    return classes, state


def _later(one: Review, other: Review) -> NDArray[np.bool_]:
    """Tiles that `one` touched after `other` did, shape (rows, cols)."""
    return _times(one) > _times(other)


def _times(review: Review) -> NDArray[np.float64]:
    """When each tile got the state that it has now, in seconds since 1970; 0 if never touched."""
    times = np.zeros(review.tissue_map.shape)
    for step in review.steps:
        if step.action is not Action.RESTORE:
            times[step.rows, step.cols] = _seconds(step.when)
    return times


def _seconds(when: str) -> float:
    return datetime.fromisoformat(when).timestamp()
