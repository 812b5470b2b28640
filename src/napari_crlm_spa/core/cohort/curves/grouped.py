"""All tables of survival by groups: curves, numbers at risk, medians, 5-year survival, tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_crlm_spa.core.cohort.cox.hazard_ratio import HazardRatio, hazard_ratio
from napari_crlm_spa.core.cohort.curves.groupings import Grouping
from napari_crlm_spa.core.cohort.curves.kaplan_meier import Interval, KaplanMeier, kaplan_meier
from napari_crlm_spa.core.cohort.curves.logrank import logrank, pairwise_logrank
from napari_crlm_spa.core.cohort.survival import Floats, Survival
from napari_crlm_spa.core.options import Options, option

if TYPE_CHECKING:
    import pandas as pd

FIVE_YEARS_MONTHS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveOptions(Options):
    """How survival curves are drawn and told."""

    interval: str = option(
        "log",
        "Scale of the 95 % interval of a survival curve and its median; log is R's default",
        choices=("log", "log-log", "plain"),
        label="Interval",
    )
    risk_step_months: float = option(
        12.0,
        "Distance of the times at which patients at risk are counted",
        min=0.5,
        max=120.0,
        unit="months",
        label="Numbers at risk every",
    )


@dataclass(frozen=True, slots=True, eq=False)
class CurveTables:
    """Tables of survival by groups, one below the other for several groupings.

    Parameters
    ----------
    km
        grouping, group, time_months, n_risk, n_event, n_censor, survival, std_err, lower95,
        upper95; the first row of a group is time 0 with survival 1.
    risk_table
        grouping, group, time_months, n_risk.
    groups
        grouping, group, n, events, median_months, median_lower95, median_upper95, survival_5y,
        survival_5y_lower95, survival_5y_upper95.
    logrank
        grouping, strata, groups (count), chisq, df, p, hr, hr_lower95, hr_upper95; the hazard
        ratio is that of the second of two groups against the first.
    logrank_pairwise
        grouping, group_a, group_b, chisq, p, p_fdr (within the grouping).
    warnings
        Sentences for the user.
    """

    km: pd.DataFrame
    risk_table: pd.DataFrame
    groups: pd.DataFrame
    logrank: pd.DataFrame
    logrank_pairwise: pd.DataFrame
    warnings: tuple[str, ...]


def curve_tables(
    survival: Survival,
    groupings: Sequence[Grouping],
    options: CurveOptions | None = None,
    *,
    strata: ArrayLike | None = None,
    strata_name: str = "",
) -> CurveTables:
    """Compute all tables of some groupings.

    Parameters
    ----------
    survival
        Follow-up in months.
    groupings
        Each with a group, or none, for every patient.
    options
        Interval and times.
    strata
        A label per patient: log-rank tests and hazard ratios within strata; the curves stay whole.
    strata_name
        What the strata are, for the table.
    """
    import pandas as pd

    chosen = options or CurveOptions()
    # Numbers at risk of all groups at the same times, so that figures line up.
    last = float(survival.time.max()) if len(survival) else 0.0
    step = chosen.risk_step_months
    times = np.arange(0.0, np.floor(last / step + 1e-9) + 1) * step
    parts = [_one(survival, each, chosen, times, strata, strata_name) for each in groupings]

    def stacked(name: str) -> pd.DataFrame:
        frames = [getattr(part, name) for part in parts]
        filled = [frame for frame in frames if len(frame)] or frames[:1]
        return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()

    return CurveTables(
        km=stacked("km"),
        risk_table=stacked("risk_table"),
        groups=stacked("groups"),
        logrank=stacked("logrank"),
        logrank_pairwise=stacked("logrank_pairwise"),
        warnings=tuple(dict.fromkeys(text for part in parts for text in part.warnings)),
    )


def _one(
    survival: Survival,
    grouping: Grouping,
    options: CurveOptions,
    times: Floats,
    strata: ArrayLike | None,
    strata_name: str,
) -> CurveTables:
    import pandas as pd

    # Times that differ by rounding are made equal over all groups, as R does, not within each.
    joined = survival.joined()
    curves = {
        level: kaplan_meier(
            joined.take(grouping.groups == level), interval=cast("Interval", options.interval)
        )
        for level in grouping.levels
    }
    km, at_risk = [], []
    for level, curve in curves.items():
        named = {"grouping": grouping.name, "group": level}
        km.append(_named(curve.frame().rename(columns={"time": "time_months"}), named))
        counts = pd.DataFrame({"time_months": times, "n_risk": curve.steps.n_risk_at(times)})
        at_risk.append(_named(counts, named))
    groups = pd.DataFrame([_told(grouping.name, level, c) for level, c in curves.items()])
    test, warnings = _test(survival, grouping, strata, strata_name)
    pairs = (
        pairwise_logrank(survival, grouping.groups, levels=grouping.levels, strata=strata)
        if len(grouping.levels) > 2
        else pd.DataFrame(columns=["group_a", "group_b", "chisq", "p", "p_fdr"])
    )
    return CurveTables(
        km=pd.concat(km, ignore_index=True),
        risk_table=pd.concat(at_risk, ignore_index=True),
        groups=groups,
        logrank=test,
        logrank_pairwise=_named(pairs, {"grouping": grouping.name}),
        warnings=warnings,
    )


def _told(name: str, level: str, curve: KaplanMeier) -> dict[str, object]:
    median = curve.quantile(0.5)
    row = curve.at(FIVE_YEARS_MONTHS).iloc[0]
    # R carries the last value on; a report must not tell 5-year survival of whom nobody saw.
    seen = curve.n > 0 and (curve.last >= FIVE_YEARS_MONTHS or curve.survival[-1] == 0)
    return {
        "grouping": name,
        "group": level,
        "n": curve.n,
        "events": curve.n_events,
        "median_months": median.value,
        "median_lower95": median.lower,
        "median_upper95": median.upper,
        "survival_5y": row["survival"] if seen else np.nan,
        "survival_5y_lower95": row["lower95"] if seen else np.nan,
        "survival_5y_upper95": row["upper95"] if seen else np.nan,
    }


def _test(
    survival: Survival, grouping: Grouping, strata: ArrayLike | None, strata_name: str
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    import pandas as pd

    columns = [
        *("grouping", "strata", "groups", "chisq", "df", "p"),
        *("hr", "hr_lower95", "hr_upper95"),
    ]
    if len(grouping.levels) < 2:
        return pd.DataFrame(columns=columns), grouping.warnings
    test = logrank(survival, grouping.groups, levels=grouping.levels, strata=strata)
    ratio = HazardRatio()
    if len(grouping.levels) == 2:
        known = _in_a_stratum(grouping, strata)
        blocks = None if strata is None else np.asarray(strata, object)[known]
        second = grouping.groups[known] == grouping.levels[1]
        ratio = hazard_ratio(survival.joined().take(known), second, strata=blocks)
    values = (grouping.name, strata_name, len(grouping.levels), test.chisq, test.df, test.p)
    row = (*values, ratio.hr, ratio.hr_lower95, ratio.hr_upper95)
    sentences = [f"{grouping.title}: {text}" for text in (test.warning or ratio.warning,) if text]
    if grouping.n_unknown:
        sentences.append(
            f"{grouping.title}: the group of {grouping.n_unknown} of "
            f"{len(survival) - grouping.n_outside} patients is unknown; they are in no curve."
        )
    return pd.DataFrame([row], columns=columns), (*grouping.warnings, *sentences)


def _in_a_stratum(grouping: Grouping, strata: ArrayLike | None) -> NDArray[np.bool_]:
    import pandas as pd

    known = grouping.known.copy()
    if strata is not None:
        known &= np.array([not pd.isna(x) and x != "" for x in np.asarray(strata, object)], bool)
    return known


def _named(frame: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    for place, (name, value) in enumerate(columns.items()):
        frame.insert(place, name, value)
    return frame
