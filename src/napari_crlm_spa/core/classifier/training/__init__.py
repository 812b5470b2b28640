"""Training a classifier on labeled tiles.

`data` finds the tiles, `split` holds slides back, `cache` decodes them, `augment` varies them,
`recipe` holds the options and presets, `loop` runs the epochs, `checkpoint` survives a kill,
`history` keeps the curves. What needs torch is loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_crlm_spa.core.classifier.training.recipe import PRESETS, TrainingOptions, preset

if TYPE_CHECKING:
    from napari_crlm_spa.core.classifier.training.loop import TrainingResult, train_classifier

__all__ = ["PRESETS", "TrainingOptions", "TrainingResult", "preset", "train_classifier"]


def __getattr__(name: str) -> Any:
    if name in ("TrainingResult", "train_classifier"):
        from napari_crlm_spa.core.classifier.training import loop

        return getattr(loop, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
