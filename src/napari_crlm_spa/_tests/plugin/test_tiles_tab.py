"""The Tiles tab: buttons are clicked; marks, tiles, files and the map's view are compared."""

import csv

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QItemSelectionModel, Qt

from napari_crlm_spa._tests.plugin.conftest import SLIDE_MPP, write_slide
from napari_crlm_spa._tests.plugin.tile_review import quality_with, reviewed, some_marks
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.quality import QualityMark
from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.core.store.names import QUALITY_ZARR
from napari_crlm_spa.core.store.quality_file import load_quality
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.plugin.map_view import MapKind
from napari_crlm_spa.plugin.quality_words import NO_ANALYSIS, NOT_CHECKED
from napari_crlm_spa.plugin.session import Session
from napari_crlm_spa.plugin.tile_columns import COLUMNS
from napari_crlm_spa.plugin.widgets.tiles import TilesTab
from napari_crlm_spa.plugin.worker import PipelineWorker

NAMES = [column.name for column in COLUMNS]


@pytest.fixture
def session(tmp_path):
    return reviewed(tmp_path)


@pytest.fixture
def make_tab(qtbot):
    made = []

    def make(session):
        tab = TilesTab(session, ViewerModel())
        qtbot.addWidget(tab)
        tab.resize(460, 700)
        tab.show()
        tab.refresh()
        made.append(tab)
        return tab

    yield make
    for tab in made:
        tab.let_go()
    PipelineWorker.await_workers(60_000)


@pytest.fixture
def tab(make_tab, session):
    return make_tab(session)


@pytest.fixture
def marked(session):
    """The session's slide with marks at known tiles."""
    slide = session.current
    session.set_quality(slide, quality_with(some_marks(slide.review.predicted.shape)))
    return slide


def click(qtbot, button):
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def listed(tab):
    """(row, col) of the listed tiles, in order."""
    table, indices = tab.list.table, tab.list.model.indices
    return list(zip(table.rows[indices].tolist(), table.cols[indices].tolist(), strict=True))


def select(tab, *tiles):
    """Select listed tiles as a user does with Ctrl."""
    shown = listed(tab)
    tab.list.view.clearSelection()
    how = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
    for tile in tiles:
        tab.list.view.selectionModel().select(tab.list.model.index(shown.index(tile), 0), how)


def cell(tab, tile, name):
    return tab.list.model.data(tab.list.model.index(listed(tab).index(tile), NAMES.index(name)))


# -- quality ------------------------------------------------------------------------------


def test_without_an_analysis_nothing_can_be_checked(make_tab):
    tab = make_tab(Session())
    assert not tab.quality.check_button.isEnabled()
    assert tab.quality.line.text() == NO_ANALYSIS
    assert tab.list.model.rowCount() == 0


def test_checking_measures_the_slide_and_keeps_the_marks(qtbot, make_tab, tmp_path):
    path = write_slide(tmp_path / "slide.tif", SLIDE_MPP)
    with open_slide(path) as opened:
        info = opened.info
    session = reviewed(tmp_path)
    session.current.info = info
    tab = make_tab(session)
    assert tab.quality.line.text() == NOT_CHECKED
    with qtbot.waitSignal(tab.quality.job.done, timeout=60_000):
        click(qtbot, tab.quality.check_button)
    slide = session.current
    analysis = slide.analysis
    kept = load_quality(analysis.folder, "", analysis.tissue_map.shape)
    np.testing.assert_array_equal(slide.quality.marks, kept.marks)
    assert np.array_equal(slide.quality.measured, analysis.tissue_map.classes > 0)
    # The drawn slide is 4 µm/px: too coarse to tell what is sharp.
    assert "Blur was not judged" in tab.quality.line.text()
    session.set_quality(slide, None)
    session.show_analysis(slide, analysis)
    np.testing.assert_array_equal(slide.quality.marks, kept.marks)


def test_a_slide_that_is_gone_is_a_sentence(qtbot, tab):
    with qtbot.waitSignal(tab.quality.job.failed, timeout=60_000):
        click(qtbot, tab.quality.check_button)
    assert "is not there" in tab.quality.message.text
    assert not (tab._session.current.analysis.folder / QUALITY_ZARR).exists()


def test_marks_are_counted_and_shown_on_the_map(qtbot, tab, session, marked):
    ticks = tab.quality.ticks
    assert [tick.text() for tick in ticks.values()] == ["Blur 2", "Pen 1", "Fold 0", "Air 1"]
    click(qtbot, tab.quality.show_button)
    assert session.view.kind is MapKind.QUALITY


def test_ticked_marks_are_set_aside_as_one_step_that_can_be_undone(qtbot, tab, session, marked):
    review = marked.review
    before = review.tissue_map.classes.copy()
    tumor = review.features.counts["TUM"]
    assert tab.quality.aside_button.text() == "Set 2 aside"
    click(qtbot, tab.quality.aside_button)
    assert review.tissue_map.state[6, 7] == review.tissue_map.state[6, 8] == TileState.SET_ASIDE
    assert review.tissue_map.state[0, 0] == TileState.CLASSIFIED
    assert review.features.counts["TUM"] == tumor - 2
    assert "2 tiles were set aside" in tab.quality.message.text
    assert "Research use only" in tab.quality.message.text
    assert not tab.quality.aside_button.isEnabled()
    click(qtbot, tab.quality.undo_button)
    np.testing.assert_array_equal(review.tissue_map.classes, before)
    assert marked.quality.marked_tiles == 3


def test_air_is_set_aside_when_it_is_asked_for(qtbot, tab, marked):
    for mark, tick in tab.quality.ticks.items():
        tick.setChecked(mark is QualityMark.AIR)
    click(qtbot, tab.quality.aside_button)
    aside = np.argwhere(marked.review.tissue_map.state == TileState.SET_ASIDE)
    assert aside.tolist() == [[0, 0]]


def test_what_a_reader_has_judged_stays(qtbot, tab, session, marked):
    marked.review.accept([6], [7])
    session.tell_review_changed(marked)
    click(qtbot, tab.quality.aside_button)
    assert marked.review.tissue_map.state[6, 7] == TileState.ACCEPTED
    assert marked.review.tissue_map.state[6, 8] == TileState.SET_ASIDE


# -- the table ----------------------------------------------------------------------------


def test_the_table_lists_every_classified_tile(tab, session):
    classes = session.current.review.predicted.classes
    assert listed(tab) == [tuple(tile) for tile in np.argwhere(classes).tolist()]
    assert cell(tab, (6, 7), "class") == "TUM"


def test_a_click_on_a_heading_sorts_and_another_turns_it_round(qtbot, tab, session):
    header = tab.list.view.horizontalHeader()
    section = NAMES.index("strangeness")
    tab.list.view.sortByColumn(section, Qt.SortOrder.DescendingOrder)
    strange = session.current.review.predicted.strangeness
    values = [strange[tile] for tile in listed(tab)]
    assert values == sorted(values, reverse=True)
    assert header.sortIndicatorSection() == section


def test_typing_a_filter_lists_what_it_says_and_a_wrong_one_keeps_the_list(qtbot, tab, session):
    qtbot.keyClicks(tab.list.filters.line, "TUM and strangeness > 1")
    predicted = session.current.review.predicted
    expected = np.argwhere(predicted.mask("TUM") & (predicted.strangeness > 1)).tolist()
    qtbot.waitUntil(lambda: listed(tab) == [tuple(tile) for tile in expected], timeout=60_000)
    assert tab.list.count.text().startswith(f"{len(expected)} of ")
    tab.list.filters.line.setText("TUM and strangeness >")
    qtbot.keyClick(tab.list.filters.line, Qt.Key.Key_Return)
    assert "cannot be understood" in tab.list.filters.problem.text()
    assert tab.list.filters.problem.isVisible()
    assert len(listed(tab)) == len(expected)
    tab.list.filters.line.clear()
    qtbot.keyClick(tab.list.filters.line, Qt.Key.Key_Return)
    assert not tab.list.filters.problem.isVisible()


def test_choosers_narrow_the_list(tab, marked):
    tab.refresh()
    tab.list.filters.marks.setCurrentText("Blur")
    assert listed(tab) == [(6, 7), (6, 8)]
    tab.list.filters.line.setText("not pen")
    tab.list.list_again()
    assert listed(tab) == [(6, 7)]
    tab.list.filters.classes.setCurrentText("Stroma")
    assert listed(tab) == []


def test_a_click_on_a_row_flies_to_its_tile(qtbot, tab, session):
    target = []
    session.fly_wanted.connect(target.append)
    index = tab.list.model.index(listed(tab).index((6, 7)), 0)
    place = tab.list.view
    place.scrollTo(index)
    qtbot.mouseClick(
        place.viewport(), Qt.MouseButton.LeftButton, pos=place.visualRect(index).center()
    )
    assert target[-1].slide_id == session.current.id
    assert target[-1].center_um == (7.5 * 112, 6.5 * 112)


def test_the_arrow_keys_fly_from_tile_to_tile(qtbot, tab, session):
    target = []
    tab.list.view.setCurrentIndex(tab.list.model.index(0, 0))
    session.fly_wanted.connect(target.append)
    qtbot.keyClick(tab.list.view, Qt.Key.Key_Down)
    assert target[-1].center_um == (1.5 * 112, 0.5 * 112)


def test_selected_tiles_are_relabeled_accepted_set_aside_and_restored(qtbot, tab, session):
    review = session.current.review
    assert not tab.actions.isEnabled()
    select(tab, (6, 7), (9, 11))
    assert "2 selected" in tab.list.count.text()
    heard = []
    session.review_changed.connect(heard.append)
    tab.actions.menu.actions()[CRLM7.index("MUC")].trigger()
    assert review.tissue_map.classes[6, 7] == review.tissue_map.classes[9, 11] == 5
    qtbot.waitUntil(lambda: cell(tab, (6, 7), "class") == "MUC", timeout=60_000)
    assert cell(tab, (6, 7), "predicted") == "TUM"
    assert sorted(tab.list.selected().tolist()) == sorted(
        tab.list.table.find(*tile) for tile in ((6, 7), (9, 11))
    )
    click(qtbot, tab.actions.restore)
    assert review.tissue_map.classes[6, 7] == CRLM7.code("TUM")
    click(qtbot, tab.actions.accept)
    assert review.tissue_map.state[9, 11] == TileState.ACCEPTED
    click(qtbot, tab.actions.aside)
    assert review.tissue_map.state[9, 11] == TileState.SET_ASIDE
    assert len(heard) == 4


def test_rows_that_no_longer_pass_leave_and_the_selection_stays_with_its_tiles(qtbot, tab, session):
    tab.list.filters.classes.setCurrentText("Tumor")
    n_tumor = len(listed(tab))
    select(tab, (6, 7), (6, 9))
    review = session.current.review
    review.correct([4, 6], [5, 7], "STR")
    session.tell_review_changed(session.current)
    qtbot.waitUntil(lambda: len(listed(tab)) == n_tumor - 2, timeout=60_000)
    assert tab.list.selected().tolist() == [tab.list.table.find(6, 9)]


def test_another_slide_gets_its_own_table(qtbot, tab, session, tmp_path):
    select(tab, (6, 7))
    reviewed(tmp_path, "other", session)
    session.current.review.correct([0], [0], "MUC")
    tab.refresh()
    assert tab.list.table.slide is session.current
    assert cell(tab, (0, 0), "class") == "MUC"


def test_the_file_holds_exactly_what_is_listed(qtbot, tab, session, marked, tmp_path):
    tab.refresh()
    tab.list.filters.classes.setCurrentText("Tumor")
    tab.list.view.sortByColumn(NAMES.index("interaction_str"), Qt.SortOrder.DescendingOrder)
    shown = listed(tab)
    path = tmp_path / "tiles.csv"
    tab.list.choose_file = lambda _slide: str(path)
    with qtbot.waitSignal(tab.list.job.done, timeout=60_000):
        click(qtbot, tab.list.save_button)
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    assert [(int(row["row"]), int(row["col"])) for row in rows] == shown
    share = marked.features.interaction_maps()["STR"]
    for row, tile in zip(rows, shown, strict=True):
        assert np.float32(row["interaction_str"]) == share[tile]
        assert row["marks"] == QualityMark(int(marked.quality.marks[tile])).title
    assert tab.list.message.text == "Saved as tiles.csv."


def test_a_file_that_cannot_be_written_is_a_sentence(qtbot, tab, tmp_path):
    (tmp_path / "blocked").write_text("")
    with qtbot.waitSignal(tab.list.job.failed, timeout=60_000):
        tab.list.save_to(tmp_path / "blocked" / "tiles.csv")
    assert "could not be written" in tab.list.message.text


def test_a_hidden_tab_does_no_work_until_it_is_seen(qtbot, tab, session):
    tab.hide()
    before = tab.list.table
    session.current.review.correct([6], [7], "MUC")
    session.tell_review_changed(session.current)
    qtbot.wait(500)
    assert tab.list.table is before
    tab.show()
    assert cell(tab, (6, 7), "class") == "MUC"


def test_contributions_come_from_the_keeper(qtbot, tab, session):
    from psygnal import Signal

    class Keeper:
        changed = Signal(object)

        def effects_of(self, slide):
            return self

        def shown_push(self, model):
            return np.arange(480.0).reshape(20, 24)

    keeper = Keeper()
    assert cell(tab, (6, 7), "contribution") == ""
    tab.use_effects(keeper)
    qtbot.waitUntil(lambda: cell(tab, (6, 7), "contribution") == "151.0000", timeout=60_000)


def test_tiles_chosen_on_one_slide_are_not_chosen_on_the_next(tab, session, tmp_path):
    """Set aside would hit tiles that nobody has looked at."""
    select(tab, (6, 7))
    reviewed(tmp_path, "second", session)
    tab.refresh()
    assert tab.list.selected().size == 0
    assert not tab.actions.isEnabled()
