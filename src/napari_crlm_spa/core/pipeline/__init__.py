"""The main job: from a slide file to tissue map, spatial features and risk.

`analyze_slide` chains the steps and yields `Progress`; its return value is an `Analysis`.
"""

from napari_crlm_spa.core.pipeline.ahead import Ahead
from napari_crlm_spa.core.pipeline.options import Analysis, AnalysisOptions
from napari_crlm_spa.core.pipeline.reopen import reopen, reopen_folder
from napari_crlm_spa.core.pipeline.run import analyze_slide, analyze_to_end

__all__ = [
    "Ahead",
    "Analysis",
    "AnalysisOptions",
    "analyze_slide",
    "analyze_to_end",
    "reopen",
    "reopen_folder",
]
