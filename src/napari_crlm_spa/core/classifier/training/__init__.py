"""Training a classifier on labeled tiles.

`data` finds the tiles, `split` holds slides back, `plan` puts both together, `cache` decodes
them, `augment` varies them, `sampling` chooses what an epoch shows, `recipe` holds the options
and presets, `trainer` runs an epoch, `loop` all of them, `checkpoint` survives a kill, `history`
keeps the curves, `describe` writes the card, `known` keeps a reference set of what was seen.

`retrain` trains the head of a model alone: it begins at `start`, keeps the trunk's features as
`views`, trains the `head`, may `choose` a point on the way to it, and both it and `check` (for
whole networks) `compare` before and after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_crlm_spa.core.classifier.training.recipe import PRESETS, TrainingOptions, preset
from napari_crlm_spa.core.on_demand import names_on_demand

if TYPE_CHECKING:
    from napari_crlm_spa.core.classifier.training.course import TrainingResult
    from napari_crlm_spa.core.classifier.training.loop import train_classifier

__all__ = ["PRESETS", "TrainingOptions", "TrainingResult", "preset", "train_classifier"]

# The options alone fill forms and flags; what needs torch is loaded when it is asked for.
__getattr__ = names_on_demand(__name__, {"TrainingResult": "course", "train_classifier": "loop"})
