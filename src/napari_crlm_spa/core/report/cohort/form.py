"""What a page is, by the kind of its study: title, sections, methods, what it says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from napari_crlm_spa.core.report.cohort.columns import COLUMNS, Column
from napari_crlm_spa.core.report.cohort.contents import Section, Tables
from napari_crlm_spa.core.report.cohort.methods import Methods, methods
from napari_crlm_spa.core.report.cohort.sections import all_sections
from napari_crlm_spa.core.report.cohort.summary import summary
from napari_crlm_spa.core.risk import RESEARCH_USE_ONLY

_TITLES = {
    "fit": "Survival analysis of a cohort",
    "validate": "External validation of a risk model",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What the page of a study is.

    Parameters
    ----------
    title
        Below the study's name.
    disclaimer
        At the top, and in every section that shows risks or estimates.
    sections, summary, methods
        Make what stands on it: sections in order; number and words in large letters; methods.
    columns
        How tables are shown, by name.
    foot
        Stands below every figure, so that it is there when the figure travels alone.
    """

    title: str = "A cohort"
    disclaimer: str = RESEARCH_USE_ONLY
    sections: Callable[[Tables], list[Section]] = all_sections
    summary: Callable[[Tables], list[tuple[str, str]]] = summary
    methods: Callable[[Tables], Methods] = methods
    columns: Mapping[str, tuple[Column, ...]] = field(default_factory=lambda: COLUMNS)
    foot: str = ""


def form_of(kind: str) -> Form:
    """Return what the page of a kind of study is."""
    if kind == "hgp":
        from napari_crlm_spa.core.report.growth import growth_form

        return growth_form()
    return Form(title=_TITLES.get(kind, "A cohort"))
