"""Correlation of the features, and which one of two that say the same is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from napari_crlm_spa.core.cohort.columns import matrix, named
from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.spatial.definitions import FEATURES

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")
#: Fisher's interval has n - 3 in it, the test n - 2.
FEWEST_FOR_INTERVAL, FEWEST_FOR_TEST = 4, 3
#: The paper kept the overall features of two correlated pairs; the order after it is ours.
PREFER = ("overall", "infiltrating", "distal", "interaction")


def pearson(x: Floats, y: Floats, level: float = 0.95) -> tuple[int, float, float, float, float]:
    """Return n, r, Fisher's interval and the two-sided p of the t test (as R's ``cor.test``).

    Parameters
    ----------
    x, y
        Shape (n,); patients with a hole in either are left out.
    level
        Of the interval.
    """
    both = ~(np.isnan(x) | np.isnan(y))
    n = int(both.sum())
    if n < FEWEST_FOR_TEST or np.ptp(x[both]) == 0 or np.ptp(y[both]) == 0:
        return n, NAN, NAN, NAN, NAN
    a, b = x[both] - x[both].mean(), y[both] - y[both].mean()
    r = float(np.clip(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)), -1, 1))
    with np.errstate(divide="ignore"):
        t = r * np.sqrt((n - 2) / (1 - r * r)) if abs(r) < 1 else np.inf
        p = float(2 * special.stdtr(n - 2, -abs(t)))
        if n < FEWEST_FOR_INTERVAL:
            return n, r, NAN, NAN, p
        half = special.ndtri((1 + level) / 2) / np.sqrt(n - 3)
        lower, upper = np.tanh(np.arctanh(r) + np.array([-half, half]))
    return n, r, float(lower), float(upper), p


def correlation_table(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Correlate all pairs of columns (the paper: raw features, not 0/1).

    Returns
    -------
    DataFrame
        ``a, b, n, r, lower95, upper95, p``; each pair once, in the order of `columns`. A pair with
        a constant column has holes.
    """
    import pandas as pd

    values = matrix(frame, columns)
    rows = [
        (columns[i], columns[j], *pearson(values[:, i], values[:, j]))
        for i in range(len(columns))
        for j in range(i + 1, len(columns))
    ]
    return pd.DataFrame(rows, columns=["a", "b", "n", "r", "lower95", "upper95", "p"])


def correlation_matrix(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return r as a square: 1 on the diagonal, rows and columns in the order given."""
    import pandas as pd

    square = np.full((len(columns), len(columns)), np.nan)
    np.fill_diagonal(square, 1.0)
    place = {column: at for at, column in enumerate(columns)}
    for a, b, r in zip(table["a"], table["b"], table["r"], strict=True):
        if a in place and b in place:
            square[place[a], place[b]] = square[place[b], place[a]] = r
    return pd.DataFrame(square, index=list(columns), columns=list(columns))


def drop_collinear(
    correlations: pd.DataFrame,
    candidates: Sequence[str],
    *,
    limit: float = 0.7,
    p_limit: float = 0.05,
    negative: bool = True,
    prefer: Sequence[str] = PREFER,
    p_univariate: Mapping[str, float] | None = None,
) -> tuple[tuple[str, ...], pd.DataFrame]:
    """Keep one column of each correlated pair.

    Candidates are gone through by preference: family in the order of `prefer`, then the smaller
    univariate p, then their own order. One is kept unless it correlates with one kept before.

    Parameters
    ----------
    correlations
        `correlation_table` of (at least) the candidates.
    candidates
        Columns to choose of.
    limit, p_limit
        A pair is collinear if r is above `limit` and p below `p_limit` (paper: 0.7, 0.05).
    negative
        Whether r below ``-limit`` counts as well. The paper speaks of r > 0.7; a feature that
        falls as another rises says the same too (our reading).
    prefer
        Families of spatial features, best first. Other columns come after all of them.
    p_univariate
        By column.

    Returns
    -------
    tuple
        The kept columns, in the order of `candidates`, and a DataFrame of the others: ``kept,
        dropped, r, p, reason``.
    """
    import pandas as pd

    r_of, p_of = {}, {}
    for a, b, r, p in zip(*(correlations[name] for name in ("a", "b", "r", "p")), strict=True):
        r_of[a, b] = r_of[b, a] = float(r)
        p_of[a, b] = p_of[b, a] = float(p)

    def clashes(one: str, other: str) -> bool:
        r = r_of.get((one, other), NAN)
        return (abs(r) if negative else r) > limit and p_of[one, other] < p_limit

    kept: list[str] = []
    dropped = []
    order = _by_preference(candidates, prefer, p_univariate or {})
    for column in order:
        rivals = [other for other in kept if clashes(column, other)]
        if not rivals:
            kept.append(column)
            continue
        rival = max(rivals, key=lambda other: abs(r_of[column, other]))
        r, p = r_of[column, rival], p_of[column, rival]
        why = _why(rival, column, prefer, p_univariate or {})
        dropped.append((rival, column, r, p, f"r = {r:.2f} with {named(rival)}, {why}"))
    table = pd.DataFrame(dropped, columns=["kept", "dropped", "r", "p", "reason"])
    return tuple(column for column in candidates if column in kept), table


def _family(column: str, prefer: Sequence[str]) -> int:
    family = FEATURES[column].family if column in FEATURES else ""
    return list(prefer).index(family) if family in prefer else len(prefer)


def _by_preference(
    candidates: Sequence[str], prefer: Sequence[str], p: Mapping[str, float]
) -> list[str]:
    def rank(column: str) -> tuple[int, float]:
        own = p.get(column, NAN)
        return _family(column, prefer), own if np.isfinite(own) else np.inf

    return sorted(dict.fromkeys(candidates), key=rank)


def _why(kept: str, dropped: str, prefer: Sequence[str], p: Mapping[str, float]) -> str:
    if _family(kept, prefer) < _family(dropped, prefer):
        return f"and {FEATURES[kept].family} features are preferred"
    if p.get(kept, NAN) < p.get(dropped, NAN):
        return "whose univariate p is smaller"
    return "which comes first"
