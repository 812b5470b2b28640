"""The report of a cohort: figures, tables and a methods paragraph on one page."""

from napari_crlm_spa.core.report.cohort.write import write_cohort_report

__all__ = ["write_cohort_report"]
