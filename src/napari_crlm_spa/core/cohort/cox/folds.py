"""Cross-validation folds of patients: groups stay together, deaths are dealt evenly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.errors import SurvivalDataError

#: Fewer are no cross-validation.
FEWEST_FOLDS = 2


def stratified_folds(
    event: ArrayLike,
    folds: int,
    rng: np.random.Generator,
    *,
    groups: ArrayLike | None = None,
) -> NDArray[np.intp]:
    """Deal rows to folds at random, keeping groups together and deaths even.

    Parameters
    ----------
    event
        Whether each row's patient died, shape (n,).
    folds
        How many folds.
    rng
        Where chance comes from.
    groups
        What must stay together, e.g. the patient of each row, shape (n,); every row by itself if
        None. A group counts as dead if one of its rows is.

    Returns
    -------
    array
        The fold of each row, 0 .. folds - 1, shape (n,). The numbers of groups of two folds differ
        by one at most, and so do those of their dead groups.

    Raises
    ------
    SurvivalDataError
        If there are fewer dead or fewer groups than folds: a fold without a death judges nothing.
    """
    died = np.asarray(event, bool)
    names: NDArray[Any] = np.arange(len(died)) if groups is None else np.asarray(groups)
    group = np.unique(names, return_inverse=True)[1].reshape(-1)
    dead = np.zeros(group.max(initial=-1) + 1, bool)
    np.logical_or.at(dead, group, died)
    if folds < FEWEST_FOLDS or dead.sum() < folds:
        raise SurvivalDataError(
            f"{int(dead.sum())} patients died: too few for {folds} folds, since each fold needs a "
            f"death and there must be {FEWEST_FOLDS} folds at least. Choose fewer folds or gather "
            "more patients."
        )
    return deal(dead, folds, rng)[group]


def deal(dead: NDArray[np.bool_], folds: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Deal patients to folds at random, shape (n,); sizes and deaths differ by one at most."""
    # The living are dealt on from the fold where the dead ended.
    order = np.concatenate(
        [rng.permutation(np.flatnonzero(dead)), rng.permutation(np.flatnonzero(~dead))]
    )
    fold = np.empty(len(dead), np.intp)
    fold[order] = np.arange(len(order)) % folds
    return fold
