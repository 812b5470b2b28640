"""What an evaluation is asked."""

from __future__ import annotations

from dataclasses import dataclass

from napari_crlm_spa.core.options import Options, option


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationOptions(Options):
    """Which tiles are judged, and how uncertain the figures are."""

    split: str = option(
        "auto",
        "Tiles to judge; unseen: outside the test split, of slides that the model was not trained "
        "on; auto: test where a manifest names it, else unseen where there are any, else all",
        choices=("auto", "unseen", "train", "validation", "test", "all"),
    )
    stain: str = option(
        "card",
        "Stain normalization; card: as the model expects",
        choices=("card", "per_slide", "per_tile", "none"),
    )
    merge: str = option(
        "TUM_SARCOMA=TUM", "Folders that count as another class, e.g. TUM_SARCOMA=TUM,MUS=STR"
    )
    device: str = option("auto", "Where the network runs", choices=("auto", "cuda", "mps", "cpu"))
    bootstrap: int = option(
        2000, "How often the slides are drawn anew for the intervals; 0: none", min=0, max=100_000
    )
    confidence: float = option(0.95, "Share that the intervals cover", min=0.5, max=0.999)
    seed: int = option(0, "Seed of these draws", min=0, max=2**31 - 1)
    bins: int = option(
        15, "Bins of equal width for the calibration error", min=2, max=100, advanced=True
    )
    worst: int = option(24, "Tiles in the gallery of the worst", min=0, max=400, advanced=True)
    worst_alike: int = option(
        4,
        "Tiles of one slide with the same confusion that the gallery shows at most",
        min=1,
        max=400,
        advanced=True,
    )
