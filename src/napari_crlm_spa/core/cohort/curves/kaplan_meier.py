"""Kaplan-Meier curves with the standard errors, intervals and quantiles that R prints.

lifelines estimates the curve. It has the log-log interval only, and other rules for quantiles;
what R's ``survfit`` adds is here (Kalbfleisch & Prentice 2002, section 1.4; Klein & Moeschberger
2003, sections 4.2-4.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from napari_crlm_spa.core.cohort.survival import Counts, Floats, Steps, Survival, survival_steps

if TYPE_CHECKING:
    import pandas as pd

Interval = Literal["log", "log-log", "plain"]
#: A curve this close to a level lies on it: the product of many fractions is rounded.
ON_LEVEL = float(np.sqrt(np.finfo(np.float64).eps))


@dataclass(frozen=True, slots=True)
class Quantile:
    """A time and its confidence limits; NaN: the curve, or its limit, does not fall that far."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, eq=False)
class KaplanMeier:
    """A survival curve: its value after each time of follow-up, ascending; arrays (times,).

    Parameters
    ----------
    steps
        Times with the patients at risk, deaths and censored patients.
    survival
        S(t), deaths at t counted.
    std_err
        Greenwood's standard error of S; NaN where S is 0.
    lower, upper
        Limits of the pointwise interval; NaN where S is 0, and for log-log also where S is 1.
    interval
        The scale on which the interval is symmetric.
    level
        Its level.
    n, n_events
        Patients and deaths.
    """

    steps: Steps
    survival: Floats
    std_err: Floats
    lower: Floats
    upper: Floats
    interval: Interval
    level: float
    n: int
    n_events: int

    @property
    def time(self) -> Floats:
        """Times of follow-up, in the unit they came in."""
        return self.steps.time

    @property
    def n_risk(self) -> Counts:
        """Patients at risk just before each time."""
        return self.steps.n_risk

    @property
    def last(self) -> float:
        """The longest follow-up; NaN of nobody."""
        return float(self.time[-1]) if len(self.time) else np.nan

    def at(self, times: ArrayLike) -> pd.DataFrame:
        """Read the curve at some times, as R's ``summary(fit, times=, extend=TRUE)``.

        After the last follow-up the last value is carried on, with nobody at risk.

        Returns
        -------
        DataFrame
            time, n_risk, survival, std_err, lower95, upper95 (of the curve's level).
        """
        import pandas as pd

        asked = np.atleast_1d(np.asarray(times, np.float64))
        place = np.searchsorted(self.time, asked, side="right")
        start = (1.0, 0.0, 1.0, 1.0) if self.n else (np.nan,) * 4
        columns = zip(
            ("survival", "std_err", "lower95", "upper95"),
            (self.survival, self.std_err, self.lower, self.upper),
            start,
            strict=True,
        )
        return pd.DataFrame(
            {"time": asked, "n_risk": self.steps.n_risk_at(asked)}
            | {name: np.concatenate([[first], rest])[place] for name, rest, first in columns}
        )

    def quantile(self, probability: float = 0.5) -> Quantile:
        """Return the time by which a share of the patients has died, as R's ``quantile``.

        The earliest time at which S is below ``1 - probability``. If S lies on that level for a
        while, the middle of that while; it ends with the follow-up if nobody dies afterwards. The
        limits are those of the lower and upper curve by the same rule.
        """
        curves = (self.survival, self.lower, self.upper)
        return Quantile(*(_first_below(self.time, curve, 1.0 - probability) for curve in curves))

    def frame(self) -> pd.DataFrame:
        """Return the curve with a first row at time 0, where everybody lives.

        Returns
        -------
        DataFrame
            time, n_risk, n_event, n_censor, survival, std_err, lower95, upper95.
        """
        import pandas as pd

        # Patients censored at time 0 belong to the first row; a death at 0 is a step of its own.
        steps = self.steps
        skip = int(self.n > 0 and steps.time[0] == 0 and steps.n_event[0] == 0)
        columns = {
            "time": (0.0, steps.time),
            "n_risk": (self.n, steps.n_risk),
            "n_event": (0, steps.n_event),
            "n_censor": (int(steps.n_censor[0]) if skip else 0, steps.n_censor),
            "survival": (1.0, self.survival),
            "std_err": (0.0, self.std_err),
            "lower95": (1.0, self.lower),
            "upper95": (1.0, self.upper),
        }
        first = slice(0, int(self.n > 0))  # no curve of nobody
        return pd.DataFrame(
            {
                name: np.concatenate([np.array([start])[first], rest[skip:]])
                for name, (start, rest) in columns.items()
            }
        )


def kaplan_meier(
    survival: Survival, *, interval: Interval = "log", level: float = 0.95
) -> KaplanMeier:
    """Estimate a survival curve, as R's ``survfit(Surv(time, event) ~ 1, conf.type=)``.

    Parameters
    ----------
    survival
        Follow-up of n patients, in any unit; n may be 0.
    interval
        ``"log"`` is R's default; ``"log-log"`` stays within 0 and 1 by itself.
    level
        Of the pointwise interval.
    """
    steps = survival_steps(survival)
    estimate = _estimate(survival, steps)
    with np.errstate(invalid="ignore"):
        spread = np.sqrt(steps.greenwood)
        std_err = estimate * spread  # 0 * inf: unknown where nobody is left
    lower, upper = limits(estimate, spread, interval=interval, level=level)
    return KaplanMeier(
        steps,
        estimate,
        std_err,
        lower,
        upper,
        interval,
        level,
        len(survival),
        survival.n_events,
    )


def limits(
    survival: Floats, log_std_err: Floats, *, interval: Interval, level: float
) -> tuple[Floats, Floats]:
    """Return pointwise limits of S from the standard error of log S; NaN where S is 0.

    plain: ``S -+ z se S``; log: ``S exp(-+ z se)``; log-log: ``S^exp(-+ z se / log S)``, with z the
    normal quantile; cut at 0 and 1.
    """
    from scipy.stats import norm

    z = float(norm.ppf(0.5 + level / 2))
    s = np.where(survival > 0, survival, np.nan)
    if interval == "plain":
        half = z * log_std_err * s
        return np.maximum(s - half, 0.0), np.minimum(s + half, 1.0)
    if interval == "log":
        return s * np.exp(-z * log_std_err), np.minimum(s * np.exp(z * log_std_err), 1.0)
    s = np.where(s < 1, s, np.nan)
    shift = z * log_std_err / np.log(s)  # below 0: log S is
    return s ** np.exp(-shift), s ** np.exp(shift)


def _estimate(survival: Survival, steps: Steps) -> Floats:
    if not len(survival):
        return np.empty(0)
    from lifelines import KaplanMeierFitter

    joined = survival.joined()
    curve = KaplanMeierFitter().fit(joined.time, joined.event).survival_function_.iloc[:, 0]
    # lifelines begins with a row at time 0, whether or not somebody's follow-up ends there.
    return np.asarray(curve.to_numpy()[len(curve) - len(steps.time) :], np.float64)


def _first_below(time: Floats, curve: Floats, level: float) -> float:
    below = np.flatnonzero(curve < level + ON_LEVEL)  # NaN is not below
    if not len(below):
        return float("nan")
    first = below[0]
    if curve[first] < level - ON_LEVEL:
        return float(time[first])
    later = below[curve[below] < level - ON_LEVEL]
    return float(time[first] + time[later[0] if len(later) else -1]) / 2
