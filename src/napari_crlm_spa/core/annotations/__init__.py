"""Areas that people draw, and labeled tiles that come of them.

`read_areas` and `write_areas` exchange areas with QuPath; `plan_labeled_tiles` and
`export_labeled_tiles` make tiles that a classifier can be trained on.
"""

from napari_crlm_spa.core.annotations.areas import Area, Areas
from napari_crlm_spa.core.annotations.class_names import is_excluding, is_label, known_name
from napari_crlm_spa.core.annotations.labeled_tiles import (
    Balance,
    ExportOptions,
    ExportResult,
    LabeledPlan,
    PlannedTile,
    ReviewedMap,
    SlideToExport,
    SplitOptions,
    divide_patients,
    export_labeled_tiles,
    plan_labeled_tiles,
    plan_slide,
    tiles_from_review,
)
from napari_crlm_spa.core.annotations.qupath import read_areas, write_areas

__all__ = [
    "Area",
    "Areas",
    "Balance",
    "ExportOptions",
    "ExportResult",
    "LabeledPlan",
    "PlannedTile",
    "ReviewedMap",
    "SlideToExport",
    "SplitOptions",
    "divide_patients",
    "export_labeled_tiles",
    "is_excluding",
    "is_label",
    "known_name",
    "plan_labeled_tiles",
    "plan_slide",
    "read_areas",
    "tiles_from_review",
    "write_areas",
]
