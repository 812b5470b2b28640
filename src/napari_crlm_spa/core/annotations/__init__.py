"""Areas that people draw, and labeled tiles that come of them.

`read_areas` and `write_areas` exchange areas with QuPath.
"""

from napari_crlm_spa.core.annotations.areas import Area, Areas
from napari_crlm_spa.core.annotations.class_names import is_excluding, is_label, known_name
from napari_crlm_spa.core.annotations.qupath import read_areas, write_areas

__all__ = [
    "Area",
    "Areas",
    "is_excluding",
    "is_label",
    "known_name",
    "read_areas",
    "write_areas",
]
