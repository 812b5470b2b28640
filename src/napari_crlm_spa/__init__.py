"""Tissue maps, spatial organization features and risk of colorectal liver metastasis.

The public names are loaded on first use, so importing the package costs next to nothing:

>>> import napari_crlm_spa as spa
>>> with spa.open_slide("slide.svs") as slide:  # doctest: +SKIP
...     print(slide.info.pixel_size)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_crlm_spa.core.on_demand import names_on_demand
from napari_crlm_spa.errors import CrlmSpaError

if TYPE_CHECKING:
    from napari_crlm_spa.core.classes import CRC9, CRLM7, ClassScheme
    from napari_crlm_spa.core.pipeline import (
        Analysis,
        AnalysisOptions,
        analyze_slide,
        analyze_to_end,
    )
    from napari_crlm_spa.core.risk import assess_risk, load_risk_model
    from napari_crlm_spa.core.slide import Slide, open_slide
    from napari_crlm_spa.core.spatial import spatial_features
    from napari_crlm_spa.core.store import load_analysis
    from napari_crlm_spa.core.tissue_map import TissueMap

__version__ = "0.1.0"

_WHERE = {
    "Analysis": "core.pipeline",
    "AnalysisOptions": "core.pipeline",
    "CRC9": "core.classes",
    "CRLM7": "core.classes",
    "ClassScheme": "core.classes",
    "Slide": "core.slide",
    "TissueMap": "core.tissue_map",
    "analyze_slide": "core.pipeline",
    "analyze_to_end": "core.pipeline",
    "assess_risk": "core.risk",
    "load_analysis": "core.store",
    "load_risk_model": "core.risk",
    "open_slide": "core.slide",
    "spatial_features": "core.spatial",
}

__all__ = [
    "CRC9",
    "CRLM7",
    "Analysis",
    "AnalysisOptions",
    "ClassScheme",
    "CrlmSpaError",
    "Slide",
    "TissueMap",
    "__version__",
    "analyze_slide",
    "analyze_to_end",
    "assess_risk",
    "load_analysis",
    "load_risk_model",
    "open_slide",
    "spatial_features",
]


__getattr__ = names_on_demand(__name__, _WHERE)


def __dir__() -> list[str]:
    return __all__
