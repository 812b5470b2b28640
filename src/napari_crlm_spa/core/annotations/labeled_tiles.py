"""From areas and corrections to labeled tiles: what a panel and the command line need."""

from napari_crlm_spa.core.annotations.export import (
    BALANCE,
    ExportResult,
    export_labeled_tiles,
)
from napari_crlm_spa.core.annotations.manifest import MANIFEST
from napari_crlm_spa.core.annotations.options import ExportOptions, SplitOptions
from napari_crlm_spa.core.annotations.patients import Balance, divide_patients
from napari_crlm_spa.core.annotations.slides import SlideToExport, plan_slide
from napari_crlm_spa.core.annotations.tile_plan import (
    LabeledPlan,
    PlannedTile,
    ReviewedMap,
    plan_labeled_tiles,
    tiles_from_review,
)

__all__ = [
    "BALANCE",
    "MANIFEST",
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
    "plan_labeled_tiles",
    "plan_slide",
    "tiles_from_review",
]
