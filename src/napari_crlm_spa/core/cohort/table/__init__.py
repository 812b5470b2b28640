"""From analysis folders and a clinical table to one checked row per patient."""

from napari_crlm_spa.core.cohort.table.cohort import build_cohort, read_cohort, write_cohort
from napari_crlm_spa.core.cohort.table.contents import (
    LEFT_OUT,
    USED,
    Cohort,
    FlowStep,
    Problem,
    flow_frame,
    problems_frame,
)
from napari_crlm_spa.core.cohort.table.filters import FilterOptions, apply_filters
from napari_crlm_spa.core.cohort.table.folder import (
    COHORT_CSV,
    COHORT_JSON,
    FLOW_CSV,
    PROBLEMS_CSV,
    SLIDES_CSV,
)
from napari_crlm_spa.core.cohort.table.options import BuildOptions

__all__ = [
    "COHORT_CSV",
    "COHORT_JSON",
    "FLOW_CSV",
    "LEFT_OUT",
    "PROBLEMS_CSV",
    "SLIDES_CSV",
    "USED",
    "BuildOptions",
    "Cohort",
    "FilterOptions",
    "FlowStep",
    "Problem",
    "apply_filters",
    "build_cohort",
    "flow_frame",
    "problems_frame",
    "read_cohort",
    "write_cohort",
]
