"""The slide-level sentinel: says if a slide looks unlike those that the classifier knows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_crlm_spa.core.classes import NOT_CLASSIFIED
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.tissue_map import TissueMap

#: So many tiles of known tissue lie beyond strangeness 1: that is how its unit is defined.
EXPECTED_SHARE = 0.05
ADVICE = (
    "Compare the map with the slide before you use features or risk: check pixel size, stain and "
    "focus, exclude what is no liver or tumor with regions of interest, or retrain the "
    "classifier on tiles of your own."
)
#: Stands alone in the panel, so it says what is not known.
UNKNOWN = "Whether this slide looks unlike the training slides is not known: "
NOTHING_CLASSIFIED = f"{UNKNOWN}no tile was classified."
NOTHING_TO_COMPARE = (
    f"{UNKNOWN}the classifier has no reference set to compare with, or one that does not suffice."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentinelOptions(Options):
    """When a slide is called unlike the training slides."""

    strange_max: float = option(
        0.25,
        "Warn if more than this share of the classified tiles looks unlike the training tiles "
        "(0.05 is expected)",
        min=0.0,
        max=1.0,
        advanced=True,
        label="Strange tiles",
    )


@dataclass(frozen=True, slots=True)
class Sentinel:
    """How much of a slide looks unlike the training slides.

    Parameters
    ----------
    tiles
        Classified tiles whose strangeness is known.
    strange
        Of these, the tiles with a strangeness above 1.
    strange_max
        Share of strange tiles above which it warns.
    classified
        Whether any tile was classified at all.
    """

    tiles: int
    strange: int
    strange_max: float
    classified: bool = True

    @property
    def share(self) -> float:
        """Share of strange tiles; nan where no strangeness is known."""
        return self.strange / self.tiles if self.tiles else math.nan

    @property
    def warns(self) -> bool:
        """Whether the slide looks unlike the training slides."""
        return self.share > self.strange_max

    @property
    def measured(self) -> str:
        """How much of the slide looks strange, and how much is usual, in words."""
        if not self.tiles:
            return NOTHING_TO_COMPARE if self.classified else NOTHING_CLASSIFIED
        return (
            f"{self.share:.0%} of the classified tiles look unlike the tiles that the classifier "
            f"was trained on (about {EXPECTED_SHARE:.0%} is usual)."
        )

    @property
    def sentence(self) -> str:
        """What a reader should know, and what to do about it."""
        if not self.warns:
            return self.measured
        return f"This slide looks unlike the training slides: {self.measured} {ADVICE}"

    def as_dict(self) -> dict[str, Any]:
        """Return what the record of a run keeps."""
        return {
            "tiles": self.tiles,
            "strange": self.strange,
            "share": self.share,
            "expected": EXPECTED_SHARE,
            "limit": self.strange_max,
            "warns": self.warns,
            "sentence": self.sentence,
        }


def watch_slide(tissue_map: TissueMap, options: SentinelOptions | None = None) -> Sentinel:
    """Count the classified tiles of a map that look unlike the training tiles."""
    options = options or SentinelOptions()
    known = tissue_map.strangeness[~np.isnan(tissue_map.strangeness)]
    classified = bool((tissue_map.classes != NOT_CLASSIFIED).any())
    return Sentinel(len(known), int(np.count_nonzero(known > 1)), options.strange_max, classified)
