import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_crlm_spa.core.classifier.evaluation.intervals import (
    complete_draws,
    interval,
    stratified_draws,
)


@given(carries=arrays(bool, st.integers(2, 12)), seed=st.integers(0, 99))
def test_slides_that_carry_the_class_are_drawn_as_often_as_there_are(carries, seed):
    draws = np.concatenate(
        list(stratified_draws(carries, 50, np.random.default_rng(seed), len(carries)))
    )
    assert draws.shape == (50, len(carries))
    assert (draws[:, carries].sum(axis=1) == carries.sum()).all()
    assert (draws[:, ~carries].sum(axis=1) == (~carries).sum()).all()


@given(present=arrays(bool, (6, 3)), seed=st.integers(0, 99))
def test_no_class_vanishes_from_a_complete_draw(present, seed):
    draws = np.concatenate(
        [np.empty((0, 6), int), *complete_draws(present, 40, np.random.default_rng(seed))]
    )
    there = present.any(axis=0)
    assert ((draws @ present.astype(int))[:, there] > 0).all()
    assert (draws.sum(axis=1) == 6).all()
    assert len(draws) == 40


def test_draws_that_never_hold_all_classes_end():
    each_alone = np.eye(16, dtype=bool)  # only one in 16^16/16! draws has them all
    draws = list(complete_draws(each_alone, 10, np.random.default_rng(0)))
    assert sum(len(part) for part in draws) < 10


def test_large_draws_come_in_parts_and_are_complete():
    carries = np.arange(3000) % 2 == 0
    parts = list(stratified_draws(carries, 1000, np.random.default_rng(0), 3000))
    assert len(parts) > 1
    assert sum(len(part) for part in parts) == 1000


def test_the_interval_holds_the_percentiles():
    found = interval(0.5, np.arange(1001) / 1000, 1001, 0.9)
    assert (found.low, found.high) == (pytest.approx(0.05), pytest.approx(0.95))
    assert found.has_interval


def test_a_figure_that_most_draws_lack_has_no_interval():
    found = interval(0.5, np.r_[np.full(20, np.nan), np.full(80, 0.5)], 100, 0.95)
    assert not found.has_interval
    assert "too few draws" in found.reason


def test_drawing_slides_covers_what_drawing_tiles_would_not():
    # Ten slides whose recall differs from slide to slide; within a slide all tiles are alike.
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(200):
        recalls = (rng.random(10) < 0.7).astype(float)
        parts = stratified_draws(np.ones(10, bool), 400, rng, 10)
        drawn = np.concatenate([part @ recalls / 10 for part in parts])
        found = interval(recalls.mean(), drawn, 400, 0.95)
        inside += found.low <= 0.7 <= found.high
    assert inside / 200 > 0.85
