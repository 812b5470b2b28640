"""Cohorts for tests of whole studies: R's pbc patients, and drawn ones."""

from __future__ import annotations

from functools import cache

from napari_crlm_spa._tests.r_reference import reference_table
from napari_crlm_spa.core.cohort.simulate import SimulateOptions, simulate_cohort
from napari_crlm_spa.core.cohort.study.fit import FitOptions, fit_cohort
from napari_crlm_spa.core.cohort.table import Cohort

#: Markers of the reference, as its script names them.
MARKERS = (
    *("bili", "albumin", "chol", "copper", "alkphos"),
    *("ast", "trig", "platelet", "protime", "age"),
)


def finished(work):
    """Drive slow work to its end and return its result."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def pbc_cohort(days_in_a_month=1.0):
    """Return R's 276 complete pbc patients as a cohort; times in days unless told otherwise."""
    table = reference_table("pbc276.csv")
    frame = table[[*MARKERS]].astype(float)
    frame.insert(0, "patient", table["id"].astype(str))
    frame["os.time"] = table["time"] / days_in_a_month
    frame["os.event"] = table["status"].astype(float)
    return Cohort("pbc", frame)


def drawn_cohort(**options):
    """Return a simulated cohort."""
    return simulate_cohort(SimulateOptions(**options)).cohort()


@cache
def drawn_study():
    """Return a cohort and its study with all defaults, computed once."""
    cohort = drawn_cohort(seed=3)
    return cohort, finished(fit_cohort(cohort, FitOptions()))
