"""The report of a cohort: figures, tables and a methods paragraph on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_crlm_spa.core.on_demand import names_on_demand

if TYPE_CHECKING:
    from napari_crlm_spa.core.report.cohort.write import write_cohort_report

__all__ = ["write_cohort_report"]

# The command line reads the options of a report; that must not load matplotlib.
__getattr__ = names_on_demand(__name__, {"write_cohort_report": "write"})
