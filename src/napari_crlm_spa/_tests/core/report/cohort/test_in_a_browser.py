"""The page of a cohort on a phone, on a desk, on paper."""

import re

import pytest

from napari_crlm_spa._tests.chromium import measured, needs_chromium, pdf

pytestmark = needs_chromium
#: A4 less Chromium's margins of 1 cm, at the 96 px of an inch that print uses.
PAPER_PX = 718


@pytest.fixture(scope="module")
def page(written):
    return (written / "report.html").read_text("utf-8")


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_widens_the_window(page, width, tmp_path):
    found = measured(tmp_path, page.replace("<details>", "<details open>"), width)
    assert found["beyond"] == []
    assert found["page"] <= width


def test_nothing_lies_beyond_the_edge_of_the_paper(page, tmp_path):
    shown = page.replace("@media print", "@media all").replace("@media screen", "@media print")
    found = measured(tmp_path, shown.replace("<details>", "<details open>"), PAPER_PX)
    assert found["beyond"] == []
    assert found["page"] <= PAPER_PX


def test_it_prints(written, tmp_path):
    printed = pdf(tmp_path, written / "report.html")
    assert 10 <= len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) <= 45
