"""How unlike known tissue a tile looks: closed forms, its unit, and what it must not depend on."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import mahalanobis

from napari_crlm_spa.core.classifier.reference_set import ReferenceSet
from napari_crlm_spa.core.classifier.strangeness import (
    MIN_GROUP_TILES,
    MIN_HELD_OUT,
    SHRINKAGE,
    STRANGEST,
    USUAL_SHARE,
    KnownTissue,
)

SIZE = 6
CENTERS = np.array([[9, 1, 1, 1, 1, 1], [1, 9, 1, 1, 1, 1], [1, 1, 9, 1, 1, 1]], float)


def looks_of(rng, labels, spread=0.4):
    return (CENTERS[labels] + rng.normal(0, spread, (len(labels), SIZE))).astype(np.float16)


def known_set(seed=0, per_slide=60, slides=("a", "b", "c"), held=("c",)):
    """Tiles of three classes on every slide; those of `held` are held out."""
    rng = np.random.default_rng(seed)
    labels = np.tile(np.repeat([0, 1, 2], per_slide // 3), len(slides)).astype(np.int16)
    names = tuple(np.repeat(slides, per_slide))
    return ReferenceSet(
        features=np.zeros((len(labels), 1), np.float16),
        labels=labels,
        slides=names,
        held_out=np.isin(names, held),
        middle=looks_of(rng, labels),
    )


def strangeness(known, looks):
    return known.strangeness(torch.from_numpy(np.asarray(looks, np.float32))).numpy()


def unit(looks):
    looks = np.asarray(looks, float)
    return looks / np.linalg.norm(looks, axis=1, keepdims=True)


def test_it_is_the_distance_to_the_nearest_class_in_units_of_the_limit():
    reference = known_set()
    trained = ~reference.held_out
    looks, labels = unit(reference.middle[trained]), reference.labels[trained]
    means = [looks[labels == k].mean(axis=0) for k in range(3)]
    within = looks - np.array(means)[labels]
    covariance = within.T @ within / len(looks)
    level = np.trace(covariance) / SIZE
    inverse = np.linalg.inv((1 - SHRINKAGE) * covariance + SHRINKAGE * level * np.eye(SIZE))

    def nearest(tiles):
        return [min(mahalanobis(tile, mean, inverse) for mean in means) for tile in unit(tiles)]

    limit = np.quantile(nearest(reference.middle[reference.held_out]), USUAL_SHARE)
    asked = looks_of(np.random.default_rng(1), np.array([0, 1, 2, 2]), spread=2.0)
    found = strangeness(KnownTissue.of(reference), asked)
    np.testing.assert_allclose(found, np.array(nearest(asked)) / limit, rtol=1e-4)


def test_one_tile_held_out_in_twenty_is_beyond_the_limit():
    reference = known_set(per_slide=300)
    found = strangeness(KnownTissue.of(reference), reference.middle[reference.held_out])
    assert np.mean(found > 1) == pytest.approx(1 - USUAL_SHARE, abs=0.004)


def test_what_resembles_no_class_is_stranger_than_all_that_does():
    known = KnownTissue.of(known_set())
    usual = strangeness(known, looks_of(np.random.default_rng(2), np.array([0, 1, 2] * 30)))
    assert strangeness(known, [[1, 1, 1, 9, 1, 1], [5, 5, 1, 1, 1, 1]]).min() > 2 * usual.max()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), factor=st.floats(0.01, 100))
def test_neither_brightness_nor_a_turn_of_the_features_changes_it(seed, factor):
    rng = np.random.default_rng(seed)
    asked = rng.normal(1, 2, (20, SIZE))
    reference = known_set()
    plain = strangeness(KnownTissue.of(reference), asked)
    turn = np.linalg.qr(rng.normal(size=(SIZE, SIZE)))[0]
    turned = dataclasses.replace(reference, middle=(reference.middle.astype(float) @ turn))
    found = strangeness(KnownTissue.of(turned), factor * asked @ turn)
    np.testing.assert_allclose(found, plain, rtol=2e-3)


def test_drawn_tiles_are_not_what_tissue_looks_like():
    plain = known_set()
    rng = np.random.default_rng(3)
    green = np.tile(np.array([1, 1, 1, 1, 9, 1], np.float16), (90, 1))
    with_drawn = ReferenceSet(
        features=np.zeros((len(plain) + 90, 1), np.float16),
        labels=np.concatenate([plain.labels, rng.integers(0, 3, 90).astype(np.int16)]),
        slides=plain.slides + ("drawn",) * 90,
        held_out=np.concatenate([plain.held_out, np.zeros(90, bool)]),
        middle=np.concatenate([plain.middle, green]),
        drawn=np.repeat([False, True], [len(plain), 90]),
    )
    found = strangeness(KnownTissue.of(with_drawn), green[:1])
    np.testing.assert_allclose(found, strangeness(KnownTissue.of(plain), green[:1]))


def test_without_tiles_held_out_slides_are_left_out_one_at_a_time():
    reference = known_set(held=())
    far = {0: [], 1: [], 2: []}
    for name in ("a", "b", "c"):
        left = np.array(reference.slides) == name
        rest = reference.take(~left)
        # Held out tiles of an otherwise equal set: its limit times their strangeness is distance.
        known = KnownTissue.of(
            dataclasses.replace(reference, held_out=left, drawn=np.zeros(len(reference), bool))
        )
        assert len(rest) == 120
        for label in range(3):
            group = left & (reference.labels == label)
            distance = strangeness(known, reference.middle[group]) * known.limit
            far[label].append(np.quantile(distance, USUAL_SHARE))
    expected = np.median([np.median(of_class) for of_class in far.values()])
    assert KnownTissue.of(reference).limit == pytest.approx(expected, rel=1e-4)


def one_slide():
    return known_set(slides=("a",), held=())


def a_slide_a_class():
    reference = known_set(held=())
    slides = tuple(np.array(["a", "b", "c"])[reference.labels])
    return dataclasses.replace(reference, slides=slides)


def few_tiles_a_slide():
    return known_set(per_slide=3 * (MIN_GROUP_TILES - 1), held=())


def without_the_middle():
    return dataclasses.replace(known_set(), middle=None)


def all_held_out():
    return known_set(held=("a", "b", "c"))


def empty():
    return known_set().take(np.empty(0, np.int64))


@pytest.mark.parametrize(
    "make",
    [one_slide, a_slide_a_class, few_tiles_a_slide, without_the_middle, all_held_out, empty],
)
def test_where_nothing_says_how_far_unseen_tiles_lie_it_is_not_known(make):
    assert KnownTissue.of(make()) is None


def test_a_handful_of_tiles_or_a_single_class_held_out_does_not_set_the_limit():
    leaving_out = KnownTissue.of(known_set(held=())).limit
    few = known_set(held=())
    few.held_out[: MIN_HELD_OUT - 1] = True
    few.middle[few.held_out] = 0.001  # far from everything, were it asked
    assert KnownTissue.of(few).limit == pytest.approx(leaving_out, rel=0.2)
    single = known_set(per_slide=300, held=())
    single.held_out[:] = (single.labels == 1) & (np.array(single.slides) == "c")
    single.middle[single.held_out] = 0.001
    assert KnownTissue.of(single).limit == pytest.approx(leaving_out, rel=0.2)


def test_it_always_fits_into_a_16_bit_float():
    alike = known_set()
    alike.middle[:] = CENTERS[alike.labels].astype(np.float16)
    found = strangeness(KnownTissue.of(alike), [[1, 1, 1, 1, 1, 9], [0, 0, 0, 0, 0, 0]])
    assert (found <= STRANGEST).all()
    assert np.isfinite(found.astype(np.float16)).all()


def test_half_precision_around_it_does_not_coarsen_it():
    known = KnownTissue.of(known_set())
    asked = torch.from_numpy(looks_of(np.random.default_rng(4), np.array([0, 1, 2]))).float()
    exact = known.strangeness(asked)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(known.strangeness(asked), exact)
