"""The tissue classifier: model folders, network, training and evaluation.

The only package that imports torch, and only when a network is really needed: reading a model's
card stays cheap. Nothing is ever unpickled.
"""

from napari_crlm_spa.core.classifier.card import ModelCard, load_card, model_folder

__all__ = ["ModelCard", "load_card", "model_folder"]
