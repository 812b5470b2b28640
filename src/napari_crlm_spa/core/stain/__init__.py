"""Macenko's stain normalization: every tile looks as if one laboratory had stained it.

Hematoxylin and eosin are two directions in optical-density space. They are estimated for a
tile or for a slide (`estimate_tile`, `estimate_slide_matrix`) and exchanged for those of a
stored reference (`StainNormalizer`).

Source: Macenko et al., A method for normalizing histology slides for quantitative analysis,
IEEE International Symposium on Biomedical Imaging (ISBI) 2009, 1107-1110.
"""

from napari_crlm_spa.core.stain.estimate import estimate_slide_matrix, estimate_tile
from napari_crlm_spa.core.stain.matrix import REFERENCE, StainMatrix, StainOptions
from napari_crlm_spa.core.stain.normalize import StainNormalizer

__all__ = [
    "REFERENCE",
    "StainMatrix",
    "StainNormalizer",
    "StainOptions",
    "estimate_slide_matrix",
    "estimate_tile",
]
