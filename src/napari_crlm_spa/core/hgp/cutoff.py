"""A cut-off for the contact with liver, judged on patients that it was not chosen on.

The strict rule on tile maps is fragile: one wrong tile makes a slide non-D. A cut-off chosen on the
data does better on the same data by chance; so patients are divided, the cut-off is chosen on all
parts but one (highest sensitivity + specificity, Youden, Cancer 1950;3:32) and used on that one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.hgp.agreement.kappa import Kappa, cohen_kappa, confusion
from napari_crlm_spa.core.hgp.agreement.proportion import Proportion, wilson
from napari_crlm_spa.core.hgp.rules import NON_D, D, words

NAN = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Calls of slides whose patients did not take part in choosing the cut-off.

    Parameters
    ----------
    cutoff
        Chosen on all patients: for the next study, not for judging this one. At or below is D.
    of_fold
        Those chosen on all parts but one, shape (folds,).
    calls
        1 D, 0 non-D, NaN where not known, shape (n,).
    kappa, sensitivity, specificity
        Of the held-out calls; sensitivity is for D.
    apparent
        Kappa of `cutoff` on the data that it was chosen on.
    reason
        Why there is none, in a sentence; else empty.
    """

    cutoff: float
    of_fold: Floats
    calls: Floats
    kappa: Kappa
    sensitivity: Proportion
    specificity: Proportion
    apparent: float
    reason: str = ""


def held_out_cutoff(
    contact: ArrayLike, desmoplastic: ArrayLike, patients: ArrayLike, folds: int, seed: int
) -> HeldOut:
    """Choose a cut-off of the contact and judge it on other patients.

    Parameters
    ----------
    contact
        pct_N, or anything that is low in D, shape (n,).
    desmoplastic
        Reviewed call, 1 or 0. Rows with a hole in either are left out.
    patients
        Whose slide it is; a patient is never on both sides.
    folds
        Parts; fewer if there are fewer patients of one kind.
    seed
        Of the division.
    """
    x, y = np.asarray(contact, np.float64), np.asarray(desmoplastic, np.float64)
    known = np.isfinite(x) & np.isfinite(y)
    calls = np.full(len(x), np.nan)
    fold = np.full(len(x), -1)
    fold[known], parts = _divided(
        np.asarray(patients).astype(str)[known], y[known] > 0.5, folds, seed
    )
    if parts < 2:
        why = "A cut-off needs at least two patients of each kind."
        nothing = cohen_kappa(np.zeros((2, 2)))
        none = wilson(0, 0)
        return HeldOut(NAN, np.zeros(0), calls, nothing, none, none, NAN, why)
    chosen = np.full(parts, np.nan)
    for part in range(parts):
        train, test = known & (fold != part), known & (fold == part)
        chosen[part] = youden_cutoff(x[train], y[train] > 0.5)
        calls[test] = x[test] <= chosen[part]
    whole = youden_cutoff(x[known], y[known] > 0.5)
    is_d, said_d = y[known] > 0.5, calls[known] > 0.5
    return HeldOut(
        cutoff=whole,
        of_fold=chosen,
        calls=calls,
        kappa=_kappa(y[known], calls[known]),
        sensitivity=wilson(int((said_d & is_d).sum()), int(is_d.sum())),
        specificity=wilson(int((~said_d & ~is_d).sum()), int((~is_d).sum())),
        apparent=_kappa(y[known], (x[known] <= whole).astype(float)).value,
    )


def youden_cutoff(x: Floats, is_d: np.ndarray) -> float:
    """Return the cut-off (D at or below) with the highest sensitivity + specificity.

    Half-way between neighboring values; of several the lowest. NaN if a kind is missing.
    """
    if is_d.all() or not is_d.any():
        return NAN
    values = np.unique(x)
    middle = np.append((values[:-1] + values[1:]) / 2, values[-1])
    low, high = np.sort(x[is_d]), np.sort(x[~is_d])
    sensitivity = np.searchsorted(low, middle, side="right") / len(low)
    specificity = 1 - np.searchsorted(high, middle, side="right") / len(high)
    return float(middle[int(np.argmax(sensitivity + specificity))])


def _kappa(reviewed: Floats, called: Floats) -> Kappa:
    return cohen_kappa(confusion(words(reviewed), words(called), (D, NON_D)))


def _divided(
    patients: np.ndarray, is_d: np.ndarray, folds: int, seed: int
) -> tuple[np.ndarray, int]:
    """Deal patients into parts, those with any D and those without separately."""
    names, of_row = np.unique(patients, return_inverse=True)
    any_d = np.bincount(of_row, is_d, len(names)) > 0
    parts = min(folds, int(any_d.sum()), int((~any_d).sum()))
    rng = np.random.default_rng(seed)
    part = np.zeros(len(names), np.intp)
    for kind in (any_d, ~any_d):
        members = rng.permutation(np.flatnonzero(kind))
        part[members] = np.arange(len(members)) % max(1, parts)
    return part[of_row], parts
