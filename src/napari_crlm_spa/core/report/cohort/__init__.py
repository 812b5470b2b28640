"""The report of a cohort: figures, tables and a methods paragraph on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_crlm_spa.core.report.cohort.write import write_cohort_report

__all__ = ["write_cohort_report"]


def __getattr__(name: str) -> Any:
    # The command line reads the options of a report; that must not load matplotlib.
    if name == "write_cohort_report":
        from napari_crlm_spa.core.report.cohort import write

        return write.write_cohort_report
    raise AttributeError(name)
