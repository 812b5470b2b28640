"""Confidence and entropy of a tissue map."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from napari_crlm_spa._tests.core.spatial.maps import drawn


def map_with(*probabilities):
    """A row of tiles with these probabilities, and one of glass at the end."""
    tissue_map = drawn("H" * len(probabilities) + ".")
    tissue_map.probabilities[0, : len(probabilities)] = probabilities
    return tissue_map


def test_certainty_has_no_entropy_and_ignorance_has_all_of_it():
    tissue_map = map_with(np.eye(7)[3], np.full(7, 1 / 7))
    assert tissue_map.entropy()[0, :2] == pytest.approx([0, 1], abs=2e-3)
    assert tissue_map.confidence()[0, :2] == pytest.approx([1, 1 / 7], abs=1e-3)


@given(st.lists(st.floats(0.01, 1), min_size=7, max_size=7))
def test_entropy_is_shannons_in_units_of_the_most_that_seven_classes_can_have(weights):
    p = np.array(weights) / sum(weights)
    assert map_with(p).entropy()[0, 0] == pytest.approx(entropy(p, base=7), abs=3e-3)


def test_glass_has_no_doubt():
    tissue_map = map_with(np.eye(7)[0])
    assert np.isnan(tissue_map.entropy()[0, 1])
    assert np.isnan(tissue_map.confidence()[0, 1])


def test_a_corrected_tile_keeps_the_networks_doubts():
    tissue_map = map_with(np.eye(7)[3])
    tissue_map.strangeness[0, 0] = 1.5
    corrected = tissue_map.edited(np.array([0]), np.array([0]), "TUM")
    assert corrected.strangeness[0, 0] == 1.5
    assert corrected.confidence()[0, 0] == 1
