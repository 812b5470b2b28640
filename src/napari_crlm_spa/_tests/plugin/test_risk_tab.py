"""The Risk tab: prediction and correction side by side, maps by a click, clinical factors."""

import itertools
import json

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_crlm_spa._tests.plugin.correcting import in_front, review_of
from napari_crlm_spa._tests.plugin.doubting import (  # noqa: F401 - fixtures
    ask,
    asked_fixture,
    panel_fixture,
)
from napari_crlm_spa.core.review import reader_folder
from napari_crlm_spa.core.risk import ClinicalFactors, clinical_risk_score, combined_grade
from napari_crlm_spa.core.store.names import CLINICAL_JSON
from napari_crlm_spa.plugin.clinical import factor_rules, score_of
from napari_crlm_spa.plugin.map_view import MapKind
from napari_crlm_spa.plugin.risk_words import OLDER

#: For each factor: what meets it, and what does not.
MEETING = (
    ("node_positive", True, False),
    ("disease_free_interval_months", 3.0, 30.0),
    ("n_metastases", 4, 1),
    ("largest_metastasis_cm", 7.0, 2.0),
    ("cea_ng_ml", 300.0, 5.0),
)


@pytest.fixture(name="risk")
def risk_fixture(asked):
    in_front(asked, asked.risk)
    QApplication.processEvents()
    return asked.risk


def click_cell(qtbot, table, row, column):
    at = table.visualItemRect(table.item(row, column)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=at)


def flip(panel):
    session = panel.session
    session.current.review.correct([11, 12, 13], [8, 8, 8], "DEB")
    session.tell_review_changed(session.current)


# -- the terms and their maps -------------------------------------------------------------


def test_a_click_on_a_term_shows_the_map_it_comes_from(panel, qtbot):
    in_front(panel, panel.risk)
    QApplication.processEvents()
    shown = []
    for row in range(4):
        click_cell(qtbot, panel.risk.table, row, 0)
        shown.append((panel.session.view.kind, panel.session.view.tissue))
    columns = [feature.column for feature in panel.session.risk_model.features]
    assert columns[2:] == ["Distal_Hepatocyte_ratio", "TUM_HEP_interaction"]
    assert [kind for kind, _ in shown] == [
        *(MapKind.TISSUE, MapKind.TISSUE),
        *(MapKind.ZONES, MapKind.INTERACTION),
    ]
    assert [tissue for _, tissue in shown[2:]] == ["HEP", "HEP"]


def test_a_click_on_a_cut_off_leaves_the_map_alone(panel, qtbot):
    in_front(panel, panel.risk)
    QApplication.processEvents()
    click_cell(qtbot, panel.risk.table, 3, 2)
    assert panel.session.view.kind is MapKind.TISSUE


# -- prediction and correction ------------------------------------------------------------


def test_the_predicted_score_stands_beside_the_corrected_one_once_they_differ(asked, risk, qtbot):
    assert risk.headline.text() == "Score 0: low risk"
    assert risk.predicted.isHidden()
    assert risk.flip.isHidden()
    flip(asked)
    qtbot.waitUntil(lambda: risk.headline.text() == "Score 0.5: high risk", timeout=60_000)
    assert risk.predicted.text() == "As predicted: score 0: low risk"
    assert risk.flip.text() == "Group flipped: low → high"
    now = review_of(asked).features.values["Overall_Debris_ratio"]
    assert risk.table.text(0, 1) == f"{now:.4f}"
    was = review_of(asked).analysis.features.values["Overall_Debris_ratio"]
    assert f"As predicted: {was:.4f}" in risk.table.item(0, 1).toolTip()
    review_of(asked).undo()
    asked.session.tell_review_changed(asked.session.current)
    qtbot.waitUntil(risk.flip.isHidden, timeout=60_000)
    assert risk.predicted.isHidden()


def test_what_is_corrected_in_another_tab_is_there_when_it_comes_to_the_front(asked, risk, qtbot):
    in_front(asked, asked.doubt)
    flip(asked)
    in_front(asked, risk)
    qtbot.waitUntil(lambda: risk.headline.text() == "Score 0.5: high risk", timeout=60_000)


def test_the_interval_is_shown_once_it_was_computed_and_marked_after_an_edit(asked, risk, qtbot):
    assert risk.interval.isHidden()
    box = asked.doubt.interval
    box.form.editors["draws"].set(40)
    found = ask(qtbot, box)
    row = found.summary().set_index("quantity").loc["score"]
    qtbot.waitUntil(lambda: not risk.interval.isHidden(), timeout=60_000)
    assert f"score {row['low']:.3g} to {row['high']:.3g} in 95%" in risk.interval.text()
    assert f"{found.share_high:.0%} of the draws high" in risk.interval.text()
    assert OLDER not in risk.interval.text()
    flip(asked)
    qtbot.waitUntil(lambda: OLDER in risk.interval.text(), timeout=60_000)
    risk.choose("paper_eq1")
    qtbot.waitUntil(risk.interval.isHidden, timeout=60_000)


def test_research_use_only_stays(asked, risk):
    assert risk.banner.isVisible()
    assert asked.doubt.banner.text() == "Research use only"


# -- clinical factors ---------------------------------------------------------------------


def test_yes_and_no_count_as_the_numbers_they_stand_for():
    names = list(factor_rules())
    for answers in itertools.product((None, True, False), repeat=5):
        given = {n: a for n, a in zip(names, answers, strict=True) if a is not None}
        factors = {
            name: yes if answer else no
            for (name, yes, no), answer in zip(MEETING, answers, strict=True)
            if answer is not None
        }
        ours, core = score_of(given), clinical_risk_score(ClinicalFactors(**factors))
        assert (ours.lowest, ours.highest) == (core.lowest, core.highest)
        assert (ours.group, ours.sentence) == (core.group, core.sentence)


def answer(risk, **by_position):
    boxes = list(risk.clinical.choices.values())
    for place, words in by_position.items():
        box = boxes[int(place[1:])]
        box.setCurrentIndex(box.findText(words))


def test_the_combined_grade_follows_answers_and_corrections(asked, risk, qtbot):
    clinical = risk.clinical
    assert "unknown" in clinical.sentence.text()
    answer(risk, _0="yes", _1="yes", _2="yes")
    assert combined_grade("low", "high").sentence in clinical.sentence.text()
    assert clinical.fold.title.endswith("3-5 of 5, combined grade medium")
    flip(asked)
    expected = combined_grade("high", "high").sentence
    qtbot.waitUntil(lambda: expected in clinical.sentence.text(), timeout=60_000)


def test_answers_are_kept_for_the_slide_and_the_reader(asked, risk):
    session = asked.session
    answer(risk, _0="yes", _4="no")
    file = reader_folder(session.current.analysis.folder, session.reader) / CLINICAL_JSON
    names = list(factor_rules())
    assert json.loads(file.read_text()) == {names[0]: True, names[4]: False}
    mine, analysis = session.reader, session.current.analysis
    session.set_reader("Ada")
    assert risk.clinical.answers == {}
    session.set_reader(mine)
    assert risk.clinical.answers == {names[0]: True, names[4]: False}
    session.show_analysis(session.current, analysis)
    assert risk.clinical.answers == {names[0]: True, names[4]: False}
    risk.clinical.forget_button.click()
    assert not file.exists()
    assert risk.clinical.answers == {}


def test_a_damaged_file_of_answers_is_as_none(asked, risk):
    session = asked.session
    folder = reader_folder(session.current.analysis.folder, session.reader)
    folder.mkdir(parents=True, exist_ok=True)
    for text in ("{", "[1]", '{"CEA": "perhaps", "nodal status": true}'):
        (folder / CLINICAL_JSON).write_text(text)
        session.show_analysis(session.current, session.current.analysis)
        expected = {"nodal status": True} if "nodal" in text else {}
        assert risk.clinical.answers == expected
