"""How long patients were followed: the reverse Kaplan-Meier method.

Schemper & Smith, Control Clin Trials 1996;17:343: with the parts of death and censoring exchanged,
the curve tells how long patients would have been followed had nobody died. As R's
``survfit(Surv(time, 1 - event) ~ 1)``; R's prodlim handles ties of deaths and censored patients
differently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_crlm_spa.core.cohort.curves.groupings import Grouping
from napari_crlm_spa.core.cohort.curves.kaplan_meier import Interval, kaplan_meier
from napari_crlm_spa.core.cohort.survival import Survival

if TYPE_CHECKING:
    import pandas as pd

METHOD = "reverse Kaplan-Meier"
#: What must stand beside the table.
NOTE = (
    "Median follow-up by the reverse Kaplan-Meier method with the 95 % confidence interval of the "
    "median, and the quartiles. The paper (Qi et al. 2023) calls its interval an interquartile "
    "range; its numbers are the confidence interval of the median."
)


def follow_up_table(
    survival: Survival, grouping: Grouping | None = None, *, interval: Interval = "log"
) -> pd.DataFrame:
    """Tell the follow-up of everybody, and of each group.

    Parameters
    ----------
    survival
        Follow-up in months.
    grouping
        Groups told below everybody.
    interval
        Of the median's limits.

    Returns
    -------
    DataFrame
        group, n, events (deaths), median_months, lower95, upper95, q1_months, q3_months, method.
        NaN where fewer than that share reached the end of their follow-up alive.
    """
    import pandas as pd

    parts = {"all": survival}
    for level in grouping.levels if grouping else ():
        assert grouping is not None
        parts[level] = survival.take(grouping.groups == level)
    rows = []
    for name, part in parts.items():
        curve = kaplan_meier(part.reversed(), interval=interval)
        median = curve.quantile(0.5)
        rows.append(
            {
                "group": name,
                "n": len(part),
                "events": part.n_events,
                "median_months": median.value,
                "lower95": median.lower,
                "upper95": median.upper,
                "q1_months": curve.quantile(0.25).value,
                "q3_months": curve.quantile(0.75).value,
                "method": METHOD,
            }
        )
    return pd.DataFrame(rows)
