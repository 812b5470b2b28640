"""How a slide is cut into tiles."""

from __future__ import annotations

from dataclasses import dataclass

from napari_crlm_spa.core.options import Options, option


@dataclass(frozen=True, slots=True, kw_only=True)
class TilingOptions(Options):
    """How a slide is cut into tiles, and which of them are kept.

    Size, resolution and `blank_max` are the paper's (224 px at 20x, more than half blank is
    removed). What makes a pixel blank, and everything else here, is our assumption.
    """

    tile_px: int = option(
        224, "Side of a tile", min=32, max=1024, unit="px", advanced=True, label="Tile side"
    )
    mpp: float = option(
        0.5,
        "Resolution of the tiles (20x = 0.5)",
        min=0.1,
        max=4.0,
        unit="µm/px",
        advanced=True,
        label="Tile resolution",
    )
    blank_max: float = option(
        0.5,
        "A tile with more blank than this is removed (the paper's rule)",
        min=0.0,
        max=1.0,
        label="Largest blank share",
    )
    blank_brightness: int = option(
        225,
        "A pixel is blank if even its darkest channel is at least this bright, and gray",
        min=0,
        max=255,
        unit="gray levels",
        advanced=True,
        label="Blank is at least",
    )
    blank_color_max: int = option(
        10,
        "A pixel whose channels differ by more than this is colored, so never blank: pale "
        "mucus stays",
        min=0,
        max=255,
        unit="gray levels",
        advanced=True,
        label="Blank differs at most",
    )
    mask_mpp: float = option(
        8.0,
        "Resolution of the tissue mask on which glass is skipped",
        min=0.5,
        max=64.0,
        unit="µm/px",
        advanced=True,
        label="Tissue search at",
    )
    glass_tissue_max: float = option(
        0.05,
        "A tile with at most this share of tissue on the mask is glass and never read",
        min=0.0,
        max=1.0,
        advanced=True,
        label="Most tissue on glass",
    )
    enlarge_max: float = option(
        0.2,
        "How much coarser than the tiles a slide may be; beyond it is refused",
        min=0.0,
        max=4.0,
        advanced=True,
        label="Most enlargement",
    )
    region_rule: str = option(
        "center",
        "Which tiles belong to a region: center inside, most of it, whole tile, or any part",
        choices=("center", "most", "whole", "any"),
        label="Tiles of a region",
    )

    @property
    def stride_um(self) -> float:
        """Side of a tile, and distance to its neighbor, in micrometers (112 by default)."""
        return self.tile_px * self.mpp
