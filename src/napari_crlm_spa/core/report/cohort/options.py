"""What may be chosen about the files of a cohort's report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_crlm_spa.core.options import Options, option


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortReportOptions(Options):
    """In which form figures are written beside the page."""

    figures: Literal["svg", "pdf", "png"] = option(
        "svg",
        "Also write the figures as PDF or PNG; SVG files are always written",
        choices=("svg", "pdf", "png"),
        label="Figure files",
    )
    dpi: int = option(300, "Resolution of PNG files", min=50, max=1200, unit="dots per inch")
