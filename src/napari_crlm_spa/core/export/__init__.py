"""Tiles for other programs: tables, AnnData, SpatialData.

What QuPath opens stands in `napari_crlm_spa.core.geojson`.
"""

from napari_crlm_spa.core.export.annotated import (
    SlideRecord,
    export_anndata,
    export_spatialdata,
    tiles_as_anndata,
)
from napari_crlm_spa.core.export.table import export_tile_table, tile_frame

__all__ = [
    "SlideRecord",
    "export_anndata",
    "export_spatialdata",
    "export_tile_table",
    "tile_frame",
    "tiles_as_anndata",
]
