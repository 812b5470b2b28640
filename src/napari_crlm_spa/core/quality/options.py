"""From where on a tile is marked; every limit is an assumption of ours, to be changed."""

from __future__ import annotations

from dataclasses import dataclass

from napari_crlm_spa.core.options import Options, option


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityOptions(Options):
    """Limits of the quality marks. None of them is from the paper; see docs/methods/quality.md."""

    blur_deviations: float = option(
        3.5,
        "Marked blurred if less sharp than its class by more robust standard deviations than this",
        min=1.0,
        max=20.0,
        label="Blur limit",
    )
