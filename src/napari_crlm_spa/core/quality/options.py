"""From where on a tile is marked: every limit is an assumption of ours and can be changed."""

from __future__ import annotations

from dataclasses import dataclass

from napari_crlm_spa.core.options import Options, option


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityOptions(Options):
    """Limits of the quality marks. None is from the paper; see docs/methods/quality.md."""

    blur_deviations: float = option(
        3.5,
        "A tile is blurred if it is less sharp than its class by more robust standard deviations "
        "than this, and by the loss below",
        min=1.0,
        max=20.0,
        label="Blur beyond",
    )
    blur_loss: float = option(
        0.5,
        "Smallest loss of sharpness that counts as blur (log10: 0.5 = less than a third is left)",
        min=0.05,
        max=3.0,
        label="Least loss by blur",
    )
    sharp_median: float = option(
        0.9,
        "If half of the tissue is less sharp than this, the whole slide may be out of focus",
        min=-2.0,
        max=3.0,
        advanced=True,
        label="Sharp slides are above",
    )
    pen_share: float = option(
        0.02,
        "A tile is penned if more of its area than this is covered by ink",
        min=0.001,
        max=1.0,
        label="Pen beyond",
    )
    fold_ratio: float = option(
        1.4,
        "A tile is folded if a fifth of its area is so many times as dark as usual in its class",
        min=1.1,
        max=5.0,
        label="Fold beyond",
    )
    fold_deviations: float = option(
        4.0,
        "and if that is more robust standard deviations above its class than this",
        min=1.0,
        max=20.0,
        advanced=True,
        label="Fold deviations",
    )
    air_share: float = option(
        0.3,
        "A tile is marked for air if more of its area than this is bright and colorless",
        min=0.01,
        max=1.0,
        label="Air beyond",
    )
    class_tiles_min: int = option(
        20,
        "Classes with fewer tiles are compared with the whole slide (blur) or not at all (fold)",
        min=3,
        max=10_000,
        advanced=True,
        label="Tiles to compare with",
    )
    mpp: float = option(
        1.0,
        "Resolution at which sharpness is measured",
        min=0.25,
        max=4.0,
        unit="µm/px",
        advanced=True,
        label="Sharpness measured at",
    )
    threads: int = option(
        4, "Threads that read the slide", min=1, max=64, advanced=True, label="Reader threads"
    )
