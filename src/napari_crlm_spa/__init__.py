"""Tissue maps, spatial organization features and risk of colorectal liver metastasis.

The public names are loaded on first use, so importing the package costs next to nothing:

>>> import napari_crlm_spa as spa
>>> with spa.open_slide("slide.svs") as slide:  # doctest: +SKIP
...     print(slide.info.pixel_size)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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
    "Analysis": "pipeline",
    "AnalysisOptions": "pipeline",
    "CRC9": "classes",
    "CRLM7": "classes",
    "ClassScheme": "classes",
    "Slide": "slide",
    "TissueMap": "tissue_map",
    "analyze_slide": "pipeline",
    "analyze_to_end": "pipeline",
    "assess_risk": "risk",
    "load_analysis": "store",
    "load_risk_model": "risk",
    "open_slide": "slide",
    "spatial_features": "spatial",
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


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.core.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return __all__
