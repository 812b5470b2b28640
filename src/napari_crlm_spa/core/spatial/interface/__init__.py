"""The tumor-liver interface: where the tumor touches liver and where a rim lies between."""

from napari_crlm_spa.core.spatial.interface.calls import RULES, Call, calls, refusals
from napari_crlm_spa.core.spatial.interface.codes import InterfaceCode
from napari_crlm_spa.core.spatial.interface.detection import (
    DETECTION_LIMITS_UM,
    detection_limit_um,
    detection_words,
)
from napari_crlm_spa.core.spatial.interface.interface import Contour, Interface
from napari_crlm_spa.core.spatial.interface.measure import measure_interface
from napari_crlm_spa.core.spatial.interface.options import InterfaceOptions
from napari_crlm_spa.core.spatial.interface.patient import patient_summary, worst_of_patient
from napari_crlm_spa.core.spatial.interface.regularize import Run
from napari_crlm_spa.core.spatial.interface.sensitivity import sensitivity
from napari_crlm_spa.core.spatial.interface.summary import InterfaceSummary
from napari_crlm_spa.core.spatial.interface.words import RESEARCH_USE_ONLY

__all__ = [
    "DETECTION_LIMITS_UM",
    "RESEARCH_USE_ONLY",
    "RULES",
    "Call",
    "Contour",
    "Interface",
    "InterfaceCode",
    "InterfaceOptions",
    "InterfaceSummary",
    "Run",
    "calls",
    "detection_limit_um",
    "detection_words",
    "measure_interface",
    "patient_summary",
    "refusals",
    "sensitivity",
    "worst_of_patient",
]
