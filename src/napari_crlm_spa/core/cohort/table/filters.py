"""The paper's filters: ten years of follow-up, and event codes that mean neither died nor alive.

The authors delete patients beyond 120 months (``os.time >= 120`` in one script, ``> 120`` in
others) and with event codes 2, 3 or 4. Deleting by how long somebody lived removes the longest
survivors from the estimate, so the default here censors them at the limit instead.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.table.contents import Cohort, FlowStep
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.errors import CohortError

EVENT_CODES_HELP = (
    "Patients whose event is neither 1 (died) nor 0 (censored): an error, or deleted as the "
    "authors did"
)
#: A column with more codes than these is hardly one of events; the others are counted.
CODES_TOLD = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterOptions(Options):
    """Which follow-up enters the analysis."""

    limit_months: float = option(
        120.0,
        "Follow-up beyond this is cut (the paper: ten years); 0: no limit",
        min=0.0,
        max=1200.0,
        unit="months",
        label="Follow-up limit",
    )
    beyond: str = option(
        "censor",
        "Patients beyond the limit: censored at it, deleted as the authors did (which biases, "
        "since it goes by the outcome), or kept as they are",
        choices=("censor", "delete", "keep"),
        label="Beyond the limit",
    )
    limit_includes: bool = option(
        False,
        "Whether follow-up of exactly the limit counts as beyond it (one of the authors' scripts)",
        label="Limit included",
        advanced=True,
    )
    event_codes: str = option(
        "error",
        EVENT_CODES_HELP,
        choices=("error", "delete"),
        label="Other event codes",
        advanced=True,
    )


def apply_filters(cohort: Cohort, options: FilterOptions | None = None) -> Cohort:
    """Cut follow-up as the options say; every exclusion is a step of the flow.

    Parameters
    ----------
    cohort
        The cohort; it stays as it is.
    options
        What is cut, and how.

    Returns
    -------
    Cohort
        Censored patients keep their place: ``event[time > limit] = 0; time[time > limit] = limit``.

    Raises
    ------
    CohortError
        If there are other event codes and they are to be an error, or nobody is left.
    """
    options = options or FilterOptions()
    found = _other_events(cohort, options)
    if options.limit_months and options.beyond != "keep":
        found = _limit(found, options)
    if len(cohort) and not len(found):
        raise CohortError(
            f"No patient of {cohort.name} is left within {options.limit_months:g} months. Raise "
            "--limit-months (0: no limit), or check that the follow-up is in months."
        )
    return replace(found, record={**found.record, "filters": options.as_dict()})


def describe_codes(values: NDArray[Any]) -> str:
    """Say which codes there are and how many of each, e.g. ``2 (3 patients), 4 (1 patient)``."""
    counts = Counter(f"{value:g}" if isinstance(value, float) else str(value) for value in values)
    told = [f"{code} ({people(n)})" for code, n in sorted(counts.items())]
    more = [f"{len(told) - CODES_TOLD} others"] if len(told) > CODES_TOLD + 1 else []
    return ", ".join(told[: CODES_TOLD if more else None] + more)


def people(n: int) -> str:
    """Write a number of patients."""
    return f"{n:,} patient{'' if n == 1 else 's'}"


def _other_events(cohort: Cohort, options: FilterOptions) -> Cohort:
    events = cohort.patients[cohort.event].to_numpy(np.float64)
    other = ~np.isin(events, (0.0, 1.0))
    if not other.any():
        return cohort
    codes = describe_codes(events[other])
    if options.event_codes == "error":
        raise CohortError(
            f"{cohort.event} of {cohort.name} holds codes other than 0 and 1: {codes}. Name "
            "another column (--event), recode them, say what means died (--died 2), or delete "
            "these patients as the authors did (--event-codes delete)."
        )
    reason = f"{cohort.event} is {codes}: deleted, as the authors did"
    return cohort.take(~other, "other event codes", reason)


def _limit(cohort: Cohort, options: FilterOptions) -> Cohort:
    limit = options.limit_months
    times = cohort.patients[cohort.time].to_numpy(np.float64)
    beyond = times >= limit if options.limit_includes else times > limit
    if not beyond.any():
        return cohort
    words = f"{'at or ' if options.limit_includes else ''}beyond {limit:g} months"
    if options.beyond == "delete":
        return cohort.take(~beyond, f"follow-up {words}", f"{people(int(beyond.sum()))} deleted")
    events = cohort.patients[cohort.event].to_numpy(np.float64)
    died = int((beyond & (events == 1)).sum())
    deaths = f"{died} {'death is' if died == 1 else 'deaths are'}"
    reason = f"{people(int(beyond.sum()))} censored at {limit:g} months; {deaths} not counted"
    patients = cohort.patients.assign(
        **{
            cohort.time: np.where(beyond, limit, times),
            cohort.event: np.where(beyond, 0.0, events),
        }
    )
    step = FlowStep(f"follow-up {words}", "patients", len(patients), len(patients), reason)
    return replace(cohort, patients=patients, flow=(*cohort.flow, step))
