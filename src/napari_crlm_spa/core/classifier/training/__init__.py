"""Training a classifier on labeled tiles.

`data` finds the tiles, `split` holds slides back, `cache` decodes them, `augment` varies them,
`recipe` holds the options and presets, `loop` runs the epochs, `checkpoint` survives a kill,
`history` keeps the curves.
"""

from napari_crlm_spa.core.classifier.training.loop import TrainingResult, train_classifier
from napari_crlm_spa.core.classifier.training.recipe import PRESETS, TrainingOptions, preset

__all__ = ["PRESETS", "TrainingOptions", "TrainingResult", "preset", "train_classifier"]
