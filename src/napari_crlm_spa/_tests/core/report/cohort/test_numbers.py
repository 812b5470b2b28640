"""Numbers are printed as an article prints them, and none is rounded into a lie."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_crlm_spa.core.report.cohort import numbers

NAN = math.nan


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.894, "0.894"),
        (0.0183, "0.018"),
        (0.00996, "0.010"),
        (0.0067, "0.0067"),
        (3.92e-4, "0.00039"),
        (1e-4, "0.00010"),
        (9.9e-5, "< 0.0001"),
        (1.4e-12, "< 0.0001"),
        (0.0, "< 0.0001"),
        (0.9994, "0.999"),
        (0.99951, "> 0.999"),
        (1.0, "> 0.999"),
        (NAN, "\u2013"),
    ],
)
def test_p_values(p, text):
    assert numbers.p_value(p).replace("\u00a0", " ") == text


@given(st.floats(0, 1))
def test_no_p_value_reads_as_zero_or_one(p):
    assert numbers.p_value(p) not in ("0", "1", "0.000", "1.000", "0.0000")


@given(st.floats(1e-4, 0.9994))
def test_a_printed_p_value_is_within_a_twentieth(p):
    assert float(numbers.p_value(p)) == pytest.approx(p, rel=0.051)


@pytest.mark.parametrize(
    ("hr", "text"),
    [
        ((1.541, 1.127, 2.106), "1.54 (1.13\u20132.11)"),
        ((1.0004, 1.0001, 1.0008), "1.0004 (1.0001\u20131.0008)"),
        ((1.01, 0.99, 1.02), "1.01 (0.99\u20131.02)"),
        ((2.5, NAN, NAN), "2.50"),
        ((NAN, NAN, NAN), "\u2013"),
        ((0.001, 0.0001, 0.2), "<\u202f0.01 (<\u202f0.01\u20130.20)"),
        ((2e9, 0.0, math.inf), ">\u202f1000 (0.00\u2013∞)"),
        ((123.4, 20.0, 800.0), "123 (20.00\u2013800)"),
    ],
)
def test_hazard_ratios(hr, text):
    assert numbers.ratio(*hr) == text


def test_an_end_of_an_interval_that_is_not_reached_says_so():
    assert numbers.interval(52.7, 40.2, NAN, 1) == "52.7 (40.2\u2013NR)"


def test_minus_zero_is_zero():
    assert numbers.fixed(-0.0001, 2) == "0.00"
    assert numbers.fixed(-0.31, 2) == "\u22120.31"
