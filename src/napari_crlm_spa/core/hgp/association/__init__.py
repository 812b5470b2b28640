"""How a measurement goes with the reviewed growth pattern, and with survival beyond it."""

from napari_crlm_spa.core.hgp.association.auc import Auc, RocPoints, delong
from napari_crlm_spa.core.hgp.association.bootstrap import Interval, clustered_bootstrap
from napari_crlm_spa.core.hgp.association.calibration import calibration_line, calibration_table
from napari_crlm_spa.core.hgp.association.correlation import (
    Correlation,
    partial_spearman,
    spearman,
)
from napari_crlm_spa.core.hgp.association.extremes import Extremes, extreme_groups
from napari_crlm_spa.core.hgp.association.outcome import Outcome, added_to_review

__all__ = [
    "Auc",
    "Correlation",
    "Extremes",
    "Interval",
    "Outcome",
    "RocPoints",
    "added_to_review",
    "calibration_line",
    "calibration_table",
    "clustered_bootstrap",
    "delong",
    "extreme_groups",
    "partial_spearman",
    "spearman",
]
