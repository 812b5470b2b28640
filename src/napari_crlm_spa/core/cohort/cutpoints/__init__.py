"""Where features are split: maximally selected rank statistics, their p values, stability."""

from napari_crlm_spa.core.cohort.cutpoints.dichotomize import (
    Cutpoint,
    CutpointOptions,
    Dichotomizer,
    SharedPatients,
    fit_dichotomizer,
)
from napari_crlm_spa.core.cohort.cutpoints.optimism import (
    CutpointOptimism,
    OptimismOptions,
    cutpoint_optimism,
)
from napari_crlm_spa.core.cohort.cutpoints.stability import (
    CutpointStability,
    StabilityOptions,
    bootstrap_cutpoints,
)

__all__ = [
    "Cutpoint",
    "CutpointOptimism",
    "CutpointOptions",
    "CutpointStability",
    "Dichotomizer",
    "OptimismOptions",
    "SharedPatients",
    "StabilityOptions",
    "bootstrap_cutpoints",
    "cutpoint_optimism",
    "fit_dichotomizer",
]
