"""Stepwise selection by Akaike's criterion, step by step as R's ``MASS::stepAIC`` goes.

Venables and Ripley, Modern Applied Statistics with S, 4th ed. 2002, section 6.8. At each step every
term that may leave or enter is tried, the change with the smallest ``-2 loglik + k df`` is made,
and it ends when none is better than no change. df counts coefficients; a term that is a sum of
other terms has none, and such a one is dropped before anything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import matrix
from napari_crlm_spa.core.cohort.cox.degenerate import EVENTS_PER_COEFFICIENT
from napari_crlm_spa.core.cohort.cox.design import Terms, columns_of, complete, terms_of
from napari_crlm_spa.core.cohort.cox.estimate import estimate
from napari_crlm_spa.core.cohort.cox.fit import CoxFit, fit_cox
from napari_crlm_spa.core.cohort.cox.partial_likelihood import Ties
from napari_crlm_spa.core.cohort.survival import Floats, Survival
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

Direction = Literal["backward", "forward", "both"]
DIRECTIONS: tuple[str, ...] = get_args(Direction)
#: AICs closer than this are equal, and the first in order counts (R compares to the last digit,
#: in which equal models differ by rounding).
SAME_AIC = 1e-8
NO_CHANGE = "<none>"
#: A change, its df, the AIC and the terms after it.
_Option = tuple[str, float, float, tuple[str, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Stepwise:
    """Where a stepwise selection went.

    Parameters
    ----------
    direction, start
        How it went, and from where: ``"full"``, ``"null"`` or ``"given"``.
    terms
        The chosen terms, in the order in which they stand in the model.
    fit
        The model of them, on the same patients.
    path
        ``direction, step, change, df, aic``: the start (step 0) and each change made.
    candidates
        The same of all changes tried at each step, best first; ``<none>`` is no change. Those of
        step 1 led to the path's step 1.
    """

    direction: Direction
    start: str
    terms: tuple[str, ...]
    fit: CoxFit
    path: pd.DataFrame
    candidates: pd.DataFrame


@dataclass(slots=True, eq=False)
class _Models:
    """AIC of any set of terms on the same patients; each set is fitted once."""

    survival: Survival
    values: Mapping[str, Floats]
    penalty: float
    ties: Ties
    fitted: dict[frozenset[str], tuple[float, int]] = field(default_factory=dict)

    def df(self, terms: Sequence[str]) -> int:
        return self._fit(terms)[1]

    def aic(self, terms: Sequence[str]) -> float:
        loglik, df = self._fit(terms)
        return -2 * loglik + self.penalty * df

    def _fit(self, terms: Sequence[str]) -> tuple[float, int]:
        key = frozenset(terms)
        if key not in self.fitted:
            # In the order of the candidates: the last digit must not depend on the way here.
            blocks = [block for term, block in self.values.items() if term in key]
            joined = np.hstack(blocks) if blocks else np.empty((len(self.survival), 0))
            found = estimate(self.survival, joined, self.ties)
            self.fitted[key] = found.loglik, int(found.independent.sum())
        return self.fitted[key]


def stepwise(
    frame: pd.DataFrame,
    survival: Survival,
    candidates: Terms,
    direction: Direction = "both",
    *,
    start: Literal["full", "null"] | Sequence[str] | None = None,
    lower: Sequence[str] = (),
    penalty: float = 2.0,
    ties: Ties = "efron",
    events_per_coefficient: float = EVENTS_PER_COEFFICIENT,
) -> Stepwise:
    """Select terms of a Cox model.

    Parameters
    ----------
    frame
        One row per patient. Those with a hole in any candidate are left out of all models: AICs
        compare on the same patients only.
    survival
        Follow-up of the same patients.
    candidates
        Columns, or names of terms with their columns: the largest model.
    direction
        ``"backward"`` drops, ``"forward"`` adds, ``"both"`` does either.
    start
        The first model. If None: all terms for ``"backward"``, none for the others (the paper).
    lower
        Terms that always stay.
    penalty
        Per coefficient: 2 is AIC, ``log(deaths)`` is BIC.
    ties
        How tied deaths are handled.
    events_per_coefficient
        Fewer deaths per coefficient of the chosen model give a warning.

    Raises
    ------
    CohortError
        If `start` or `lower` name no candidate, or nobody with all columns died.
    """
    import pandas as pd

    groups = terms_of(candidates)
    rows, models = _models(frame, survival, groups, penalty, ties)
    first, name = _start(groups, direction, start, lower)
    steps, tried = [(0, "", np.nan, models.aic(first))], []
    current = first
    for step in count(1):  # ends: each step's AIC is smaller, or it is as small with a term less
        options = _options(models, current, tuple(groups), direction, lower)
        tried += [(step, *option[:3]) for option in sorted(options, key=lambda each: each[2])]
        change, df, aic, after = _best(options)
        if change == NO_CHANGE:
            break
        current = after
        steps.append((step, change, df, aic))
    header = ["step", "change", "df", "aic"]
    path, others = pd.DataFrame(steps, columns=header), pd.DataFrame(tried, columns=header)
    path.insert(0, "direction", direction)
    others.insert(0, "direction", direction)
    fit = fit_cox(
        frame.loc[rows],
        survival.take(rows),
        {term: groups[term] for term in current},
        ties=ties,
        events_per_coefficient=events_per_coefficient,
    )
    return Stepwise(direction, name, tuple(current), fit, path, others)


def _best(options: Sequence[_Option]) -> _Option:
    """Return the first of those with the smallest AIC; a drop of no df, the last one, before."""
    idle = [option for option in options if option[1] == 0]
    if idle:
        return idle[-1]
    lowest = min(option[2] for option in options)
    return next(option for option in options if option[2] <= lowest + SAME_AIC)


def _options(
    models: _Models,
    current: tuple[str, ...],
    candidates: tuple[str, ...],
    direction: Direction,
    lower: Sequence[str],
) -> list[_Option]:
    """Return what can be done: no change first, then drops, then adds that add a coefficient."""
    options: list[_Option] = [(NO_CHANGE, np.nan, models.aic(current), current)]
    df = models.df(current)
    if direction != "forward":
        for term in current:
            if term not in lower:
                after = tuple(each for each in current if each != term)
                options.append((f"- {term}", df - models.df(after), models.aic(after), after))
    if direction != "backward":
        for term in candidates:
            if term not in current:
                after = (*current, term)
                if more := models.df(after) - df:
                    options.append((f"+ {term}", more, models.aic(after), after))
    return options


def _models(
    frame: pd.DataFrame,
    survival: Survival,
    groups: Mapping[str, tuple[str, ...]],
    penalty: float,
    ties: Ties,
) -> tuple[NDArray[np.bool_], _Models]:
    everything = matrix(frame, columns_of(groups))
    rows = complete(everything, survival)
    followed = survival.take(rows)
    if not followed.n_events:
        raise CohortError(
            f"Of {len(rows)} patients, {len(followed)} have all candidates and none of them died: "
            "there is nothing to select by. Leave out columns with many holes."
        )
    ends = np.cumsum([len(columns) for columns in groups.values()], dtype=int)
    blocks = np.split(everything[rows], ends[:-1], axis=1) if len(groups) else []
    values = dict(zip(groups, blocks, strict=True))
    return rows, _Models(followed, values, penalty, ties)


def _start(
    groups: Mapping[str, tuple[str, ...]],
    direction: Direction,
    start: Literal["full", "null"] | Sequence[str] | None,
    lower: Sequence[str],
) -> tuple[tuple[str, ...], str]:
    if direction not in DIRECTIONS:
        raise CohortError(f"There is no direction {direction!r}; choose backward, forward or both.")
    if start is None:
        start = "full" if direction == "backward" else "null"
    if isinstance(start, str):
        chosen, name = (tuple(groups), "full") if start == "full" else (tuple(lower), "null")
    else:
        chosen, name = tuple(dict.fromkeys([*start, *lower])), "given"
    unknown = [term for term in (*chosen, *lower) if term not in groups]
    if unknown:
        raise CohortError(f"{unknown[0]!r} is not among the candidates: {', '.join(groups)}.")
    return chosen, name
