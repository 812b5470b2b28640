import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_crlm_spa.core.spatial.interface.codes import InterfaceCode
from napari_crlm_spa.core.spatial.interface.regularize import (
    _majority,
    regularized,
    run_lengths,
    runs_of,
)

CODES = arrays(np.uint8, st.integers(1, 120), elements=st.integers(0, 3))


def line(text):
    return np.array([InterfaceCode[letter] for letter in text], np.uint8)


def text(codes):
    return "".join(InterfaceCode(code).name for code in codes)


@given(codes=CODES, half=st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_the_majority_is_that_of_counting_around_each_point(codes, half):
    n = len(codes)
    if n < 2 * half + 1:
        return
    found = _majority(codes, 2 * half + 1)
    for at in range(n):
        votes = np.bincount(codes[np.arange(at - half, at + half + 1) % n], minlength=4)
        assert votes[found[at]] == votes.max()
        if votes[codes[at]] == votes.max():
            assert found[at] == codes[at]


@given(codes=CODES, window=st.floats(0, 40))
@settings(max_examples=100, deadline=None)
def test_no_run_is_shorter_than_the_window_and_the_length_stays(codes, window):
    found = regularized(codes, 1.0, window)
    starts, lengths = run_lengths(found)
    assert len(found) == len(codes)
    assert lengths.sum() == len(codes)
    assert len(starts) == 1 or lengths.min() >= np.floor(window - 0.5)
    assert set(found.tolist()) <= set(codes.tolist())


@given(
    lengths=st.lists(st.integers(15, 60), min_size=2, max_size=6).filter(lambda x: len(x) % 2 == 0),
    turn=st.integers(0, 300),
)
@settings(max_examples=60, deadline=None)
def test_where_a_line_begins_does_not_matter(lengths, turn):
    codes = np.concatenate(
        [np.full(length, 1 + at % 2, np.uint8) for at, length in enumerate(lengths)]
    )
    here = regularized(codes, 1.0, 14.0)
    assert np.array_equal(regularized(np.roll(codes, turn), 1.0, 14.0), np.roll(here, turn))


def test_a_short_run_takes_the_code_of_its_longer_neighbor():
    codes = line("D" * 40 + "O" * 10 + "N" * 30)
    assert text(regularized(codes, 1.0, 15)).count("O") == 0
    found = text(regularized(codes, 1.0, 15))
    assert found.count("D") > 40 > found.count("N")


def test_a_run_across_the_first_point_is_one_run():
    codes = line("N" * 20 + "D" * 60 + "N" * 20)
    runs = runs_of(codes, 10.0, contour=3)
    assert [(run.code.name, run.start_um, run.length_um) for run in runs] == [
        ("D", 200.0, 600.0),
        ("N", 800.0, 400.0),
    ]
    assert {run.contour for run in runs} == {3}


def test_a_line_shorter_than_the_window_has_its_commonest_code():
    assert text(regularized(line("DDNDN"), 28.0, 300.0)) == "DDDDD"


def test_a_line_of_one_code_is_one_run_from_its_start():
    (run,) = runs_of(line("D" * 7), 28.0, 0)
    assert (run.start, run.n_points, run.length_um) == (0, 7, pytest.approx(196))


def test_runs_that_are_long_enough_stay_where_they_are():
    codes = line("D" * 50 + "N" * 20 + "O" * 30)
    assert np.array_equal(regularized(codes, 28.0, 300.0), codes)
