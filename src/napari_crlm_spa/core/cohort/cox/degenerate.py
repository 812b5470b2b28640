"""Data that no Cox model can say much about: what is wrong, in which column, and what to do.

Each function returns sentences. Nothing here raises: a cohort of 40 columns has one or two that
are constant, and the others must still be computed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import named
from napari_crlm_spa.core.cohort.survival import Floats, Survival

#: Rule of thumb: with fewer deaths per coefficient, estimates and intervals become unreliable.
#: Peduzzi, Concato, Feinstein and Holford, J Clin Epidemiol 1995;48:1503.
EVENTS_PER_COEFFICIENT = 10


def no_deaths(n: int, columns: Sequence[str]) -> str:
    """Say that there is nothing to fit."""
    if n == 0 and len(columns) == 1:
        return f"No patient has a value of {named(columns[0])}. Fill it in, or leave it out."
    if n == 0:
        return (
            f"No patient has all of {_listed(columns)}, so there is no model. Fill holes in, or "
            "leave columns out."
        )
    return (
        f"None of the {n} patients died, so no Cox model can be fitted. Check that 1 means died, "
        "or wait for longer follow-up."
    )


def constant_column(column: str, values: Floats) -> str:
    """Say that a column is the same in all patients, or in all who were at risk."""
    if np.ptp(values) == 0:
        return (
            f"{named(column)} is {values[0]:g} in all {len(values)} patients, so it says nothing "
            "about survival. Leave it out, or split it elsewhere."
        )
    return (
        f"{named(column)} is the same in all patients who were still followed at the first death, "
        "so it says nothing about survival. Leave it out, or split it elsewhere."
    )


def dependent_column(column: str, others: Sequence[str]) -> str:
    """Say that a column is the sum of others."""
    return (
        f"{named(column)} follows from {_listed(others)}, so the model can't tell them apart and "
        "was fitted without it. Leave one of them out."
    )


def empty_side(column: str, values: Floats, survival: Survival) -> str:
    """Say which side of a 0/1 column has no deaths; empty if both have some."""
    sides = np.unique(values)
    if len(sides) != 2:
        return ""
    for side in sides:
        here = values == side
        if not survival.event[here].any():
            return (
                f"{named(column)}: {_how_many(int(here.sum()))} with {side:g} died, of the others "
                f"{survival.event[~here].sum()} of {(~here).sum()}, so its hazard ratio is "
                "infinite or 0 and can't be estimated. Join groups, split it elsewhere, or leave "
                "it out; its likelihood-ratio test still holds."
            )
    return ""


def _how_many(patients: int) -> str:
    return f"none of the {patients} patients" if patients > 1 else "not even the one patient"


def separated_column(column: str, values: Floats, survival: Survival) -> str:
    """Say why a coefficient has no finite maximum."""
    return empty_side(column, values, survival) or (
        f"{named(column)}, alone or with other columns, tells at every death who dies next, so its "
        "hazard ratio is infinite or 0 and can't be estimated. Leave it out, use fewer columns, "
        "or use a penalized model."
    )


def too_few_events(n_events: int, coefficients: int, limit: float, columns: Sequence[str]) -> str:
    """Say that there are too few deaths for so many coefficients; empty if there are enough."""
    if coefficients == 0 or n_events >= limit * coefficients:
        return ""
    what = named(columns[0]) if len(columns) == 1 else f"{coefficients} coefficients"
    deaths = "1 death" if n_events == 1 else f"{n_events} deaths"
    return (
        f"{deaths} for {what}: fewer than {limit:g} per coefficient, so estimates and intervals "
        "are unreliable (Peduzzi 1995). Use fewer columns, a penalized model, or more patients."
    )


def not_converged(columns: Sequence[str]) -> str:
    """Say that the fit failed for no reason known."""
    return (
        f"The model of {_listed(columns)} did not converge, so its numbers can't be used. Use "
        "fewer columns, or look for extreme values in them."
    )


def left_out(missing: NDArray[np.int64], columns: Sequence[str], n_missing: int, n: int) -> str:
    """Say which columns have the holes for which patients are left out; empty if none."""
    if not n_missing:
        return ""
    worst = np.argsort(-missing, kind="stable")
    which = ", ".join(f"{named(columns[at])}: {missing[at]}" for at in worst if missing[at])
    return (
        f"{n_missing} of {n} patients are left out because values are missing ({which}). Fill them "
        "in, or leave such a column out."
    )


def _listed(columns: Sequence[str]) -> str:
    names = [named(column) for column in columns]
    if len(names) < 2:
        return "".join(names) or "other columns"
    return f"{', '.join(names[:-1])} and {names[-1]}"
