"""The tile grid: fixed in micrometers, restricted to tissue and to regions of interest.

`plan_tiles` lays it out, `overlapping_grid` one whose tiles overlap, `read_tile` reads a tile,
`blank_fraction` applies the paper's rule, `read_regions` reads polygons that QuPath exported.
"""

from napari_crlm_spa.core.tiles.grid import TileGrid, TileScores, TileState
from napari_crlm_spa.core.tiles.options import TilingOptions
from napari_crlm_spa.core.tiles.overlapping import OverlappingGrid, overlapping_grid
from napari_crlm_spa.core.tiles.plan import edges_px, lay_grid, plan_tiles, read_tile
from napari_crlm_spa.core.tiles.region_file import read_regions
from napari_crlm_spa.core.tiles.regions import RegionsOfInterest, covered_share
from napari_crlm_spa.core.tiles.tissue import blank_fraction

__all__ = [
    "OverlappingGrid",
    "RegionsOfInterest",
    "TileGrid",
    "TileScores",
    "TileState",
    "TilingOptions",
    "blank_fraction",
    "covered_share",
    "edges_px",
    "lay_grid",
    "overlapping_grid",
    "plan_tiles",
    "read_regions",
    "read_tile",
]
