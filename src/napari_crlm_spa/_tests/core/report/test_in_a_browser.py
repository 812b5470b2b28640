"""The report in a real browser: on a phone, on paper, for color-blind readers."""

import re

import numpy as np
import pytest

from napari_crlm_spa._tests.chromium import dom, measured, needs_chromium, pdf
from napari_crlm_spa._tests.core.report.conftest import make_map
from napari_crlm_spa.core.classes import CRLM7, PALETTES
from napari_crlm_spa.core.report import MarkCount, ReviewSummary, render_report
from napari_crlm_spa.core.sentinel import watch_slide

pytestmark = needs_chromium

PHONE_PX = 390
#: A4 less Chromium's margins of 1 cm, at the 96 px of an inch that print uses.
PAPER_PX = 718
SAFE = next(palette for name, palette in PALETTES.items() if name != "standard")


@pytest.fixture
def full(make_report, codes):
    """A report with every section, long names and many words."""
    shown = make_map(codes)
    rng = np.random.default_rng(0)
    shown.probabilities[shown.classes > 0] = rng.dirichlet(np.ones(7), (shown.classes > 0).sum())
    shown.strangeness[shown.classes > 0] = 1.5
    review = ReviewSummary(
        reader="Dr. Annegret Mustermann-Beispiel",
        moves=(("HEP", "STR", 12345), ("TUM", "set aside", 3)),
        accepted=1234,
        score_before=-0.123456,
        score_after=0.41,
        group_before="low",
        group_after="high",
        thresholds_changed=True,
    )
    marks = [MarkCount("blur", 123, "Far less sharp than the other tiles of its tissue.")]
    return make_report(
        name="a-rather-long-name-of-a-slide_without_any_space_2026-11-20_H&E_block-A1.svs",
        tissue_map=shown,
        sentinel=watch_slide(shown),
        review=review,
        marks=marks,
    )


def as_on_paper(html):
    """Let the rules for print hold on the screen, and those for screens nowhere."""
    return html.replace("@media print", "@media all").replace("@media screen", "@media print")


@pytest.mark.parametrize("width", [320, PHONE_PX, 768, 1280])
def test_nothing_lies_beyond_the_edge_of_the_window(full, width, tmp_path):
    found = measured(tmp_path, render_report(full), width)
    assert found["beyond"] == []
    assert found["page"] <= width


def test_on_a_phone_letters_are_readable_and_tables_need_no_scrolling(full, tmp_path):
    found = measured(tmp_path, render_report(full), PHONE_PX)
    assert found["small"] == 0
    assert found["scrolling"] <= 1  # the distances at which the zones part, folded away


def test_nothing_lies_beyond_the_edge_of_the_paper(full, tmp_path):
    html = as_on_paper(render_report(full)).replace("<details>", "<details open>")
    found = measured(tmp_path, html, PAPER_PX)
    assert found["beyond"] == []
    assert found["page"] <= PAPER_PX


def test_it_prints_on_a_handful_of_pages_with_what_is_folded_away(full, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(render_report(full), encoding="utf-8")
    printed = pdf(tmp_path, path)
    pages = len(re.findall(rb"/Type\s*/Page\b(?!s)", printed))
    assert printed.startswith(b"%PDF")
    assert 3 <= pages <= 14
    boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", printed)
    assert boxes and all(float(width) < float(height) for width, height in boxes)


def keys(page):
    return re.findall(r'data-color="(#\w+)"[^>]*style="background: ([^"]+?);?"', page)


def as_rgb(color):
    return "rgb({}, {}, {})".format(*(int(color[i : i + 2], 16) for i in (1, 3, 5)))


def test_color_blind_readers_switch_legend_and_maps(full, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(render_report(full), encoding="utf-8")
    plain, safe = dom(tmp_path, path), dom(tmp_path, path, "#color-blind")
    assert len(keys(safe)) == len(CRLM7)
    for tissue in CRLM7.classes:
        wanted = SAFE.get(tissue.name, tissue.color)
        assert dict(keys(safe))[tissue.color] in (wanted, as_rgb(wanted))
        assert dict(keys(plain))[tissue.color] in (tissue.color, as_rgb(tissue.color))
    maps = [re.findall(r'class="tiles recolor" src="([^"]+)"', page) for page in (plain, safe)]
    assert len(maps[0]) == len(maps[1]) == 2
    assert all(one != other for one, other in zip(*maps, strict=True))
    assert safe_colors(maps[1][1]) == {
        SAFE.get(name, CRLM7[name].color)
        for name, count in full.tissue_map.counts().items()
        if count
    }


def safe_colors(uri):
    """The colors of a map but for those of tiles without a class."""
    import base64
    import io

    from PIL import Image

    from napari_crlm_spa.core.report.contents import STATE_COLORS

    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).convert("RGB"))
    found = {"#{:02x}{:02x}{:02x}".format(*color) for color in picture.reshape(-1, 3).tolist()}
    return found - set(STATE_COLORS.values())


def test_a_report_in_safe_colors_offers_no_switch(full, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(render_report(full.in_palette("color-blind safe")), encoding="utf-8")
    assert re.search(r'<label class="switch" hidden="">', dom(tmp_path, path))
