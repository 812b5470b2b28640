"""Maps with known probabilities, a risk model of two terms, and running slow work to its end."""

from dataclasses import replace

import numpy as np

from napari_crlm_spa._tests.core.spatial.maps import fixed_thresholds, map_of
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.risk import RiskFeature, RiskModel
from napari_crlm_spa.core.spatial import spatial_features

CODE = {name: CRLM7.code(name) for name in CRLM7.names}
DEBRIS, LYMPHOCYTES = "Overall_Debris_ratio", "Overall_Lymphocyte_ratio"


def finished(work):
    """Run a generator of Progress; return what it returns."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def reports(work):
    """All that a generator of Progress yields."""
    return list(work)


def certain(classes):
    """A map whose every tile has probability 1."""
    tissue_map = map_of(classes)
    rows, cols = np.nonzero(tissue_map.classes)
    tissue_map.probabilities[rows, cols, tissue_map.classes[rows, cols] - 1] = 1
    return tissue_map


def unsure(tissue_map, rows, cols, other, chance):
    """Give tiles another class with some chance, the rest stays with their own."""
    own = tissue_map.classes[rows, cols] - 1
    tissue_map.probabilities[rows, cols] = 0
    tissue_map.probabilities[rows, cols, own] = 1 - np.asarray(chance)
    tissue_map.probabilities[rows, cols, CODE[other] - 1] = chance
    return tissue_map


def hundred(n_debris=10, n_lymphocytes=10):
    """A tumor of 60 tiles above 40 others: debris, lymphocytes, stroma."""
    below = ["DEB"] * n_debris + ["LYM"] * n_lymphocytes
    below += ["STR"] * (40 - len(below))
    codes = np.array([CODE["TUM"]] * 60 + [CODE[name] for name in below])
    return certain(codes.reshape(10, 10))


def features_of(tissue_map, near=2.0):
    return spatial_features(tissue_map, mixture=fixed_thresholds(near))


def two_terms(cutoffs=(0.2, 0.1), coefficients=(0.5, -0.25), threshold=0.0):
    """Debris raises the score, lymphocytes lower it."""
    features = tuple(
        RiskFeature(column=column, coefficient=coefficient, cutoff=cutoff)
        for column, coefficient, cutoff in zip(
            (DEBRIS, LYMPHOCYTES), coefficients, cutoffs, strict=True
        )
    )
    return RiskModel(name="two", features=features, threshold=threshold)


def debris_only(cutoff, threshold=0.25):
    one = RiskFeature(column=DEBRIS, coefficient=0.5, cutoff=cutoff)
    return RiskModel(name="debris", features=(one,), threshold=threshold)


def with_state(tissue_map, rows, cols, state):
    """A copy in which tiles have another state."""
    states = tissue_map.state.copy()
    states[rows, cols] = state
    return replace(tissue_map, state=states)
