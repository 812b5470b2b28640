"""The tissue classifier: model folders, network, training and evaluation.

The only package that imports torch, and only when a network is really needed: reading a model's
card stays cheap. Nothing is ever unpickled. Importing it sets how OpenMP's threads wait, which has
an effect as long as nobody has loaded torch.
"""

import os

from napari_crlm_spa.core.classifier.card import ModelCard, load_card, model_folder

# Threads that wait for each other would spin for a while and take the processors from the threads
# that read the slide: on a busy machine of two cores that doubles an analysis' time.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

__all__ = ["ModelCard", "load_card", "model_folder"]
