"""The Doubt tab in a real viewer: by buttons, mouse and keys, its numbers are the core's."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_crlm_spa._tests.plugin.canvas_mouse import CanvasMouse
from napari_crlm_spa._tests.plugin.conftest import STRIDE_UM, known_map
from napari_crlm_spa._tests.plugin.correcting import in_front, review_of
from napari_crlm_spa._tests.plugin.doubting import (  # noqa: F401 - fixtures
    ask,
    asked_fixture,
    panel_fixture,
    states_at,
    unsure_analysis,
)
from napari_crlm_spa._tests.plugin.reviewed import run
from napari_crlm_spa.core.review.adequacy import AdequacyOptions, sampling_adequacy
from napari_crlm_spa.core.review.doubt_queue import doubt_queue
from napari_crlm_spa.core.review.effects import tile_effects
from napari_crlm_spa.core.review.fragility import fragility
from napari_crlm_spa.core.review.interval import IntervalOptions, score_interval
from napari_crlm_spa.core.spatial import spatial_features
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.plugin.doubt_results import Question
from napari_crlm_spa.plugin.doubt_work import SCORE, queue_of
from napari_crlm_spa.plugin.widgets.doubt_box import NOT_YET, STALE
from napari_crlm_spa.plugin.widgets.doubt_figures import GROUP
from napari_crlm_spa.plugin.widgets.doubt_walk import ALL_SEEN, RUNNING

FEW = {"draws": 40, "repeats": 6}


def few(box):
    """Ask for less, so that the answer is there soon."""
    for name, number in FEW.items():
        if name in box.form.editors:
            box.form.editors[name].set(number)


def click_tile(qtbot, gallery, position):
    gallery.scrollTo(gallery.tiles.index(position, 0))
    at = gallery.visualRect(gallery.tiles.index(position, 0)).center()
    qtbot.mouseClick(gallery.viewport(), Qt.MouseButton.LeftButton, pos=at)


def places(walk):
    return [(tile.row, tile.col) for tile in walk.tiles]


# -- what cannot be asked -----------------------------------------------------------------


def test_without_a_result_nothing_can_be_asked(make_napari_viewer_proxy):
    from napari_crlm_spa.plugin.session import Session
    from napari_crlm_spa.plugin.widgets.doubt import DoubtTab

    tab = DoubtTab(Session(), make_napari_viewer_proxy())
    for box in tab.boxes:
        assert not box.run_button.isEnabled()
        assert box.note.text() == NOT_YET
        assert box.answer.isHidden()
    tab.let_go()


def test_without_cut_offs_each_box_says_why_and_the_way_out(panel, qtbot):
    tab = panel.doubt
    assert not tab.flip.run_button.isEnabled()
    for box in tab.boxes:
        assert "Risk tab" in box.note.text()
    few(tab.interval)
    ask(qtbot, tab.interval)
    shown = [tab.interval.quantity.itemData(i) for i in range(tab.interval.quantity.count())]
    assert shown == [f.column for f in panel.session.risk_model.features]
    ask(qtbot, tab.queue)
    assert tab.queue.walk.tiles


def test_a_slide_without_risk_is_ordered_by_doubt_alone():
    found = unsure_analysis("nowhere")
    features = replace(found.features, refusal="Too little tumor.")
    box_model = found.risk.model
    table = run(queue_of(features, box_model, None))
    pd.testing.assert_frame_equal(table, doubt_queue(features.tissue_map, None))
    assert table["product"].tolist() == table["uncertainty"].tolist()


# -- what would flip it -------------------------------------------------------------------


def test_the_tiles_that_would_flip_the_group_are_the_cores(asked, qtbot):
    box, session = asked.doubt.flip, asked.session
    found = ask(qtbot, box)
    expected = run(fragility(session.current.features, session.risk_model))
    assert found.found
    assert found.tiles.rows.tolist() == expected.tiles.rows.tolist()
    assert places(box.walk) == list(zip(expected.tiles.rows, expected.tiles.cols, strict=True))
    assert box.sentence.text() == expected.sentence
    assert [(t.name, t.other) for t in box.walk.tiles] == [("TUM", "DEB")] * len(expected.tiles)


def test_a_click_flies_to_the_tile_and_changes_nothing(asked, qtbot):
    box, flown = asked.doubt.flip, []
    ask(qtbot, box)
    asked.session.fly_wanted.connect(flown.append)
    click_tile(qtbot, box.walk.gallery, 1)
    row, col = places(box.walk)[1]
    assert [target.center_um for target in flown] == [
        ((col + 0.5) * STRIDE_UM, (row + 0.5) * STRIDE_UM)
    ]
    click_tile(qtbot, box.walk.gallery, 1)
    assert len(flown) == 2
    assert not review_of(asked).log


def test_correcting_them_one_by_one_does_flip_the_group(asked, qtbot):
    box = asked.doubt.flip
    ask(qtbot, box)
    box.walk.next_button.click()
    for n_done in range(1, len(box.walk.tiles) + 1):
        assert not review_of(asked).group_flipped
        qtbot.keyClick(box.walk.gallery, Qt.Key.Key_2)
        assert len(review_of(asked).log) == n_done
    assert review_of(asked).group_flipped
    assert ALL_SEEN in box.walk.progress.text()


# -- look at these next -------------------------------------------------------------------


def test_the_queue_is_the_cores(asked, qtbot):
    session = asked.session
    found = ask(qtbot, asked.doubt.queue)
    features, model = session.current.features, session.risk_model
    effects = run(tile_effects(features, [f.column for f in model.features]))
    pd.testing.assert_frame_equal(found, doubt_queue(features.tissue_map, effects.push(model)))
    table = list(zip(found["row"], found["col"], strict=True))
    assert places(asked.doubt.queue.walk) == table
    assert asked.doubt.queue.fold.title.endswith(f"{len(found)} tiles")


def test_a_queue_is_reviewed_by_keys_alone(asked, qtbot):
    walk = asked.doubt.queue.walk
    ask(qtbot, asked.doubt.queue)
    n = len(walk.tiles)
    assert n >= 4
    assert walk.progress.text() == f"{n} tiles · 0 settled"
    review = review_of(asked)
    for key in (Qt.Key.Key_A, Qt.Key.Key_6, Qt.Key.Key_7, Qt.Key.Key_Return):
        # The first key looks at the first tile: nobody judges what was not seen.
        qtbot.keyClick(walk.gallery, key)
    assert walk.progress.text() == f"4 of {n} · 2 settled"
    assert states_at(review, walk.tiles)[:4].tolist() == [
        TileState.EDITED,
        TileState.ACCEPTED,  # it was tumor already
        TileState.CLASSIFIED,
        TileState.CLASSIFIED,
    ]
    names = [entry.action.value for entry in review.log]
    assert names == ["correct", "accept"]
    qtbot.keyClick(walk.gallery, Qt.Key.Key_0)
    assert states_at(review, walk.tiles)[3] == TileState.SET_ASIDE
    qtbot.keyClick(walk.gallery, Qt.Key.Key_Left)
    at = walk.gallery.position
    qtbot.keyClick(walk.gallery, Qt.Key.Key_Z)
    assert states_at(review, walk.tiles)[3] == TileState.CLASSIFIED
    assert walk.gallery.position == 3 != at or at == 3


def test_the_keys_work_on_the_canvas_while_the_tab_is_seen_and_no_longer(asked, qtbot):
    walk, review = asked.doubt.queue.walk, review_of(asked)
    ask(qtbot, asked.doubt.queue)
    mouse = CanvasMouse(asked._viewer, asked)
    mouse.key(Qt.Key.Key_A)
    # The first key goes to the first tile: nobody judges what was not seen.
    assert not review.log
    assert walk.gallery.position == 0
    mouse.key(Qt.Key.Key_A)
    mouse.key(Qt.Key.Key_2)
    mouse.key(Qt.Key.Key_Right)
    assert [entry.action.value for entry in review.log] == ["accept", "correct"]
    assert walk.gallery.position == 3
    in_front(asked, asked.features)
    QApplication.processEvents()
    mouse.key(Qt.Key.Key_A)
    assert len(review.log) == 2
    in_front(asked, asked.doubt)
    QApplication.processEvents()
    mouse.key(Qt.Key.Key_A)
    assert len(review.log) == 3


def test_the_walk_that_was_begun_last_has_the_keys(asked, qtbot):
    tab = asked.doubt
    ask(qtbot, tab.flip)
    ask(qtbot, tab.queue)
    tab.flip.walk.next_button.click()
    tab.queue.walk.next_button.click()
    before = tab.flip.walk.gallery.position
    CanvasMouse(asked._viewer, asked).key(Qt.Key.Key_Right)
    assert tab.flip.walk.gallery.position == before
    assert tab.queue.walk.gallery.position == 1


def test_nothing_is_corrected_while_the_slide_is_analyzed(asked, qtbot):
    walk = asked.doubt.queue.walk
    ask(qtbot, asked.doubt.queue)
    walk.next_button.click()
    started = asked.session.begin_run(asked.session.current.id, 0.0)
    walk.accept()
    assert RUNNING in walk.progress.text()
    assert not review_of(asked).log
    asked.session.end_run(started)


# -- interval and tissue ------------------------------------------------------------------


def test_the_interval_and_its_figure_are_the_cores(asked, qtbot):
    box, session = asked.doubt.interval, asked.session
    few(box)
    found = ask(qtbot, box)
    features = session.current.features
    expected = run(
        score_interval(
            features.tissue_map, features, session.risk_model, IntervalOptions(draws=FEW["draws"])
        )
    )
    pd.testing.assert_frame_equal(found.draws, expected.draws)
    assert f"{expected.share_high:.0%} of the draws" in box.sentence.text()
    row = expected.summary().set_index("quantity").loc[SCORE]
    content = box.figure.content
    assert (content.low, content.high, content.own) == (row["low"], row["high"], row["own"])
    in_bars = sum(n for left, right, n in content.bars() if content.is_beyond((left + right) / 2))
    assert in_bars == round(expected.share_high * len(expected.draws))


def test_a_feature_can_be_looked_at_instead_of_the_score(asked, qtbot):
    box = asked.doubt.interval
    few(box)
    found = ask(qtbot, box)
    column = "Overall_Debris_ratio"
    box.quantity.setCurrentIndex(box.quantity.findData(column))
    assert np.array_equal(box.figure.content.values, found.draws[column].to_numpy())
    assert box.figure.content.cut == 0.0145
    assert sum(n for *_, n in box.figure.content.bars()) == FEW["draws"]


def test_the_adequacy_is_the_cores(asked, qtbot):
    box, session = asked.doubt.adequacy, asked.session
    few(box)
    found = ask(qtbot, box)
    features = session.current.features
    options = AdequacyOptions(repeats=FEW["repeats"])
    expected = run(
        sampling_adequacy(features.tissue_map, features, session.risk_model, options)
    ).summary()
    pd.testing.assert_frame_equal(found.summary(), expected)
    assert box.quantity.currentData() == GROUP
    assert np.array_equal(box.figure.content.mean, expected["own_group_share_of_all"])
    box.quantity.setCurrentIndex(box.quantity.findData(SCORE))
    assert np.array_equal(box.figure.content.area_mm2, found.parts.dropna(subset="score").area_mm2)


# -- results and the state they belong to -------------------------------------------------


def test_an_answer_is_marked_once_a_tile_is_edited_and_fresh_when_asked_again(asked, qtbot):
    box, session = asked.doubt.flip, asked.session
    first = ask(qtbot, box)
    assert box.stale.isHidden()
    session.current.review.accept([0], [0])
    session.tell_review_changed(session.current)
    qtbot.waitUntil(lambda: not box.stale.isHidden(), timeout=60_000)
    assert box.stale.text() == STALE
    assert box.result is first
    assert box.walk.tiles
    ask(qtbot, box)
    assert box.stale.isHidden()


def test_an_edit_while_it_is_computed_marks_the_answer(asked, qtbot):
    box, session = asked.doubt.interval, asked.session
    few(box)
    box.fold.set_open(True)
    with qtbot.waitSignal(box.job.done, timeout=20_000):
        box.run_button.click()
        session.current.review.accept([0], [0])
        session.tell_review_changed(session.current)
    assert not box.stale.isHidden()


def test_another_risk_model_marks_the_answer(asked, qtbot):
    box = asked.doubt.queue
    ask(qtbot, box)
    asked.risk.choose("paper_eq1")
    qtbot.waitUntil(lambda: not box.stale.isHidden(), timeout=60_000)


def test_a_new_analysis_and_another_reader_begin_anew(asked, qtbot, tmp_path):
    box, session = asked.doubt.queue, asked.session
    ask(qtbot, box)
    session.set_reader("Ada")
    assert box.result is None
    assert box.answer.isHidden()
    assert not box.walk.tiles


def test_answers_stay_with_their_slide(asked, qtbot, slide_without_mpp):
    box, session = asked.doubt.queue, asked.session
    first = session.current
    found = ask(qtbot, box)
    asked.open_slide(str(slide_without_mpp))
    assert session.current is not first
    assert box.result is None
    session.select(first.id)
    assert box.result is found
    assert len(box.walk.tiles) == len(found)


def test_a_job_ends_with_its_slide(asked, qtbot, slide_without_mpp):
    box, session = asked.doubt.interval, asked.session
    first = session.current
    box.form.editors["draws"].set(100_000)
    box.run_button.click()
    asked.open_slide(str(slide_without_mpp))
    assert not box.job.busy
    assert asked.doubt.results.get(first, Question.INTERVAL) is None


def test_cancel_leaves_the_earlier_answer(asked, qtbot):
    box = asked.doubt.interval
    few(box)
    found = ask(qtbot, box)
    box.form.editors["draws"].set(100_000)
    box.run_button.click()
    assert not box.run_button.isEnabled()
    with qtbot.waitSignal(box.job.cancelled, timeout=20_000):
        box.job.cancel_button.click()
    assert box.message.text == "Stopped."
    assert box.result is found
    assert box.run_button.isEnabled()


@pytest.mark.parametrize("name", ["flip", "queue", "interval", "adequacy"])
def test_each_answer_is_saved_as_it_is(asked, qtbot, tmp_path, name):
    box = getattr(asked.doubt, name)
    few(box)
    assert box.save_button.isHidden()
    found = ask(qtbot, box)
    box.choose_path = lambda: str(tmp_path / f"{name}.csv")
    box.save_button.click()
    saved = pd.read_csv(tmp_path / f"{name}.csv")
    shown = box.table(found).reset_index(drop=True)
    # What is None is read as NaN.
    shown = shown.where(shown.notna(), np.nan)
    shown = shown.astype(dict.fromkeys(shown.columns[shown.isna().all()], float))
    pd.testing.assert_frame_equal(saved, shown, check_dtype=False, rtol=1e-9)
    assert box.message.text == f"Saved as {name}.csv."


def test_where_nothing_can_be_written_the_box_says_so(asked, qtbot, tmp_path):
    box = asked.doubt.queue
    ask(qtbot, box)
    blocked = tmp_path / "a file"
    blocked.write_text("")
    box.save_to(blocked / "queue.csv")
    assert "could not be written" in box.message.text


def test_a_slide_without_doubt_says_that_there_is_nothing(asked, qtbot, tmp_path):
    session = asked.session
    sure = unsure_analysis(tmp_path / "sure")
    tissue_map = known_map()
    session.show_analysis(
        session.current,
        replace(sure, tissue_map=tissue_map, features=spatial_features(tissue_map)),
    )
    box = asked.doubt.queue
    ask(qtbot, box)
    assert not box.walk.tiles
    assert "No tile is left" in box.sentence.text()
    flip = asked.doubt.flip
    ask(qtbot, flip)
    assert "No set of doubtful tiles" in flip.sentence.text()
    assert flip.fold.title.endswith("nothing found")
