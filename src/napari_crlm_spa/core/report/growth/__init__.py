"""The report of a growth-pattern study: readers, measurement, association, survival.

It is written as any study's (`core.report.cohort.write_cohort_report`); here stands what it shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_crlm_spa.core.report.cohort.form import Form


def growth_form() -> Form:
    """Return what the page of a growth-pattern study is."""
    from napari_crlm_spa.core.report.cohort.form import Form
    from napari_crlm_spa.core.report.growth.columns import GROWTH_COLUMNS
    from napari_crlm_spa.core.report.growth.methods import growth_methods
    from napari_crlm_spa.core.report.growth.sections import growth_sections
    from napari_crlm_spa.core.report.growth.summary import growth_summary
    from napari_crlm_spa.core.report.growth.words import FOOT
    from napari_crlm_spa.core.spatial.interface import RESEARCH_USE_ONLY

    return Form(
        title="Growth pattern at the tumor-liver interface: readers and measurement",
        disclaimer=RESEARCH_USE_ONLY,
        sections=growth_sections,
        summary=growth_summary,
        methods=growth_methods,
        columns=GROWTH_COLUMNS,
        foot=FOOT,
    )
