"""The model that comes along: whole, small enough, and at home on drawn tissue."""

import numpy as np
import pytest

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.card import load_card, model_folder
from napari_crlm_spa.core.classifier.inference import ClassifyOptions
from napari_crlm_spa.core.classifier.runtime import load_classifier
from napari_crlm_spa.core.sample import draw_tile


@pytest.fixture(scope="module")
def card():
    return load_card(model_folder("default"))


def test_the_weights_fit_into_the_repository():
    size = (model_folder("default") / "weights.safetensors").stat().st_size
    assert size <= 60e6


def test_the_card_says_what_the_model_saw_and_what_it_is_not_for(card):
    assert card.scheme is CRLM7
    assert set(card.training_data.counts) == set(CRLM7.names)
    assert "Pathology Atlas, CC BY 4.0" in card.training_data.attribution
    assert "not a clinical model" in card.intended_use
    assert {"cross_validation", "test"} <= set(card.metrics)
    assert card.known_limits


def test_the_card_names_no_path_of_the_machine_that_trained_it(card):
    assert "/" not in card.training_recipe["init"]


def test_drawn_tiles_it_never_saw_are_told_apart():
    classifier = load_classifier("default", ClassifyOptions(device="cpu"))
    rng = np.random.default_rng(99)
    tiles = np.array([draw_tile(name, rng) for name in CRLM7.names for _ in range(4)])
    truth = np.repeat(np.arange(7), 4)
    probabilities = classifier.predict(tiles).probabilities
    assert (probabilities.argmax(axis=1) == truth).mean() >= 0.9
