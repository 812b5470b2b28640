"""Thumbnails are the slide's pixels at the tile, and figures hold every value."""

import numpy as np
import pytest
from qtpy.QtCore import QSize

from napari_crlm_spa._tests.plugin.conftest import known_map
from napari_crlm_spa._tests.plugin.reviewed import reviewed_slide, slide_info
from napari_crlm_spa._tests.real_data import SHARED, real_data
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.core.tiles import TilingOptions, lay_grid, read_tile
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.plugin import thumbnails as module
from napari_crlm_spa.plugin.plots import Axes, DrawsFigure, Figure, PartsFigure
from napari_crlm_spa.plugin.session import OpenSlide
from napari_crlm_spa.plugin.thumbnails import READ_PX, Thumbnails, read_thumbnail

PINK, DARK = (235, 200, 220), (90, 40, 110)


def test_a_thumbnail_shows_the_tile_in_the_middle_of_its_surroundings(slide_path):
    with open_slide(slide_path) as slide:
        # The drawn tumor begins at row 4, column 5.
        picture = read_thumbnail(slide, known_map(), 4, 5)
    assert picture.shape == (READ_PX, READ_PX, 3)
    quarter = READ_PX // 4
    assert np.allclose(picture[quarter + 9, quarter + 9], DARK, atol=3)
    assert np.allclose(picture[quarter - 9, quarter + 9], PINK, atol=3)
    assert np.allclose(picture[quarter + 9, quarter - 9], PINK, atol=3)


@real_data
def test_on_a_real_slide_it_is_the_tile_that_was_classified():
    with open_slide(SHARED / "slides" / "CMU-1-Small-Region.svs") as slide:
        grid = lay_grid(slide.info, TilingOptions())
        tissue_map = TissueMap.empty(grid, CRLM7)
        tile = read_tile(slide, grid, 3, 4)
        picture = read_thumbnail(slide, tissue_map, 3, 4)
    quarter = READ_PX // 4
    inside = picture[quarter:-quarter, quarter:-quarter].astype(float)
    side = tile.shape[0] / inside.shape[0]
    reduced = _reduced(tile, inside.shape[0])
    assert side > 1
    assert np.abs(inside - reduced).mean() < 4


def _reduced(tile, side):
    from PIL import Image

    picture = Image.fromarray(tile).resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(picture, float)


@pytest.fixture
def loaded(qtbot, slide_path):
    loader = Thumbnails()
    yield loader
    loader.stop()


def of_file(path):
    slide = OpenSlide("a", slide_info(), known_map())
    object.__setattr__(slide.info, "path", path)
    return slide


def test_what_is_wished_is_read_and_kept(loaded, slide_path, qtbot):
    loaded.look_at(of_file(slide_path))
    assert loaded.get(6, 7) is None
    with qtbot.waitSignal(loaded.ready, timeout=60_000) as told:
        pass
    assert told.args == [6, 7]
    color = loaded.get(6, 7).toImage().pixelColor(READ_PX // 2, READ_PX // 2)
    assert np.allclose((color.red(), color.green(), color.blue()), DARK, atol=3)


def test_a_slide_that_is_gone_has_no_pictures_and_is_not_asked_again(loaded, tmp_path, qtbot):
    loaded.look_at(of_file(tmp_path / "gone.tif"))
    with qtbot.waitSignal(loaded.ready, timeout=60_000):
        assert loaded.get(6, 7) is None
    assert loaded.known(6, 7)
    qtbot.waitUntil(lambda: not len(loaded.workers), timeout=60_000)
    assert loaded.get(6, 7) is None
    assert not len(loaded.workers)


def test_only_so_many_pictures_are_kept(loaded, slide_path, qtbot, monkeypatch):
    monkeypatch.setattr(module, "MOST_KEPT", 3)
    loaded.look_at(of_file(slide_path))
    for col in range(6):
        loaded.get(6, col)
    qtbot.waitUntil(lambda: not len(loaded.workers), timeout=60_000)
    assert sum(loaded.known(6, col) for col in range(6)) == 3


def test_another_slide_has_other_pictures(loaded, slide_path, tmp_path, qtbot):
    slide = of_file(slide_path)
    loaded.look_at(slide)
    with qtbot.waitSignal(loaded.ready, timeout=60_000):
        loaded.get(6, 7)
    loaded.look_at(slide)
    assert loaded.known(6, 7)
    loaded.look_at(reviewed_slide(tmp_path))
    assert not loaded.known(6, 7)


# -- figures ------------------------------------------------------------------------------


def test_a_score_has_a_bar_for_each_of_its_values():
    figure = DrawsFigure("score", np.array([0.5, 0.0, 0.5, 0.25, 0.5]), cut=0.25)
    assert [n for *_, n in figure.bars()] == [1, 1, 3]
    middles = [(left + right) / 2 for left, right, _ in figure.bars()]
    assert middles == pytest.approx([0, 0.25, 0.5])
    assert [figure.is_beyond(x) for x in middles] == [False, True, True]
    strict = DrawsFigure("score", figure.values, cut=0.25, cut_is_high=False)
    assert [strict.is_beyond(x) for x in middles] == [False, False, True]


def test_a_feature_has_bins_that_hold_every_draw():
    values = np.random.default_rng(0).normal(size=200)
    bars = DrawsFigure("a", values).bars()
    assert sum(n for *_, n in bars) == 200
    assert bars[0][0] == values.min()
    assert bars[-1][1] == values.max()


def test_equal_draws_are_one_bar():
    assert [n for *_, n in DrawsFigure("a", np.full(7, 0.3)).bars()] == [7]
    assert DrawsFigure("a", np.array([])).bars() == []


def test_axes_are_linear_and_logarithmic():
    axes = Axes(QSize(400, 200), (1, 100), (0, 1), log_x=True)
    assert axes.x_of(10) == pytest.approx((axes.x_of(1) + axes.x_of(100)) / 2)
    assert axes.y_of(0.5) == pytest.approx((axes.y_of(0) + axes.y_of(1)) / 2)
    assert axes.y_of(1) < axes.y_of(0)


@pytest.mark.parametrize(
    "content",
    [
        None,
        DrawsFigure("a", np.array([])),
        DrawsFigure("a", np.array([0.0]), own=0.0, cut=0.0, low=0.0, high=0.0, by_group=True),
        PartsFigure("a", *(np.array([1.0]) for _ in range(4)), own=1.0),
        PartsFigure("a", *([np.array([1.0, 2.0])] * 3), np.array([np.nan, 0.5]), np.zeros(2)),
    ],
)
def test_every_figure_can_be_drawn(qtbot, content):
    figure = Figure()
    qtbot.addWidget(figure)
    figure.resize(420, figure.height())
    figure.show_content(content)
    image = figure.grab().toImage()
    colors = {image.pixel(x, y) for x in range(0, 420, 2) for y in range(0, image.height(), 2)}
    assert len(colors) > 1
