"""How the tumor-liver interface is found and coded.

Only three things here are evidence: the pattern is scored as a share of the interface's length,
one-hundred per cent desmoplastic is a group of its own, and lesions without living tumor don't
count. Every number below is a heuristic of ours and says so; `sensitivity` shows what it does.
"""

from __future__ import annotations

from dataclasses import dataclass

from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.spatial.interaction import DENOMINATORS

CLEANING = ("auto", "despeckle", "smooth", "none")
#: Side of the tiles of the paper (224 px at 0.5 um/px), in which its smallest tumor is counted.
PAPER_TILE_UM = 112.0
_OURS = " (a heuristic of ours)"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceOptions(Options):
    """How the tumor-liver interface is found and coded."""

    cleaning: str = option(
        "auto",
        "How stray tiles are removed: by their neighbors (despeckle), by smoothing the "
        "probabilities, or auto: smooth where there are probabilities" + _OURS,
        choices=CLEANING,
        label="Remove stray tiles",
    )
    despeckle_passes: int = option(
        2, "How often stray tiles are looked for" + _OURS, min=1, max=10, advanced=True
    )
    despeckle_neighbors: int = option(
        2,
        "A tile with fewer of its 8 neighbors in its own class is stray" + _OURS,
        min=1,
        max=8,
        unit="tiles",
        advanced=True,
    )
    smoothing_tiles: float = option(
        0.75,
        "Width (sigma) of the smoothing of probabilities" + _OURS,
        min=0.1,
        max=5.0,
        unit="tiles",
        advanced=True,
    )
    closing_um: float = option(
        250.0,
        "Gaps up to twice as wide inside a lesion belong to it" + _OURS,
        min=0.0,
        max=2000.0,
        unit="µm",
        label="Close gaps of a lesion",
    )
    min_tumor_tiles: int = option(
        50,
        "A lesion with less living tumor than so many tiles of 112 µm is left out (50 is the "
        "paper's limit for a slide; using it for a lesion is a heuristic of ours)",
        min=1,
        max=100_000,
        unit="tiles",
        label="Smallest lesion",
    )
    min_liver_mm2: float = option(
        0.25,
        "Smaller patches of liver are not taken for liver" + _OURS,
        min=0.0,
        max=100.0,
        unit="mm²",
        advanced=True,
    )
    fill_liver_mm2: float = option(
        0.2,
        "Smaller holes in the liver are portal fields and veins, hence liver" + _OURS,
        min=0.0,
        max=100.0,
        unit="mm²",
        advanced=True,
    )
    contact_tiles: float = option(
        0.75,
        "Tumor and liver touch if what lies between is thinner than this" + _OURS,
        min=0.1,
        max=5.0,
        unit="tiles",
        label="Contact up to",
    )
    count_inward: bool = option(
        True,
        "What lies between the outline and the nearest living tumor is part of the gap: capsule "
        "that the closing swallowed, mucus or debris at the edge" + _OURS,
        advanced=True,
        label="Look inward as well",
    )
    rim_share: float = option(
        0.5,
        "A rim is what is stroma or lymphocytes for at least this share of the way" + _OURS,
        min=0.05,
        max=1.0,
        advanced=True,
    )
    max_liver_um: float = option(
        2000.0,
        "Where the liver is farther off, the interface cannot be judged" + _OURS,
        min=100.0,
        max=20_000.0,
        unit="µm",
        advanced=True,
    )
    max_blocked_share: float = option(
        0.25,
        "Nor where more of the way to the liver leads off the tissue or through the lesion" + _OURS,
        min=0.0,
        max=1.0,
        advanced=True,
    )
    max_tumor_depth_um: float = option(
        500.0,
        "Nor where living tumor lies deeper inside than this: a necrotic edge" + _OURS,
        min=0.0,
        max=20_000.0,
        unit="µm",
        advanced=True,
    )
    smooth_um: float = option(
        300.0,
        "Each point gets the commonest code within this length; shorter runs are merged" + _OURS,
        min=0.0,
        max=5000.0,
        unit="µm",
        label="Shortest run",
    )
    tolerant_pct: float = option(
        5.0,
        "The tolerant rule still calls D with so much that is not D (desmo-95 of the R pipelines; "
        "for tile maps a heuristic of ours)",
        min=0.0,
        max=50.0,
        unit="%",
        advanced=True,
    )
    min_assessable: float = option(
        0.2,
        "No call where a smaller share of the interface can be judged" + _OURS,
        min=0.0,
        max=1.0,
        label="Least assessable share",
    )
    min_interface_mm: float = option(
        5.0,
        "No call where less of the interface can be judged" + _OURS,
        min=0.0,
        max=1000.0,
        unit="mm",
        label="Shortest interface",
    )
    interaction_denominator: str = option(
        "tissue",
        "What the 3x3 shares of the interaction scores are relative to",
        choices=DENOMINATORS,
        advanced=True,
    )
