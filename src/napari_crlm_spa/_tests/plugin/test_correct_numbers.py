"""The numbers and the log beside the corrections, in a real viewer."""

import csv

import pytest
from qtpy.QtCore import Qt

from napari_crlm_spa._tests.plugin.correcting import (  # noqa: F401 - fixtures
    click,
    corrected_fixture,
    hand_of,
    in_front,
    mouse_fixture,
    panel_fixture,
    review_of,
    with_risk_fixture,
)
from napari_crlm_spa.core.spatial import spatial_features
from napari_crlm_spa.plugin.tools.live_words import FIXED, REFITTED, SAME

# -- the numbers --------------------------------------------------------------------------


def test_score_group_and_the_flip_follow_a_stroke(mouse, with_risk, qtbot):
    box, hand = with_risk.correct.live_box, hand_of(with_risk)
    assert box.score.text() == "Score 0.25, as predicted"
    assert box.group.text() == "High risk"
    assert not box.flip.isVisible()
    hand.set_brush(1)
    hand.choose_class("LYM")
    mouse.drag((1.5, 2.5), (1.5, 8.5))
    assert box.score.text() == "Score 0.25 → -0.75"
    assert box.flip.text() == "Group flipped: high → low"
    assert box.flip.isVisible()
    assert box.counts.text() == "7 corrected · 0 accepted · 0 set aside"
    assert box.moved.text(0, 0) == "Lymphocytes, overall"
    assert box.moved.text(0, 1) == f"{1 / 440:.4f}"
    assert box.moved.text(0, 2) == f"{8 / 440:.4f}"
    in_front(with_risk, with_risk.risk)
    qtbot.waitUntil(
        lambda: with_risk.risk.headline.text() == "Score -0.75: low risk", timeout=60_000
    )
    in_front(with_risk, with_risk.correct)
    mouse.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert box.score.text() == "Score 0.25, as predicted"
    assert not box.flip.isVisible()
    redo = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    mouse.key(Qt.Key.Key_Z, redo)
    assert box.flip.isVisible()
    mouse.key(Qt.Key.Key_Z)
    mouse.key(Qt.Key.Key_Y)
    actions = [entry.action for entry in review_of(with_risk).log]
    assert actions == ["correct", "undo", "redo", "undo", "redo"]


def test_research_use_only_stays_in_sight(corrected):
    assert corrected.correct.live_box.banner.isVisible()
    assert corrected.correct.live_box.banner.text() == "Research use only"


def test_a_refit_that_changes_nothing_says_so(corrected, qtbot):
    box = corrected.correct.live_box
    assert box.thresholds.text() == FIXED
    click(qtbot, box.refit_button)
    assert box.thresholds.text() == SAME


def test_thresholds_stay_until_they_are_refitted_and_come_back(mouse, corrected, qtbot):
    box, review = corrected.correct.live_box, review_of(corrected)
    as_predicted = review.mixture
    hand_of(corrected).set_brush(9)
    hand_of(corrected).choose_class("STR")
    mouse.drag((2.5, 18.5), (16.5, 18.5))
    assert review.mixture == as_predicted
    assert box.thresholds.text() == FIXED
    assert not box.back_button.isVisible()
    click(qtbot, box.refit_button)
    assert review.mixture == spatial_features(review.tissue_map).mixture
    assert review.mixture != as_predicted
    assert box.thresholds.text() == REFITTED
    click(qtbot, box.back_button)
    assert review.mixture == as_predicted
    assert box.thresholds.text() == FIXED


# -- the log ------------------------------------------------------------------------------


def log_cells(panel):
    model = panel.correct.log_box.model
    return [
        [model.data(model.index(row, column)) for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


def test_the_log_tells_each_step_newest_first(mouse, with_risk):
    with_risk.session.set_reader("Ada")
    hand_of(with_risk).set_brush(1)
    hand_of(with_risk).choose_class("LYM")
    mouse.drag((1.5, 2.5), (1.5, 8.5))
    mouse.key(Qt.Key.Key_Z)
    newest, oldest = log_cells(with_risk)
    assert newest[1:] == ["Ada", "undo: correct", "7", "LYM → HEP", "+1", "→ high"]
    assert oldest[1:] == ["Ada", "correct", "7", "HEP → LYM", "-1", "→ low"]


def test_a_click_on_a_step_flies_to_its_tiles(mouse, corrected, qtbot):
    hand_of(corrected).set_brush(1)
    hand_of(corrected).choose_class("LYM")
    mouse.drag((1.5, 2.5), (1.5, 8.5))
    table, flown = corrected.correct.log_box.table, []
    corrected.session.fly_wanted.connect(flown.append)
    at = table.visualRect(table.model().index(0, 0)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=at)
    (target,) = flown
    assert target.center_um == pytest.approx((5.5 * 112, 1.5 * 112))
    assert target.size_um == pytest.approx((7 * 112, 112))


def test_the_log_is_saved_as_csv_oldest_first(mouse, with_risk, tmp_path):
    hand_of(with_risk).set_brush(1)
    hand_of(with_risk).choose_class("LYM")
    mouse.drag((1.5, 2.5), (1.5, 8.5))
    mouse.key(Qt.Key.Key_Z)
    with_risk.correct.log_box.save_to(tmp_path / "log.csv")
    with (tmp_path / "log.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["action"], second["action"]) == ("correct", "undo")
    assert (first["from"], first["to"], first["tiles"]) == ("HEP 7", "LYM 7", "7")
    assert (second["from"], second["to"], second["step"]) == ("LYM 7", "HEP 7", "correct")
    assert float(first["score_change"]) == -1
    assert (first["group_before"], first["group_after"]) == ("high", "low")
    assert first["group_flipped"] == "yes"
    box = [first[key] for key in ("first_row", "first_col", "last_row", "last_col")]
    assert box == ["1", "2", "1", "8"]


def test_a_log_that_cannot_be_saved_says_why(mouse, corrected, tmp_path):
    hand_of(corrected).choose_class("LYM")
    mouse.click(1.5, 2.5)
    (tmp_path / "file").write_text("no folder")
    corrected.correct.log_box.save_to(tmp_path / "file" / "log.csv")
    assert str(tmp_path / "file") in corrected.correct.log_box.message.text()
