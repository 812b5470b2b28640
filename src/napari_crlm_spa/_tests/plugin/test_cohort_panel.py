"""The dock of the cohort: table, curves, neighbors, slides that open in the workspace."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QDockWidget

from napari_crlm_spa._tests.core.cohort.table.made_analyses import analysis
from napari_crlm_spa._tests.plugin.made_cohort import made_cohort, made_patients
from napari_crlm_spa._tests.plugin.made_results import copies_of, write_finished
from napari_crlm_spa._tests.plugin.test_manifest import modules_after
from napari_crlm_spa.core.cohort.table import Cohort, write_cohort
from napari_crlm_spa.plugin.cohort.opened import of_cohort
from napari_crlm_spa.plugin.cohort.patient_table import GROUP
from napari_crlm_spa.plugin.cohort.slides import slides_of
from napari_crlm_spa.plugin.memory import recall
from napari_crlm_spa.plugin.widgets.cohort.panel import CohortPanel
from napari_crlm_spa.plugin.widgets.cohort.patient_model import PatientModel
from napari_crlm_spa.plugin.widgets.panel import AnalysisPanel
from napari_crlm_spa.plugin.worker import PipelineWorker

TIMEOUT_MS = 60_000
DOCK = "CRLM-SPA cohort"


@pytest.fixture
def panel(qtbot):
    """The panel alone, with a cohort of 40."""
    panel = CohortPanel(ViewerModel())
    qtbot.addWidget(panel)
    panel.show_cohort(of_cohort(made_cohort(40), Path("made")))
    yield panel
    panel.let_go()
    PipelineWorker.await_workers(TIMEOUT_MS)


@pytest.fixture
def made(tmp_path, slide_path):
    """A cohort of eight, of whom three have slides with results."""
    slides = copies_of(slide_path, tmp_path / "slides", 3)
    found = [(path, write_finished(tmp_path / "results", path)) for path in slides]
    return made_cohort(8, slides=found)


@pytest.fixture
def docked(qtbot, make_napari_viewer, made, tmp_path):
    """Viewer, workspace and the dock, with the cohort of `made` open."""
    viewer = make_napari_viewer()
    _, panel = viewer.window.add_plugin_dock_widget("napari-crlm-spa", DOCK)
    qtbot.waitUntil(lambda: panel.opener.session is not None, timeout=TIMEOUT_MS)
    (workspace,) = [
        each for each in viewer.window.dock_widgets.values() if isinstance(each, AnalysisPanel)
    ]
    panel.show_cohort(of_cohort(made, tmp_path))
    yield viewer, workspace, panel
    PipelineWorker.await_workers(TIMEOUT_MS)


def cells(panel, column):
    at = [each.name for each in panel.list.model.columns].index(column)
    model = panel.list.model
    return [model.index(row, at).data() for row in range(model.rowCount())]


def press(panel, row):
    """Click a row of the table."""
    view = panel.list.view
    at = view.visualRect(panel.list.model.index(row, 0)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)


# -- the table ------------------------------------------------------------------------------


def test_the_cohort_is_told_in_a_line(panel):
    died = int(made_patients(40)["os.event"].sum())
    assert panel.title.text().startswith(f"Made up: 40 patients · {died} died · median follow-up")
    assert panel.tabs.tabText(panel.tabs.indexOf(panel.checks)) == "Checks (2)"


def test_the_filter_narrows_the_table_and_escape_widens_it(panel):
    QTest.keyClicks(panel.list.filter, "died score>0")
    patients = made_patients(40)
    wanted = patients[(patients["os.event"] == 1) & (patients["score"] > 0)]["patient"]
    assert cells(panel, "patient") == list(wanted)
    assert panel.list.count.text() == f"{len(wanted)} of 40 patients"
    QTest.keyClick(panel.list.filter, Qt.Key.Key_Escape)
    assert panel.list.model.rowCount() == 40


def test_a_filter_that_is_not_understood_keeps_the_table_and_says_why(panel):
    panel.list.filter.setText("nosuch > 3")
    assert "no column nosuch" in panel.list.count.text()
    assert panel.list.model.rowCount() == 40
    panel.list.filter.setText("P00")
    assert panel.list.model.rowCount() == 9


def test_a_click_on_a_heading_sorts_and_the_patient_stays(panel):
    panel.list.look_at(7)
    at = [each.name for each in panel.list.model.columns].index("os.time")
    panel.list.view.sortByColumn(at, Qt.SortOrder.DescendingOrder)
    months = [float(text) for text in cells(panel, "os.time")]
    assert months == sorted(months, reverse=True)
    assert panel.list.view.currentIndex().siblingAtColumn(0).data() == "P008"
    assert panel.list.current == 7


def test_the_arrows_walk_through_the_table(qtbot, panel):
    panel.show()
    press(panel, 0)
    assert panel.list.current == 0
    with qtbot.waitSignal(panel.list.current_changed) as heard:
        QTest.keyClick(panel.list.view, Qt.Key.Key_Down)
    assert heard.args == [1]


def test_enter_and_a_double_click_ask_for_the_slide(qtbot, panel):
    panel.show()
    press(panel, 2)
    with qtbot.waitSignal(panel.list.open_wanted) as heard:
        QTest.keyClick(panel.list.view, Qt.Key.Key_Return)
    assert heard.args == [2]


def test_groups_are_chips_in_the_color_of_their_curve(panel):
    model = panel.list.model
    at = [each.name for each in model.columns].index(GROUP)
    panel.curves.choose("crs")
    assert cells(panel, GROUP)[0] == panel.curves.data.grouping.label(0)
    assert model.index(0, at).data(PatientModel.CHIP) == panel.curves.data.grouping.color(0)
    line = panel.curves.canvas.drawing.lines[cells(panel, GROUP)[0]]
    assert line.get_color() == model.index(0, at).data(PatientModel.CHIP)


def test_columns_are_chosen_and_remembered(qtbot, panel):
    (action,) = [a for a in panel.list.columns_menu.actions() if a.data() == "TUM_HEP_interaction"]
    action.trigger()
    assert "TUM_HEP_interaction" in [each.name for each in panel.list.model.columns]
    another = CohortPanel(ViewerModel())
    qtbot.addWidget(another)
    another.show_cohort(panel.cohort)
    assert "TUM_HEP_interaction" in [each.name for each in another.list.model.columns]


# -- curves ---------------------------------------------------------------------------------


def test_curves_of_each_grouping_are_drawn(panel):
    panel.curves.choose("combined")
    drawing = panel.curves.canvas.drawing
    assert list(drawing.lines) == ["low", "medium", "high"]
    assert not panel.curves.disclaimer.isHidden()
    panel.curves.choose("overall")
    assert list(panel.curves.canvas.drawing.lines) == ["all"]
    assert panel.curves.disclaimer.isHidden()
    assert recall()["cohort_grouping"] == "overall"


def test_every_grouping_that_is_offered_can_be_drawn(panel):
    box = panel.curves
    for at in range(box.chooser.count()):
        if box.chooser.itemData(at) is not None:
            box.choose(box.chooser.itemData(at))
            assert box.canvas.drawing is not None
            assert box.reading.text()


def test_the_patient_is_marked_at_the_end_of_its_follow_up(panel):
    panel.curves.choose("sof")
    panel.list.look_at(3)
    (mark,) = panel.curves.canvas._marks
    curve = panel.curves.data.curves[made_patients(40)["sof_group"][3]]
    months = panel.cohort.survival.time[3]
    assert mark.get_xdata()[0] == months
    assert mark.get_ydata()[0] == pytest.approx(100 * curve.at(months)["survival"].iloc[0])
    panel.list.look_at(-1)
    assert panel.curves.canvas._marks == []


def test_the_pointer_reads_the_curves(panel):
    panel.curves.choose("sof")
    before = panel.curves.reading.text()
    panel.curves.canvas.point_at(24.0)
    assert panel.curves.reading.text().startswith("At 24.0 months\nlow: ")
    assert "at risk" in panel.curves.reading.text()
    panel.curves.canvas.point_at(None)
    assert panel.curves.reading.text() == before


def test_curves_are_saved_as_they_are_shown(panel, tmp_path):
    panel.curves.choose("sof")
    panel.curves.save_table(tmp_path / "curves.csv")
    saved = pd.read_csv(tmp_path / "curves.csv", float_precision="round_trip")
    curve = panel.curves.data.curves["high"].frame()
    ours = saved[saved["group"] == "high"]
    assert np.array_equal(ours["survival"], curve["survival"])
    panel.curves.save_figure(tmp_path / "curves.svg")
    text = (tmp_path / "curves.svg").read_text("utf-8")
    assert text.lstrip().startswith("<?xml")
    assert "Log-rank" in text
    assert "curves.svg" in panel.message.text


def test_a_cohort_without_groups_shows_one_curve(panel, tmp_path):
    plain = made_patients(9)[["patient", "os.time", "os.event"]]
    panel.show_cohort(of_cohort(Cohort("Plain", plain), tmp_path))
    assert list(panel.curves.canvas.drawing.lines) == ["all"]
    panel.tabs.setCurrentWidget(panel.neighbors)
    panel.list.look_at(1)
    assert "spatial features" in panel.neighbors.line.text()


def test_a_cohort_in_which_nobody_is_left_is_shown_with_its_checks(panel, tmp_path):
    nobody = made_patients(4).iloc[:0]
    made = made_cohort(4)
    panel.show_cohort(of_cohort(Cohort("Nobody", nobody, made.flow, made.problems), tmp_path))
    assert panel.list.model.rowCount() == 0
    assert panel.title.text().startswith("Nobody: 0 patients")
    assert panel.curves.canvas is None or panel.curves.canvas.drawing is None
    assert panel.checks.problems.rowCount() == 2


def test_closing_the_cohort_leaves_nothing(panel):
    panel.list.look_at(3)
    panel.show_cohort(None)
    assert panel.list.model.rowCount() == 0
    assert panel.curves.canvas.drawing is None
    assert panel.title.text() == ""
    assert panel.pages.currentWidget() is panel.welcome


# -- neighbors ------------------------------------------------------------------------------


def test_neighbors_are_listed_with_their_curve(panel):
    box = panel.neighbors
    row = next(r for r in range(40) if panel.cohort.patients.iloc[r].notna().all())
    panel.list.look_at(row)
    box.k.setValue(5)
    assert box.list.rowCount() == 5
    distances = [float(box.list.item(at, 1).text()) for at in range(5)]
    assert distances == sorted(distances)
    assert "5 neighbors" in box.line.text()
    assert "no prediction is claimed" in box.claim.text()
    assert set(box.canvas.drawing.lines) == {"whole cohort", "neighbors"}
    assert recall()["cohort_neighbors"] == 5


def test_a_click_on_a_neighbor_asks_for_its_slide(qtbot, panel):
    box = panel.neighbors
    row = next(r for r in range(40) if panel.cohort.patients.iloc[r].notna().all())
    panel.list.look_at(row)
    with qtbot.waitSignal(box.open_wanted) as heard:
        box.list.clicked.emit(box.list.model().index(0, 0))
    assert heard.args == [int(box.shown.found.rows[0])]


def test_a_patient_with_a_hole_is_told_so(panel):
    holes = panel.cohort.patients.isna().any(axis=1)
    panel.list.look_at(int(holes.idxmax()))
    assert "has no value of" in panel.neighbors.line.text()
    assert panel.neighbors.list.rowCount() == 0


# -- opening --------------------------------------------------------------------------------


def test_a_built_folder_is_opened_and_offered_again(qtbot, panel, tmp_path):
    write_cohort(tmp_path / "built", made_cohort(15, name="Built"))
    panel.open_path(tmp_path / "built")
    qtbot.waitUntil(lambda: panel.cohort.name == "Built", timeout=TIMEOUT_MS)
    panel.show_cohort(None)
    assert panel.welcome.last_button.text() == "Open built again"


def test_what_is_no_cohort_is_a_sentence(qtbot, panel, tmp_path):
    panel.open_path(tmp_path)
    qtbot.waitUntil(lambda: "holds no cohort" in panel.message.text, timeout=TIMEOUT_MS)
    assert len(panel.cohort) == 40  # what was open stays


# -- slides ---------------------------------------------------------------------------------


def test_the_dock_opens_the_workspace_and_stands_beside_it(docked):
    _, workspace, panel = docked
    assert panel.opener.session is workspace.session
    dock, other = panel.parent(), workspace.parent()
    assert isinstance(dock, QDockWidget)
    assert other in dock.parent().tabifiedDockWidgets(dock)


def test_a_patient_opens_with_its_map_whatever_the_results_folder_was(qtbot, docked, tmp_path):
    _, workspace, panel = docked
    panel.open_patient(1)
    session = workspace.session
    qtbot.waitUntil(
        lambda: session.current is not None and session.current.review is not None,
        timeout=TIMEOUT_MS,
    )
    assert session.current.path == tmp_path / "slides" / "slide-2.tif"
    assert workspace.settings.folder.text() == str(tmp_path / "results")
    assert workspace.queue.entry(session.current.path).slide.patient == "P002"
    assert panel.list.current == 1


def test_the_patient_of_the_slide_in_front_is_looked_at(qtbot, docked, tmp_path):
    _, workspace, panel = docked
    workspace.open_slide(str(tmp_path / "slides" / "slide-3.tif"))
    qtbot.waitUntil(lambda: panel.list.current == 2, timeout=TIMEOUT_MS)


def test_a_correction_marks_the_patient_and_changes_no_number(qtbot, docked):
    _, workspace, panel = docked
    before = panel.cohort.patients.copy()
    panel.open_patient(0)
    session = workspace.session
    qtbot.waitUntil(
        lambda: session.current is not None and session.current.review is not None,
        timeout=TIMEOUT_MS,
    )
    session.tell_review_changed(session.current)
    assert cells(panel, "patient")[0].startswith("P001 ")
    assert cells(panel, "patient")[1] == "P002"
    pd.testing.assert_frame_equal(panel.cohort.patients, before)


def test_a_slide_that_was_moved_is_found_again(qtbot, docked, tmp_path):
    _, workspace, panel = docked
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    (tmp_path / "slides" / "slide-2.tif").rename(tmp_path / "elsewhere" / "deep" / "slide-2.tif")
    panel.open_patient(1)
    assert "slide-2 of P002 is not there" in panel.message.text
    assert not panel.relocate_button.isHidden()
    panel.look_in(tmp_path / "elsewhere")
    session = workspace.session
    qtbot.waitUntil(
        lambda: session.current is not None and session.current.review is not None,
        timeout=TIMEOUT_MS,
    )
    assert session.current.path == tmp_path / "elsewhere" / "deep" / "slide-2.tif"
    assert panel.relocate_button.isHidden()


def test_a_patient_without_a_slide_is_told_so(docked):
    _, workspace, panel = docked
    panel.open_patient(6)
    assert "does not name a slide of P007" in panel.message.text
    assert workspace.session.current is None


def test_several_slides_are_asked_for(qtbot, docked, made, tmp_path):
    _, workspace, panel = docked
    slides = made.slides.assign(patient="P001")
    panel.show_cohort(of_cohort(Cohort("x", made.patients, slides=slides), tmp_path))
    panel.open_patient(0)
    actions = panel.slides.chooser.actions()
    assert [action.text() for action in actions] == ["slide-1", "slide-2", "slide-3"]
    actions[1].trigger()
    panel.slides.chooser.close()
    qtbot.waitUntil(lambda: workspace.session.current is not None, timeout=TIMEOUT_MS)
    assert workspace.session.current.stem == "slide-2"


def test_a_broken_slide_is_a_sentence(docked, tmp_path):
    _, workspace, panel = docked
    (tmp_path / "slides" / "slide-1.tif").write_text("nothing")
    panel.open_patient(0)
    assert "slide-1.tif" in panel.message.text
    assert workspace.session.current is None


def test_the_folder_of_results_stays_while_an_analysis_goes_on(docked, monkeypatch):
    _, workspace, panel = docked
    before = workspace.settings.folder.text()
    monkeypatch.setattr(type(workspace.runner), "busy", property(lambda _self: True))
    panel.open_patient(1)
    assert workspace.settings.folder.text() == before
    assert "once the analysis that is going on has ended" in panel.message.text


def test_a_workspace_that_was_closed_is_opened_again(qtbot, docked):
    viewer, workspace, panel = docked
    viewer.window.remove_dock_widget(workspace)
    assert panel.opener.session is None
    panel.open_patient(2)
    session = panel.opener.session
    assert session is not None
    assert session is not workspace.session
    qtbot.waitUntil(lambda: session.current is not None, timeout=TIMEOUT_MS)


def test_the_workspace_opens_the_dock_once(qtbot, docked):
    viewer, workspace, panel = docked
    workspace.queue_box.cohort_wanted.emit()
    found = [w for w in viewer.window.dock_widgets.values() if isinstance(w, CohortPanel)]
    assert found == [panel]


def test_the_window_need_not_grow_before_the_dock_has_its_place(qtbot):
    panel = CohortPanel(ViewerModel())
    qtbot.addWidget(panel)
    assert panel.minimumSizeHint().height() <= 100


def test_a_fit_is_shown_with_its_groups_and_its_report(qtbot, panel, tmp_path, monkeypatch):
    pages = []
    monkeypatch.setattr(panel, "open_page", pages.append)
    write_cohort(tmp_path / "cohort", plain_cohort())
    panel.open_path(tmp_path / "cohort")
    qtbot.waitUntil(lambda: panel.cohort.name == "Plain", timeout=TIMEOUT_MS)
    assert not panel.report_action.isEnabled()
    panel.show_fit()
    panel.fit_box.folder.setText(str(tmp_path / "study"))
    panel.fit_box.fit_button.click()
    qtbot.waitUntil(lambda: panel.cohort.study is not None, timeout=2 * TIMEOUT_MS)
    assert pages == [tmp_path / "study" / "report.html"]
    assert panel.report_action.isEnabled()
    assert panel.curves.chooser.findData("sof") >= 0
    assert "Age" in panel.list.table.columns  # of the cohort, beside the study's score


def plain_cohort():
    """A cohort whose score is yet to be found."""
    made = made_patients(120, holes=0)
    plain = made.drop(columns=[n for n in made if n.endswith("_high")] + ["score", "sof_group"])
    return Cohort("Plain", plain)


def test_a_fit_that_cannot_be_is_a_sentence(qtbot, panel, tmp_path):
    few = Cohort("Few", plain_cohort().patients.iloc[:6].reset_index(drop=True))
    panel.show_cohort(of_cohort(few, tmp_path))
    panel.show_fit()
    panel.fit_box.folder.setText(str(tmp_path / "study"))
    panel.fit_box.fit_button.click()
    qtbot.waitUntil(lambda: bool(panel.message.text), timeout=TIMEOUT_MS)
    assert not panel.message.copy_button.isVisibleTo(panel)  # no fault of the program
    assert not (tmp_path / "study").exists()


def test_a_cohort_is_built_from_analyses(qtbot, panel, tmp_path, slide_path):
    slides = copies_of(slide_path, tmp_path / "slides", 3)
    for slide in slides:
        recorded = {"path": str(slide), "fingerprint": slide.name}
        analysis(tmp_path / "results" / slide.stem, slide.name, recorded=recorded)
    rows = [f"P{n},slide-{n}.tif,{10 * n},{n % 2}" for n in (1, 2, 3)]
    table = tmp_path / "clinical.csv"
    table.write_text("\n".join(["patient,slide,os.time,os.event", *rows, "P9,gone.tif,5,1"]))
    panel.show_build()
    box = panel.build_box
    for line, path in ((box.analyses, "results"), (box.clinical, "clinical.csv")):
        line.setText(str(tmp_path / path))
    box.folder.setText(str(tmp_path / "built"))
    box.build_button.click()
    qtbot.waitUntil(lambda: len(panel.cohort) < 40, timeout=TIMEOUT_MS)
    assert sorted(panel.cohort.patients["patient"]) == ["P1", "P2", "P3"]
    assert panel.tabs.currentWidget() is panel.checks
    assert (tmp_path / "built" / "cohort.csv").is_file()
    row = panel.list.table.row_of("P2")
    assert [slide.path for slide in slides_of(panel.cohort, row)] == [slides[1]]


def test_the_dock_is_made_without_pandas_matplotlib_or_torch():
    loaded = modules_after(
        "import os; os.environ['QT_QPA_PLATFORM'] = 'offscreen'\n"
        "from qtpy.QtWidgets import QApplication; app = QApplication([])\n"
        "from napari_crlm_spa.plugin.widgets.cohort.panel import CohortPanel\n"
        "from napari.components import ViewerModel\n"
        "before = set(__import__('sys').modules)\n"
        "panel = CohortPanel(ViewerModel())\n"
        "after = set(__import__('sys').modules) - before\n"
        "assert not after & {'matplotlib.figure', 'lifelines', 'scipy.stats'}, after"
    )
    assert not loaded & {"torch", "torchvision", "lifelines"}
