"""The report of a cohort: figures, tables and a methods paragraph on one page."""
