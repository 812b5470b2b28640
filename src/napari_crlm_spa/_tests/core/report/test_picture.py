import numpy as np
import pytest
from PIL import Image

from napari_crlm_spa._tests.core.report.conftest import HOSTILE, make_map, slide_info
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.report import write_tissue_map_png
from napari_crlm_spa.core.report.contents import STATE_COLORS
from napari_crlm_spa.core.report.picture import draw_tissue_map
from napari_crlm_spa.core.report.rasters import rgb_of
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.errors import StoreError


def pixels_at(figure, axes, places):
    """Colors in the middle of tiles (row, col) of one panel."""
    canvas = figure.canvas
    canvas.draw()
    picture = np.asarray(canvas.buffer_rgba())
    at = axes.transData.transform([(col + 0.5, row + 0.5) for row, col in places])
    rows = picture.shape[0] - 1 - at[:, 1].astype(int)
    return picture[rows, at[:, 0].astype(int), :3]


@pytest.mark.parametrize("name", CRLM7.names)
def test_tiles_have_the_color_of_their_class(make_report, name):
    report = make_report()
    places = np.argwhere(report.tissue_map.classes == CRLM7.code(name))
    # Not where the scale bar lies.
    places = [(r, c) for r, c in places if not (r > 31 and c < 12)][:40]
    figure = draw_tissue_map(report)
    assert np.all(pixels_at(figure, figure.axes[2], places) == CRLM7[name].rgb)


def test_tiles_without_a_class_are_told_apart(make_report):
    figure = draw_tissue_map(make_report())
    seen = pixels_at(figure, figure.axes[2], [(0, 0), (1, 0), (2, 0), (0, 5)])
    states = (TileState.BLANK, TileState.EXCLUDED, TileState.UNREADABLE, TileState.GLASS)
    assert [tuple(color) for color in seen] == [rgb_of(STATE_COLORS[state]) for state in states]
    assert len({STATE_COLORS[state] for state in states}) == 4


def test_the_map_lies_on_its_tissue(make_report, codes):
    thumbnail = np.full((504, 616, 3), 255, np.uint8)
    tumor = np.kron(codes == CRLM7.code("TUM"), np.ones((14, 14), bool))
    thumbnail[tumor] = (120, 20, 160)
    figure = draw_tissue_map(make_report(thumbnail=thumbnail))
    places = np.argwhere(codes == CRLM7.code("TUM"))
    slide = pixels_at(figure, figure.axes[0], places)
    assert np.abs(slide.astype(int) - (120, 20, 160)).max() <= 3
    mixed = (np.array((120, 20, 160)) + CRLM7["TUM"].rgb) / 2
    overlay = pixels_at(figure, figure.axes[1], places)
    assert np.abs(overlay - mixed).max() <= 4


def test_legend_tells_counts_areas_and_shares(make_report):
    report = make_report()
    words = [text.get_text() for text in draw_tissue_map(report).axes[3].texts]
    tiles = report.features.counts["TUM"]
    assert f"TUM: {tiles} tiles, {tiles * 0.112**2:.2f}\u00a0mm²" in words
    assert f"{100 * report.features.overall['TUM']:.1f}\u00a0%" in words
    assert {tissue.title for tissue in CRLM7.classes} <= set(words)
    assert "Unreadable (damaged file)" in words


def test_scale_bar_has_its_length(make_report):
    axes = draw_tissue_map(make_report()).axes[2]
    assert axes.texts[0].get_text() == "1\u00a0mm"
    assert axes.patches[0].get_width() * 112 == pytest.approx(1000)


def test_research_use_only_stands_on_the_picture(make_report):
    texts = [text.get_text() for text in draw_tissue_map(make_report()).texts]
    assert any(text.startswith("For research use only") for text in texts)


@pytest.mark.parametrize("name", [HOSTILE, "肝転移.ndpi", "x" * 300 + ".tif", "$\\frac{$"])
def test_any_name_can_be_written(make_report, tmp_path, name):
    path = tmp_path / "tissue_map.png"
    write_tissue_map_png(path, make_report(name))
    with Image.open(path) as picture:
        assert picture.width > 1000


@pytest.mark.parametrize("shape", [(4, 90), (120, 5), (3, 3)])
def test_any_shape_of_slide_fits(make_report, tmp_path, shape):
    tissue_map = make_map(np.full(shape, CRLM7.code("HEP"), np.uint8))
    info = slide_info(width_px=shape[1] * 224, height_px=shape[0] * 224)
    report = make_report(tissue_map=tissue_map, info=info, features=None, risk=None)
    write_tissue_map_png(tmp_path / "map.png", report)
    with Image.open(tmp_path / "map.png") as picture:
        assert 500 < picture.width < 4000
        assert 300 < picture.height < 2000


def test_a_picture_that_cannot_be_written_is_an_error_in_words(make_report, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="could not be written"):
        write_tissue_map_png(tmp_path / "file" / "map.png", make_report())
