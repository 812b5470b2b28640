"""The Tissue box: what is clicked in it reaches the session, what it shows is true."""

import numpy as np
import pytest
from qtpy.QtCore import QRect, Qt
from qtpy.QtGui import QColor

from napari_crlm_spa._tests.plugin.conftest import COLS, known_map
from napari_crlm_spa._tests.plugin.reviewed import reviewed_slide, slide_info
from napari_crlm_spa.core.classes import CRLM7, PALETTES
from napari_crlm_spa.plugin.layers.heat import SCALES
from napari_crlm_spa.plugin.map_view import MapKind
from napari_crlm_spa.plugin.session import Session, TileAt
from napari_crlm_spa.plugin.tables import legend_rows
from napari_crlm_spa.plugin.widgets.legend import POINT, LegendBox

SAFE = "color-blind safe"
PANEL_PX = 448


@pytest.fixture
def session(tmp_path):
    made = Session()
    made.add_slide("a", slide_info())
    made.show_analysis(made.current, reviewed_slide(tmp_path).analysis)
    return made


@pytest.fixture
def box(qtbot, session):
    made = LegendBox(session)
    qtbot.addWidget(made)
    made.resize(PANEL_PX, made.sizeHint().height())
    made.show()
    return made


def row_of(box, name):
    return box.table.row_of(name)


def click(qtbot, box, name, *, double=False):
    """Click on a row as a mouse does: a double click is a click and what follows."""
    at = box.table.visualItemRect(box.table.item(row_of(box, name), 1)).center()
    ground, left = box.table.viewport(), Qt.MouseButton.LeftButton
    qtbot.mouseClick(ground, left, pos=at)
    if double:
        qtbot.mouseDClick(ground, left, pos=at)
        qtbot.mouseRelease(ground, left, pos=at)


def is_dim(box, name):
    return box.table.item(row_of(box, name), 1).data(Qt.ItemDataRole.ForegroundRole) is not None


def swatch_color(box, name):
    """(edge, middle) of a row's swatch; the middle of a hollow one is clear."""
    image = box.table.item(row_of(box, name), 0).icon().pixmap(14, 14).toImage()
    return image.pixelColor(1, 7).name(), image.pixelColor(7, 7)


# -- legend -------------------------------------------------------------------------------


def test_a_click_hides_a_class_and_another_click_shows_it(qtbot, box, session):
    click(qtbot, box, "HEP")
    assert session.view.hidden == {"HEP"}
    click(qtbot, box, "STR")
    assert session.view.hidden == {"HEP", "STR"}
    click(qtbot, box, "HEP")
    assert session.view.hidden == {"STR"}


def test_a_double_click_shows_one_class_alone_and_another_one_all(qtbot, box, session):
    click(qtbot, box, "LYM")
    click(qtbot, box, "TUM", double=True)
    assert session.view.hidden == set(CRLM7.names) - {"TUM"}
    click(qtbot, box, "STR", double=True)
    assert session.view.hidden == set(CRLM7.names) - {"STR"}
    click(qtbot, box, "STR", double=True)
    assert session.view.hidden == frozenset()


def test_a_hidden_class_is_hollow_and_dim_but_counted(qtbot, box, session):
    before = [box.table.text(row_of(box, "HEP"), column) for column in range(4)]
    assert swatch_color(box, "HEP")[1] == QColor(CRLM7["HEP"].color)
    click(qtbot, box, "HEP")
    assert [box.table.text(row_of(box, "HEP"), column) for column in range(4)] == before
    edge, middle = swatch_color(box, "HEP")
    assert edge == CRLM7["HEP"].color
    assert middle.alpha() == 0
    assert is_dim(box, "HEP")
    assert not is_dim(box, "TUM")
    box.bar.all_action.trigger()
    assert session.view.hidden == frozenset()
    assert not is_dim(box, "HEP")


def test_the_counts_follow_a_correction(qtbot, box, session):
    slide = session.current
    before = slide.tissue_map.counts()["LYM"]
    slide.review.correct([0, 0], [0, 1], "LYM")
    session.tell_review_changed(slide)
    qtbot.waitUntil(
        lambda: box.table.text(row_of(box, "LYM"), 1) == f"{before + 2:,}", timeout=60_000
    )


def test_every_palette_can_be_chosen_and_colors_the_legend(box, session):
    assert list(box.bar.palette_actions) == list(PALETTES)
    box.bar.palette_actions[SAFE].trigger()
    assert session.view.palette == SAFE
    assert swatch_color(box, "TUM")[1] == QColor(CRLM7.in_palette(SAFE)["TUM"].color)
    box.bar.palette_actions["standard"].trigger()
    assert swatch_color(box, "TUM")[1] == QColor(CRLM7["TUM"].color)


def test_shares_are_of_tissue_and_background_is_none():
    rows = {row.name: row for row in legend_rows(known_map())}
    assert sum(row.share or 0 for row in rows.values()) == pytest.approx(1)
    assert rows["BACK"].share is None


# -- chooser ------------------------------------------------------------------------------


def choose(combo, text):
    index = combo.findText(text)
    assert index >= 0
    combo.setCurrentIndex(index)
    combo.activated.emit(index)


def test_the_chooser_has_every_map_and_asks_for_a_tissue_where_needed(box, session):
    for kind in MapKind:
        choose(box.bar.chooser, kind.value)
        assert session.view.kind is kind
        assert box.bar.tissue.isVisible() == kind.by_tissue
    choose(box.bar.chooser, MapKind.ZONES.value)
    choose(box.bar.tissue, "Lymphocytes")
    assert session.view.tissue == "LYM"


def test_where_a_map_is_of_one_tissue_a_click_in_the_legend_chooses_it(qtbot, box, session):
    session.set_view(kind=MapKind.INTERACTION, tissue="HEP")
    click(qtbot, box, "STR")
    assert session.view.tissue == "STR"
    assert session.view.hidden == frozenset()
    click(qtbot, box, "TUM", double=True)
    assert session.view.tissue == "STR", "tumor next to tumor is no map"
    assert session.view.hidden == frozenset()


def test_choosing_the_same_map_again_asks_for_it_again(box, session):
    heard = []
    session.view_changed.connect(heard.append)
    choose(box.bar.chooser, MapKind.TISSUE.value)
    assert heard == [session.view]


def test_the_box_follows_keys_and_other_panels(box, session):
    session.set_view(kind=MapKind.ENTROPY, heat_opacity=0.4, outline=False)
    assert box.bar.chooser.currentText() == "Entropy"
    assert box.bar.opacity.value() == 40
    assert not box.bar.outline_action.isChecked()
    box.bar.outline_action.trigger()
    assert session.view.outline


def test_the_opacity_is_that_of_the_map_that_is_shown(box, session):
    box.bar.opacity.setValue(30)
    assert session.view.opacity == pytest.approx(0.3)
    session.set_view(kind=MapKind.ENTROPY)
    box.bar.opacity.setValue(70)
    assert session.view.heat_opacity == pytest.approx(0.7)
    assert session.view.opacity == pytest.approx(0.3)


# -- threshold, scale, key ----------------------------------------------------------------


def test_slider_and_number_are_one_threshold_and_unsure_tiles_are_counted(box, session):
    session.current.tissue_map.probabilities[0, :3] = 1 / 7
    threshold = box.key.threshold
    threshold.slider.setValue(50)
    assert session.view.min_probability == pytest.approx(0.5)
    assert threshold.box.value() == pytest.approx(0.5)
    assert threshold.count.text() == "3 unsure"
    threshold.box.setValue(0.1)
    assert threshold.slider.value() == 10
    assert threshold.count.text() == "0 unsure"
    threshold.box.setValue(0.0)
    assert threshold.count.text() == ""


@pytest.mark.parametrize("kind", SCALES)
def test_a_heat_map_shows_its_scale(box, session, kind):
    session.set_view(kind=kind, tissue="STR")
    assert box.key.currentWidget() is box.key.gradient
    scale = SCALES[kind]
    assert (box.key.gradient.low.text(), box.key.gradient.high.text()) == (
        scale.low_text,
        scale.high_text,
    )
    strip = box.key.gradient.strip
    image = strip.grab().toImage()
    for place in (0.02, 0.98):
        color = image.pixelColor(round(place * strip.width()), strip.height() // 2)
        expected = over_white(scale.colors[0 if place < 0.5 else -1])
        seen = np.array([color.red(), color.green(), color.blue()])
        assert np.abs(seen - expected).max() < 25


def over_white(rgba):
    return 255 * (rgba[3] * np.array(rgba[:3]) + 1 - rgba[3])


def test_zones_show_their_colors_and_a_missing_map_its_reason(box, session):
    session.set_view(kind=MapKind.ZONES, tissue="STR")
    assert "infiltrating" in box.key.swatches.text()
    assert "adjacent" not in box.key.swatches.text()
    session.set_view(tissue="MUC")
    assert box.key.currentWidget() is box.key.sentence
    assert box.key.sentence.text() == "There is no mucus on this slide."


# -- pointer ------------------------------------------------------------------------------


def test_the_tile_under_the_pointer_is_read_in_the_legend(box, session):
    tissue_map = session.current.tissue_map
    tissue_map.probabilities[4, 6] = [0, 0.25, 0, 0.125, 0, 0, 0.625]
    session.hover(TileAt("a", 4, 6))
    here = {name: box.table.text(row_of(box, name), 4) for name in CRLM7.names}
    assert here == {
        "BACK": "0.00",
        "DEB": "0.25",
        "HEP": "0.00",
        "LYM": "0.12",
        "MUC": "0.00",
        "STR": "0.00",
        "TUM": "0.62",
    }
    assert "row 4, col 6" in box.here.text()
    bold = [n for n in CRLM7.names if box.table.item(row_of(box, n), 0).font().bold()]
    assert bold == ["TUM"]


def test_the_bar_is_as_long_as_the_probability(box, session):
    session.current.tissue_map.probabilities[4, 6] = [0, 0, 0, 0, 0, 0.5, 0.5]
    session.hover(TileAt("a", 4, 6))
    color = QColor(CRLM7["STR"].color)
    rect: QRect = box.table.visualItemRect(box.table.item(row_of(box, "STR"), 4))
    image = box.table.viewport().grab(rect).toImage()
    middle = image.height() // 2
    bar = [x for x in range(image.width()) if image.pixelColor(x, middle) == color]
    full = rect.width() - 42
    assert len(bar) == pytest.approx(full / 2, abs=3)


def test_off_the_map_nothing_is_read(box, session):
    session.hover(TileAt("a", 4, 6))
    session.hover(None)
    assert box.here.text() == POINT
    assert box.table.text(row_of(box, "TUM"), 4) == ""
    session.hover(TileAt("a", 0, COLS - 1))
    assert box.here.text().startswith("Glass")
    assert box.table.text(row_of(box, "TUM"), 4) == ""


def test_without_a_map_there_is_no_box(box, session):
    assert box.isVisible()
    session.select(None)
    assert not box.isVisible()


# -- room ---------------------------------------------------------------------------------


def test_the_box_is_small_and_does_not_grow_with_what_it_says(qtbot, box, session):
    box.adjustSize()
    box.resize(PANEL_PX, box.sizeHint().height())
    height = box.sizeHint().height()
    assert height <= 300
    for kind in MapKind:
        session.set_view(kind=kind, tissue="MUC")
        session.hover(TileAt("a", 4, 5))
        assert box.sizeHint().height() == height
        assert box.minimumSizeHint().width() <= PANEL_PX


def test_a_click_in_the_box_leaves_the_keys_to_the_canvas(box):
    widgets = [box.table, box.bar.chooser, box.bar.tissue, box.bar.opacity, box.bar.menu_button]
    widgets.append(box.key.threshold.slider)
    for widget in widgets:
        assert not widget.focusPolicy() & Qt.FocusPolicy.ClickFocus
