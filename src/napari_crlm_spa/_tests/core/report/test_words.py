import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_crlm_spa.core.report import words


@given(st.floats(10, 1e6))
def test_scale_bar_is_round_and_between_a_tenth_and_a_quarter_of_the_width(width_um):
    bar = words.scale_bar_um(width_um)
    assert 0.099 * width_um < bar <= 0.25 * width_um * (1 + 1e-6)
    assert f"{bar:e}"[0] in "125"


def test_numbers_as_words():
    assert words.count(1234567) == "1\u202f234\u202f567"
    assert words.percent(0.12345) == "12.3\u00a0%"
    assert words.percent(float("nan")) == words.percent(None) == "\u2013"
    assert words.number(-0.35) == "\u22120.35"
    assert words.area(2.654) == "2.65\u00a0mm²"
    assert words.area(125.0) == "125.0\u00a0mm²"
    assert words.length(500) == "500\u00a0µm"
    assert words.length(2000) == "2\u00a0mm"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("2026-11-20T20:05:00+01:00", "2026-11-20 19:05 UTC"), ("yesterday", "yesterday")],
)
def test_moments_are_shown_in_utc(text, shown):
    assert words.moment(text) == shown


def test_long_names_lose_their_middle():
    assert words.shortened("short") == "short"
    long = words.shortened("a" * 100 + "b" * 100, 51)
    assert len(long) == 51
    assert long.startswith("aaa")
    assert long.endswith("bbb")


def test_breakable_names_are_escaped():
    assert str(words.breakable("a_<b>_c")) == "a_<wbr>&lt;b&gt;_<wbr>c"
