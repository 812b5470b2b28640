"""Quality marks on tiles: blur, pen, fold, air. Marks only; nothing is dropped because of them."""

from napari_crlm_spa.core.quality.marks import MARK_SENTENCES, QualityMark, TileQuality
from napari_crlm_spa.core.quality.options import QualityOptions
from napari_crlm_spa.core.quality.run import mark_quality

__all__ = ["MARK_SENTENCES", "QualityMark", "QualityOptions", "TileQuality", "mark_quality"]
