"""The page of comparisons with R names what the tests compare, and all of it holds."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from napari_crlm_spa._tests.core.cohort.parity import Parity

ROOT = Path(__file__).parents[5]
TOOL = ROOT / "tools" / "parity_table.py"
pytestmark = pytest.mark.skipif(
    not TOOL.is_file(), reason="the documentation lies beside the source, not in an installation"
)


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("parity_table", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def found(tool):
    return list(tool.comparisons())


def test_the_page_is_up_to_date(tool, found):
    """Quantities, R's values and tolerances; not the last digits of ours."""
    written = tool.lasting(tool.PAGE.read_text("utf-8"))
    assert written == tool.lasting(tool.page(found)), "write it anew: make parity"


def test_every_comparison_holds_and_is_told_once(found):
    assert all(each.holds for each in found)
    names = [(each.section, each.quantity, each.r_call) for each in found]
    assert len(set(names)) == len(names)


def test_an_error_of_ours_does_not_count_as_another_page(tool):
    one = Parity("Curves", "S(12) | lung", "survfit", 0.5, 0.5, 1e-12)
    off = replace(one, ours=0.5 + 1e-13)
    other = replace(one, r=0.25)
    assert tool.page([one]) != tool.page([off])
    assert tool.lasting(tool.page([one])) == tool.lasting(tool.page([off]))
    assert tool.lasting(tool.page([one])) != tool.lasting(tool.page([other]))


def test_an_array_is_told_by_count_and_largest(tool):
    row = tool._row(Parity("s", "q", "f", [1.0, -3.0, float("nan")], [1.0, -3.0, float("nan")], 0))
    assert row[2] == "3 values, largest -3"
