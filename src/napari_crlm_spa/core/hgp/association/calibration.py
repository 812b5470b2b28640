"""Whether a measured share is the reviewed share: in groups, and as a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.hgp.agreement.proportion import wilson

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")


def calibration_table(
    measured: ArrayLike,
    reviewed: ArrayLike,
    desmoplastic: ArrayLike,
    groups: int,
    *,
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare measured and reviewed shares in groups of about equal size by the measured one.

    Parameters
    ----------
    measured, reviewed
        Desmoplastic share in percent, shape (n,); rows with a hole in either are left out.
    desmoplastic
        Reviewed call, 1 or 0, NaN if unknown.
    groups
        How many at most; equal measurements are never divided.

    Returns
    -------
    DataFrame
        ``group, n, measured_low, measured_high, measured_mean, reviewed_mean, reviewed_lower,
        reviewed_upper`` (Student's t), ``called, d, share_d, share_d_lower, share_d_upper``
        (Wilson).
    """
    import pandas as pd

    x, y, calls = (np.asarray(each, np.float64) for each in (measured, reviewed, desmoplastic))
    known = np.isfinite(x) & np.isfinite(y)
    x, y, calls = x[known], y[known], calls[known]
    rows = []
    for number, members in enumerate(_groups(x, groups), start=1):
        called = calls[members][np.isfinite(calls[members])]
        share = wilson(int(called.sum()), len(called), level=level)
        mean, lower, upper = _mean(y[members], level)
        rows.append(
            {
                "group": number,
                "n": len(members),
                "measured_low": float(x[members].min()),
                "measured_high": float(x[members].max()),
                "measured_mean": float(x[members].mean()),
                "reviewed_mean": mean,
                "reviewed_lower": lower,
                "reviewed_upper": upper,
                "called": len(called),
                "d": int(called.sum()),
                "share_d": share.value,
                "share_d_lower": share.lower,
                "share_d_upper": share.upper,
            }
        )
    return pd.DataFrame(rows)


def calibration_line(measured: Floats, reviewed: Floats) -> tuple[float, float]:
    """Return intercept and slope of the reviewed on the measured share; 0 and 1 are calibrated.

    Least squares; NaN where nothing varies. No holes.
    """
    if len(measured) < 3 or np.ptp(measured) == 0:
        return NAN, NAN
    centered = measured - measured.mean()
    slope = float(centered @ (reviewed - reviewed.mean()) / (centered @ centered))
    return float(reviewed.mean() - slope * measured.mean()), slope


def _groups(values: Floats, groups: int) -> list[NDArray[np.intp]]:
    """Divide by rank; equal values (all the 0 and 100 %) stay together."""
    from scipy.stats import rankdata

    place = np.ceil(rankdata(values) / max(1, len(values)) * groups)
    return [np.flatnonzero(place == at) for at in np.unique(place)]


def _mean(values: Floats, level: float) -> tuple[float, float, float]:
    from scipy.special import stdtrit

    n, mean = len(values), float(values.mean())
    if n < 2:
        return mean, NAN, NAN
    half = float(stdtrit(n - 1, (1 + level) / 2) * values.std(ddof=1) / np.sqrt(n))
    return mean, mean - half, mean + half
