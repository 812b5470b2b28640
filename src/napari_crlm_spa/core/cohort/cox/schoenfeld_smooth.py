"""How a coefficient changes over time: a smooth of the scaled Schoenfeld residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from napari_crlm_spa.core.cohort.cox.fitted import CoxFit
from napari_crlm_spa.core.cohort.cox.proportional_hazards import Transform, scaled_residuals
from napari_crlm_spa.core.cohort.survival import Floats

if TYPE_CHECKING:
    import pandas as pd

#: A spline's pivot below this share of the largest is rounding: its knots are too close.
NEARLY_DEPENDENT = 1e-8


def schoenfeld_smooth(
    fit: CoxFit, transform: Transform = "km", *, df: int = 4, points: int = 40, level: float = 0.95
) -> pd.DataFrame:
    """Smooth the scaled residuals by a natural cubic spline of the transformed time.

    As R's ``plot.cox.zph``: `df` coefficients, inner knots at quantiles of the deaths' transformed
    times together with the `points`; variance ``deaths * var(coef) * h' (B'B)^-1 h``.

    Parameters
    ----------
    fit, transform
        As in `schoenfeld`.
    df
        Coefficients of the spline; fewer if there are too few distinct times.
    points
        At how many equally spaced transformed times.
    level
        Of the pointwise interval (R draws two standard errors).

    Returns
    -------
    DataFrame
        ``column, time_months, beta, lower95, upper95, transformed_time``; empty with fewer than
        three distinct times of death.
    """
    import pandas as pd

    times, scaled, g = scaled_residuals(fit, transform)
    at, basis, there = _spline(g, df, points)
    parts = []
    for place, column in enumerate(fit.columns if len(at) else ()):
        # A basis of orthonormal columns: (B'B)^-1 is 1.
        beta = there @ (basis.T @ scaled[:, place])
        variance = len(times) * fit.covariance[place, place] * (there**2).sum(axis=1)
        half = special.ndtri((1 + level) / 2) * np.sqrt(variance)
        when = np.interp(at, *_first_of_ties(g, times))
        parts.append(
            pd.DataFrame(
                {
                    "column": column,
                    "time_months": when,
                    "beta": beta,
                    "lower95": beta - half,
                    "upper95": beta + half,
                    "transformed_time": at,
                }
            )
        )
    header = ["column", "time_months", "beta", "lower95", "upper95", "transformed_time"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=header)


def _first_of_ties(g: Floats, times: Floats) -> tuple[Floats, Floats]:
    distinct, first = np.unique(g, return_index=True)
    return distinct, times[first]


def _spline(g: Floats, df: int, points: int) -> tuple[Floats, Floats, Floats]:
    """Return points (m,), an orthonormal basis at g (deaths, df) and the same at the points."""
    distinct = len(np.unique(g))
    if distinct < 3:
        return np.empty(0), np.empty((0, 0)), np.empty((0, 0))
    at = np.linspace(g.min(), g.max(), points)
    low, width = at[0], at[-1] - at[0]
    both = (np.append(at, g) - low) / width
    for size in range(min(df, distinct), 1, -1):
        knots = np.unique(np.append([0.0, 1.0], np.quantile(both, np.linspace(0, 1, size)[1:-1])))
        design = natural_cubic(both, knots)
        triangle: Floats = np.asarray(np.linalg.qr(design[points:])[1])
        diagonal = np.abs(np.diag(triangle))
        if diagonal.min() > NEARLY_DEPENDENT * diagonal.max():
            orthonormal: Floats = np.asarray(np.linalg.solve(triangle.T, design.T).T, np.float64)
            return at, orthonormal[points:], orthonormal[:points]
    return np.empty(0), np.empty((0, 0)), np.empty((0, 0))


def natural_cubic(x: Floats, knots: Floats) -> Floats:
    """Return a basis of the natural cubic splines: straight lines outside the outer knots.

    Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2nd ed., eq. 5.4-5.5.

    Parameters
    ----------
    x
        Shape (n,).
    knots
        Ascending, shape (k,), k >= 2; the basis has k columns.
    """

    def d(knot: float) -> Floats:
        cubes = np.clip(x - knot, 0, None) ** 3 - np.clip(x - knots[-1], 0, None) ** 3
        return np.asarray(cubes / (knots[-1] - knot))

    last = d(knots[-2]) if len(knots) > 2 else np.zeros(len(x))
    return np.column_stack([np.ones(len(x)), x, *(d(knot) - last for knot in knots[:-2])])
