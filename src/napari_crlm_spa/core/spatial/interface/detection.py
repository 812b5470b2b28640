"""The thinnest capsule that a map can show, by its stride.

Measured on drawn slides: tiles of 112 um with their commonest class (see docs/methods/interface).
A stride that wasn't measured has no number here; nothing is interpolated.
"""

from __future__ import annotations

#: Stride in micrometers to the thinnest capsule that is seen along all of it, in micrometers.
DETECTION_LIMITS_UM = {112.0: 200.0, 56.0: 80.0, 28.0: 60.0}
_SAME_UM = 0.5


def detection_limit_um(stride_um: float) -> float | None:
    """Return the thinnest capsule that is seen at a stride; None where this wasn't measured."""
    for measured, limit in DETECTION_LIMITS_UM.items():
        if abs(stride_um - measured) < _SAME_UM:
            return limit
    return None


def detection_words(stride_um: float) -> str:
    """Say what a map of this stride cannot show, in a sentence."""
    limit = detection_limit_um(stride_um)
    if limit is not None:
        return (
            f"At a stride of {stride_um:g} µm with tiles of 112 µm, capsules thinner than about "
            f"{limit:g} µm can be missed and are then counted as contact."
        )
    known = ", ".join(
        f"{limit:g} µm at {stride:g} µm" for stride, limit in DETECTION_LIMITS_UM.items()
    )
    return (
        f"How thin a capsule can be seen at a stride of {stride_um:g} µm was not measured "
        f"(measured: {known}); thinner ones are counted as contact."
    )
