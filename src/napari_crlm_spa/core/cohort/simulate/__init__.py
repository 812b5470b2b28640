"""A simulated cohort with a known truth: sample data, and what tests recover."""

from napari_crlm_spa.core.cohort.simulate.draw import SimulatedCohort, simulate_cohort
from napari_crlm_spa.core.cohort.simulate.options import SimulateOptions
from napari_crlm_spa.core.cohort.simulate.truth import SIMULATED, Truth

__all__ = ["SIMULATED", "SimulateOptions", "SimulatedCohort", "Truth", "simulate_cohort"]
