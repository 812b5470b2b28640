"""Two readers of one slide, and the mark of who is done, in a real viewer."""

import json

import numpy as np
from qtpy.QtCore import Qt

from napari_crlm_spa._tests.plugin.conftest import known_classes
from napari_crlm_spa._tests.plugin.correcting import (  # noqa: F401 - fixtures
    changed_tiles,
    click,
    corrected_fixture,
    hand_of,
    map_layer,
    mouse_fixture,
    panel_fixture,
    review_of,
    with_risk_fixture,
)
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.review import read_reviewed
from napari_crlm_spa.plugin.memory import recall
from napari_crlm_spa.plugin.tools.comparing import differences, still
from napari_crlm_spa.plugin.widgets.correct.compare_box import CHANGED, NOBODY_ELSE
from napari_crlm_spa.plugin.widgets.correct.reader_box import MARK, MARKED, system_user

STR, LYM, MUC = (CRLM7.code(name) for name in ("STR", "LYM", "MUC"))


def be(panel, name):
    """Enter a reader's name as the reader does."""
    field = panel.correct.reader_box.name
    field.setText(name)
    field.editingFinished.emit()


def paint(panel, mouse, class_name, *way):
    hand_of(panel).set_brush(1)
    hand_of(panel).choose_class(class_name)
    mouse.drag(*way)


def compared(qtbot, panel):
    box = panel.correct.compare_box
    panel.correct.compare_fold.set_open(True)
    with qtbot.waitSignal(box.job.done, timeout=60_000):
        box.compare_button.click()
    return box


# -- names --------------------------------------------------------------------------------


def test_the_reader_is_the_user_of_the_computer_until_he_says_otherwise(corrected):
    assert corrected.correct.reader_box.name.text() == system_user()
    assert corrected.session.reader == system_user()
    be(corrected, "Ada")
    assert corrected.session.reader == "Ada"
    assert recall()["reader"] == "Ada"
    be(corrected, "  ")
    assert corrected.correct.reader_box.name.text() == "Ada"


def test_each_reader_sees_the_own_corrections_which_wait_on_disk(mouse, corrected):
    be(corrected, "Ada")
    paint(corrected, mouse, "LYM", (1.5, 2.5), (1.5, 4.5))
    assert changed_tiles(corrected) == {(1, 2), (1, 3), (1, 4)}
    be(corrected, "Bob")
    assert changed_tiles(corrected) == set()
    assert np.array_equal(map_layer(corrected).data, known_classes())
    assert corrected.correct.log_box.model.rowCount() == 0
    be(corrected, "Ada")
    assert changed_tiles(corrected) == {(1, 2), (1, 3), (1, 4)}
    assert map_layer(corrected).data[1, 2:5].tolist() == [LYM] * 3
    assert corrected.correct.log_box.model.rowCount() == 1


# -- the mark -----------------------------------------------------------------------------


def test_a_slide_is_marked_as_reviewed_by_button_and_key(mouse, corrected, qtbot):
    be(corrected, "Ada")
    button, folder = (
        corrected.correct.reader_box.reviewed_button,
        review_of(corrected).analysis.folder,
    )
    assert button.text() == MARK
    click(qtbot, button)
    assert read_reviewed(folder, "Ada").reviewed
    assert button.text() == MARKED
    mouse.key(Qt.Key.Key_R, Qt.KeyboardModifier.ShiftModifier)
    assert not read_reviewed(folder, "Ada").reviewed
    assert button.text() == MARK
    assert hand_of(corrected).tool == "Look"


def test_the_mark_is_each_readers_own(corrected, qtbot):
    be(corrected, "Ada")
    click(qtbot, corrected.correct.reader_box.reviewed_button)
    be(corrected, "Bob")
    assert not corrected.correct.reader_box.reviewed_button.isChecked()
    be(corrected, "Ada")
    assert corrected.correct.reader_box.reviewed_button.isChecked()


# -- comparing ----------------------------------------------------------------------------


def test_alone_there_is_nobody_to_compare_with(corrected):
    box = corrected.correct.compare_box
    assert not box.compare_button.isEnabled()
    assert box.message.text == NOBODY_ELSE


def test_two_readers_are_compared_by_kappa_risk_and_the_tiles_that_differ(mouse, with_risk, qtbot):
    panel = with_risk
    be(panel, "Bob")
    paint(panel, mouse, "LYM", (1.5, 2.5), (1.5, 8.5))
    theirs = review_of(panel).tissue_map.classes.copy()
    be(panel, "Ada")
    paint(panel, mouse, "MUC", (1.5, 2.5), (1.5, 3.5))
    mine = review_of(panel).tissue_map.classes.copy()
    box = compared(qtbot, panel)
    lym = row_of(box.kappas, "Lymphocytes")
    assert [box.kappas.text(lym, column) for column in (1, 2, 3)] == ["1", "0", "7"]
    expected = kappa(mine == LYM, theirs == LYM, known_classes() > 0)
    assert box.kappas.text(lym, 4) == f"{expected:.3f}"
    assert box.risk.text() == "Ada: score 0.25, high risk · Bob: score -0.75, low risk"
    pairs = {box.pairs.text(row, 0): row for row in range(box.pairs.rowCount())}
    assert set(pairs) == {"MUC / LYM", "HEP / LYM"}
    row = pairs["HEP / LYM"]
    assert [box.pairs.text(row, column) for column in (1, 2, 3)] == ["5", "-1", "→ low"]
    places = [(box.places.text(row, 0), box.places.text(row, 1)) for row in range(2)]
    assert places == [("HEP / LYM", "5"), ("MUC / LYM", "2")]
    flown = []
    panel.session.fly_wanted.connect(flown.append)
    box.places.cellClicked.emit(1, 0)
    assert flown[0].center_um == (3.0 * 112, 1.5 * 112)
    assert flown[0].size_um == (2 * 112, 112)


def row_of(table, text):
    return next(row for row in range(table.rowCount()) if table.text(row, 0) == text)


def kappa(mine, theirs, counted):
    """Cohen's kappa of two yes-no answers, by its definition."""
    a, b = mine[counted], theirs[counted]
    observed = (a == b).mean()
    by_chance = a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean())
    return (observed - by_chance) / (1 - by_chance)


def test_a_merge_is_one_step_that_can_be_undone(mouse, corrected, qtbot):
    be(corrected, "Bob")
    paint(corrected, mouse, "LYM", (1.5, 2.5), (1.5, 4.5))
    be(corrected, "Ada")
    paint(corrected, mouse, "MUC", (1.5, 4.5), (1.5, 6.5))
    box = compared(qtbot, corrected)
    choose(box.rules, "b")
    click(qtbot, box.merge_button)
    assert review_of(corrected).tissue_map.classes[1, 2:7].tolist() == [LYM] * 3 + [MUC] * 2
    assert [entry.action for entry in review_of(corrected).log] == ["correct", "merge"]
    hand_of(corrected).undo()
    assert changed_tiles(corrected) == {(1, 4), (1, 5), (1, 6)}
    be(corrected, "Bob")
    assert changed_tiles(corrected) == {(1, 2), (1, 3), (1, 4)}


def choose(combo, data):
    combo.setCurrentIndex(combo.findData(data))


def test_what_was_found_is_dropped_when_a_tile_changes(mouse, corrected, qtbot):
    be(corrected, "Bob")
    paint(corrected, mouse, "LYM", (1.5, 2.5), (1.5, 4.5))
    be(corrected, "Ada")
    box = compared(qtbot, corrected)
    assert box.places.rowCount() == 1
    paint(corrected, mouse, "MUC", (1.5, 4.5), (1.5, 6.5))
    assert box.found is None
    assert box.places.rowCount() == 0
    assert box.message.text == CHANGED


def test_differences_are_patches_of_the_same_kind_largest_first():
    mine = np.full((6, 8), STR, np.uint8)
    theirs = mine.copy()
    theirs[0, 0:2] = LYM
    theirs[3, 3], theirs[4, 4], theirs[5, 5] = LYM, LYM, LYM
    theirs[3, 4] = 0
    found = [
        (each.class_a, each.class_b, each.tiles, (each.row, each.col, each.n_rows, each.n_cols))
        for each in differences(mine, theirs, CRLM7)
    ]
    assert found == [
        ("STR", "LYM", 3, (3, 3, 3, 3)),
        ("STR", "LYM", 2, (0, 0, 1, 2)),
        ("STR", "none", 1, (3, 4, 1, 1)),
    ]
    assert sum(each[2] for each in found) == np.count_nonzero(mine != theirs)


def test_a_review_that_is_compared_stands_still(mouse, corrected):
    kept = still(review_of(corrected))
    paint(corrected, mouse, "LYM", (1.5, 2.5), (1.5, 4.5))
    assert np.array_equal(kept.tissue_map.classes, known_classes())


def test_a_damaged_log_is_told_of(mouse, corrected):
    be(corrected, "Bob")
    paint(corrected, mouse, "LYM", (1.5, 2.5), (1.5, 4.5))
    log = next(review_of(corrected).analysis.folder.glob("readers/bob/*.jsonl"))
    lines = log.read_text().splitlines(keepends=True)
    header = json.loads(lines[0])
    header["identity"] = "another run"
    log.write_text(json.dumps(header) + "\n" + lines[1])
    be(corrected, "Ada")
    be(corrected, "Bob")
    assert changed_tiles(corrected) == set()
    assert "another tissue map" in corrected.correct.reader_box.message.text
