"""Drawing areas, exporting labeled tiles, retraining the classifier."""

from napari_crlm_spa.plugin.widgets.annotate.tab import AnnotateTab

__all__ = ["AnnotateTab"]
