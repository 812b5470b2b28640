"""Figures: every pixel where it belongs, the numbers of the legend, and what is kept inside."""

import csv
import json
import re

import numpy as np
import pytest
from PIL import Image

from napari_crlm_spa._tests.core.test_geojson import reviewed_map
from napari_crlm_spa._tests.drawn_slides import halved
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.map_colors import ZONE_COLORS, Scale
from napari_crlm_spa.core.report.figure import (
    FigureOptions,
    FigureSubject,
    HeatMap,
    map_of,
    render,
    render_figure,
)
from napari_crlm_spa.core.report.figure import draw as drawing
from napari_crlm_spa.core.report.rasters import rgb_of
from napari_crlm_spa.core.slide import ArraySlide
from napari_crlm_spa.core.spatial import Zone, spatial_features
from napari_crlm_spa.errors import FeatureError, ReviewError, StoreError

ROWS, COLS, STRIDE = 12, 14, 112.0
TUM, HEP = CRLM7.code("TUM"), CRLM7.code("HEP")
BARE = {"legend": False, "outline": False, "scale_bar": False}
RUN = {
    "identity": "cd" * 32,
    "slide": {"path": "/home/patient name/slide.svs", "fingerprint": "f" * 64},
    "model": {"name": "m", "sha256": "ab" * 32},
}


class Watched(ArraySlide):
    """Remembers which levels were read."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.read = []

    def read_level(self, level, *args):
        self.read.append(level)
        return super().read_level(level, *args)


@pytest.fixture
def subject():
    """Liver and tumor of known place; the tissue of each tile has a color of its own."""
    source = reviewed_map()
    rng = np.random.default_rng(0)
    colors = rng.integers(0, 255, (ROWS, COLS, 3), np.uint8)
    pixels = colors.repeat(56, axis=0).repeat(56, axis=1)  # 2 µm/px
    slide = Watched([pixels, halved(pixels), halved(halved(pixels))], mpp=2.0)
    made = FigureSubject(
        tissue_map=source.predicted,
        slide=slide,
        features=spatial_features(source.predicted),
        run=RUN,
        reader="A",
    )
    return made, colors


def figure(path, subject, region_um=None, hidden=(), shown=None, **options):
    """Render; return the pixels of a PNG, or nothing."""
    chosen = FigureOptions(**{"dpi": 100, **options})
    work = render_figure(path, subject, chosen, region_um=region_um, hidden=hidden, shown=shown)
    list(work)
    return np.asarray(Image.open(path).convert("RGB")) if path.suffix == ".png" else None


def middles(pixels, rows=ROWS, cols=COLS):
    """The color in the middle of each tile, if the tiles fill the picture."""
    height, width = pixels.shape[:2]
    y = ((np.arange(rows) + 0.5) * height / rows).astype(int)
    x = ((np.arange(cols) + 0.5) * width / cols).astype(int)
    return pixels[y][:, x]


def test_tiles_have_the_color_of_their_class_and_hidden_ones_none(subject, tmp_path):
    subject, _ = subject
    pixels = figure(tmp_path / "f.png", subject, slide=False, opacity=1.0, **BARE)
    seen, classes = middles(pixels), subject.tissue_map.classes
    assert np.all(seen[classes == TUM] == CRLM7["TUM"].rgb)
    assert np.all(seen[classes == HEP] == CRLM7["HEP"].rgb)
    pixels = figure(tmp_path / "f.png", subject, hidden=["HEP"], slide=False, opacity=1.0, **BARE)
    assert np.all(middles(pixels)[classes == HEP] == 255)


def test_the_tissue_lies_under_its_tiles(subject, tmp_path):
    subject, colors = subject
    bare = figure(tmp_path / "f.png", subject, kind="none", **BARE)
    assert np.abs(middles(bare).astype(int) - colors).max() <= 2
    mixed = figure(tmp_path / "f.png", subject, opacity=0.5, **BARE)
    expected = (colors[4, 5].astype(int) + CRLM7["TUM"].rgb) / 2
    assert np.abs(middles(mixed)[4, 5] - expected).max() <= 2


def test_a_region_shows_its_tiles_and_nothing_else(subject, tmp_path):
    subject, colors = subject
    region = (3 * STRIDE, 2 * STRIDE, 5 * STRIDE, 4 * STRIDE)
    pixels = figure(tmp_path / "f.png", subject, region, kind="none", **BARE)
    assert np.abs(middles(pixels, 4, 5).astype(int) - colors[2:6, 3:8]).max() <= 2
    assert pixels.shape[0] / pixels.shape[1] == pytest.approx(4 / 5, rel=0.01)


def test_beyond_slide_and_map_it_is_white(subject, tmp_path):
    subject, _ = subject
    region = (-4 * STRIDE, 0, 8 * STRIDE, 4 * STRIDE)
    pixels = figure(tmp_path / "f.png", subject, region, **BARE)
    assert np.all(middles(pixels, 4, 8)[:, :4] == 255)


def test_width_and_dpi_are_those_asked_for(subject, tmp_path):
    subject, _ = subject
    for legend in (True, False):
        figure(tmp_path / "f.png", subject, width_mm=127.0, dpi=100, legend=legend)
        found = Image.open(tmp_path / "f.png")
        assert found.width == 500
        assert found.info["dpi"] == pytest.approx((100, 100), abs=0.1)


@pytest.mark.parametrize(("dpi", "level"), [(50, 2), (150, 1), (400, 0)])
def test_the_tissue_comes_from_the_level_that_fits(subject, dpi, level, tmp_path):
    subject, _ = subject
    # 1568 µm on 50.8 mm: 15.7, 5.2 and 2.0 µm/px; the levels have 2, 4 and 8.
    figure(tmp_path / "f.png", subject, width_mm=50.8, dpi=dpi, **BARE)
    assert set(subject.slide.read) == {level}


@pytest.mark.parametrize("suffix", [".png", ".tif", ".pdf", ".svg"])
def test_what_repeats_the_figure_stands_inside(subject, suffix, tmp_path):
    subject, _ = subject
    path, region = tmp_path / f"f{suffix}", (112.0, 0.0, 560.0, 448.0)
    figure(path, subject, region, hidden=["MUC"], dpi=60, width_mm=80.0)
    if suffix == ".png":
        text = Image.open(path).text["Description"]
    elif suffix == ".tif":
        text = Image.open(path).tag_v2[270]
    elif suffix == ".svg":
        text = re.search("<dc:description>(.*?)</dc:description>", path.read_text("utf-8"))[1]
    else:
        text = re.search(rb"/Subject \((.*?[^\\])\)\n?", path.read_bytes(), re.S)[1].decode()
        text = re.sub(r"\\([()\\])", r"\1", text)
    told = json.loads(text)
    assert told["slide"] == {"path": "slide.svs", "fingerprint": "f" * 64}
    assert told["model"]["sha256"] == "ab" * 32
    assert told["region_um"] == list(region)
    assert told["view"]["hidden"] == ["MUC"]
    assert (told["view"]["dpi"], told["reader"]) == (60, "A")
    assert "patient name" not in text


@pytest.mark.parametrize("suffix", [".png", ".tif", ".pdf", ".svg"])
def test_the_same_figure_is_the_same_file(subject, suffix, tmp_path):
    subject, _ = subject
    for name in "ab":
        figure(tmp_path / f"{name}{suffix}", subject, dpi=60, width_mm=120.0)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_the_table_beside_it_counts_the_tiles_of_the_region(subject, tmp_path):
    subject, _ = subject
    region = (3 * STRIDE, 0, 9 * STRIDE, 4 * STRIDE)
    figure(tmp_path / "f.png", subject, region, dpi=60)
    with (tmp_path / "f.csv").open(newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert (rows["TUM"]["tiles"], rows["HEP"]["tiles"]) == ("18", "18")
    assert float(rows["TUM"]["mm2"]) == pytest.approx(18 * 0.112**2)
    assert float(rows["TUM"]["share"]) == 0.5
    assert rows["BACK"]["share"] == ""
    assert rows["TUM"]["color"] == CRLM7["TUM"].color


def test_the_table_of_a_heat_map_has_its_quartiles(subject, tmp_path):
    subject, _ = subject
    figure(tmp_path / "f.png", subject, kind="confidence", dpi=60)
    told = dict(csv.reader((tmp_path / "f.csv").open()))
    assert (told["tiles"], told["median"], told["highest"]) == (str(ROWS * COLS), "0.75", "0.75")


def test_a_heat_map_has_the_colors_of_its_scale(subject, tmp_path):
    subject, _ = subject
    values = np.full((ROWS, COLS), np.nan)
    values[0], values[1], values[2] = 0.0, 5.0, 99.0
    scale = Scale(
        "made up",
        low=0.0,
        high=10.0,
        low_text="0",
        high_text="10",
        colors=((0, 0, 1, 1), (0, 1, 0, 1), (1, 0, 0, 1)),
    )
    options = {"slide": False, "opacity": 1.0, **BARE}
    pixels = figure(tmp_path / "f.png", subject, shown=HeatMap("x", values, scale), **options)
    seen = middles(pixels)
    assert np.abs(seen[0].astype(int) - (0, 0, 255)).max() <= 1
    assert np.abs(seen[1].astype(int) - (0, 255, 0)).max() <= 1
    assert np.abs(seen[2].astype(int) - (255, 0, 0)).max() <= 1
    assert np.all(seen[3:] == 255)


def test_zones_have_the_colors_of_the_zones(subject, tmp_path):
    subject, _ = subject
    options = {"kind": "zones", "tissue": "HEP", "slide": False, "opacity": 1.0, **BARE}
    seen = middles(figure(tmp_path / "f.png", subject, **options))
    for zone, color in ZONE_COLORS.items():
        at = subject.features.zone_masks()["HEP"] == zone
        assert np.all(seen[at] == rgb_of(color))
    assert (subject.features.zone_masks()["HEP"] == Zone.INFILTRATING).any()


def test_unsure_tiles_are_gray_but_not_those_that_a_reader_has_seen():
    source = reviewed_map()
    shown = map_of(source.tissue_map, None, FigureOptions(min_probability=0.8))
    unsure = next(entry.code for entry in shown.entries if entry.name == "unsure")
    assert shown.codes[0, 0] == CRLM7.code("STR")
    assert shown.codes[0, 1] == HEP
    assert shown.codes[0, 2] == 0
    assert np.all(shown.codes[1:] == unsure)


def drawn_texts(monkeypatch, path, subject, **more):
    kept = []
    monkeypatch.setattr(render, "draw", lambda *args: kept.append(drawing.draw(*args)) or kept[-1])
    figure(path, subject, **more)
    return [text.get_text() for axes in kept[0].axes for text in axes.texts], kept[0]


def test_the_scale_bar_has_its_length(subject, tmp_path, monkeypatch):
    subject, _ = subject
    texts, drawn = drawn_texts(monkeypatch, tmp_path / "f.png", subject)
    assert "200\u00a0µm" in texts
    assert any(patch.get_width() == pytest.approx(200) for patch in drawn.axes[0].patches)


def test_a_warning_of_a_map_stands_in_the_legend(subject, tmp_path, monkeypatch):
    subject, _ = subject
    ends = {"low_text": "0", "high_text": "1", "colors": ((0, 0, 0, 1), (1, 1, 1, 1))}
    scale = Scale("made up", low=0.0, high=1.0, warning="Research use only", **ends)
    shown = HeatMap("Contribution to the risk", np.zeros((ROWS, COLS)), scale)
    texts, _ = drawn_texts(monkeypatch, tmp_path / "f.png", subject, shown=shown)
    assert "Research use only" in texts


@pytest.mark.parametrize("width_mm", [60.0, 180.0])
@pytest.mark.parametrize("kind", ["tissue", "strangeness", "interaction"])
def test_no_letter_of_the_legend_is_cut_off(subject, width_mm, kind, tmp_path, monkeypatch):
    subject, _ = subject
    _, drawn = drawn_texts(
        monkeypatch, tmp_path / "f.png", subject, width_mm=width_mm, kind=kind, dpi=100
    )
    page = drawn.bbox.padded(1)
    boxes = [text.get_window_extent() for axes in drawn.axes for text in axes.texts]
    for box in boxes:
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1
    legend = [text.get_window_extent() for text in drawn.axes[1].texts]
    for i, one in enumerate(legend):
        for other in legend[i + 1 :]:
            assert not one.padded(-1).overlaps(other.padded(-1))


def test_a_region_beside_the_map_is_refused(subject, tmp_path):
    subject, _ = subject
    inf, nan = np.inf, np.nan
    beside = [(9e5, 0.0, 100.0, 100.0), (0.0, 0.0, 0.0, 5.0), (0.0, 0.0, nan, 5.0)]
    endless = [(0.0, 0.0, inf, 5.0), (0.0, nan, 5.0, 5.0), (-inf, 0.0, inf, 5.0), (0, 0, 1e300, 5)]
    for region in beside + endless:
        with pytest.raises(ReviewError, match="holds no part"):
            figure(tmp_path / "f.png", subject, region)
    assert list(tmp_path.iterdir()) == []


def test_a_figure_never_replaces_a_table_of_another_kind(subject, tmp_path):
    subject, _ = subject
    (tmp_path / "features.csv").write_text("slide,Overall_Stroma_ratio\na,0.1\n")
    with pytest.raises(StoreError, match="is another table"):
        figure(tmp_path / "features.png", subject)
    assert [path.name for path in tmp_path.iterdir()] == ["features.csv"]
    figure(tmp_path / "features.png", subject, kind="none")  # writes no numbers
    for kind in ("tissue", "entropy", "tissue"):  # its own table it does replace
        figure(tmp_path / "f.png", subject, kind=kind)


def test_what_cannot_be_written_is_said(subject, tmp_path):
    subject, _ = subject
    with pytest.raises(StoreError, match=r"\.svg"):
        figure(tmp_path / "f.bmp", subject)
    with pytest.raises(ReviewError, match="million pixels"):
        figure(tmp_path / "f.png", subject, width_mm=1000.0, dpi=2400)
    with pytest.raises(ReviewError, match="no class XYZ"):
        figure(tmp_path / "f.png", subject, hidden=["XYZ"])
    without = FigureSubject(tissue_map=subject.tissue_map)
    with pytest.raises(FeatureError, match="spatial features"):
        figure(tmp_path / "f.png", without, kind="zones")


def test_a_closed_figure_leaves_no_file(subject, tmp_path):
    subject, _ = subject
    work = render_figure(tmp_path / "f.png", subject)
    next(work)
    work.close()
    assert list(tmp_path.iterdir()) == []
