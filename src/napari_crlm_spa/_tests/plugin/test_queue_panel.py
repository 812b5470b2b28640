"""The queue in a real viewer: buttons and keys, and what comes of them in layers and files."""

import gc
import threading
import weakref

import numpy as np
import pytest
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QDockWidget

from napari_crlm_spa._tests.plugin.canvas_mouse import CanvasMouse
from napari_crlm_spa._tests.plugin.conftest import SLIDE_MPP, known_classes, known_map
from napari_crlm_spa._tests.plugin.made_results import copies_of, write_finished
from napari_crlm_spa.core.pipeline import reopen
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import NoTissue
from napari_crlm_spa.plugin.layers import kind_of, slide_id
from napari_crlm_spa.plugin.queue import Notebook, SlideState
from napari_crlm_spa.plugin.queue_sources import QueuedSlide
from napari_crlm_spa.plugin.session import EARLIER_RUN, PREFERENCES, USER
from napari_crlm_spa.plugin.widgets.panel import QUEUE_DOCK, AnalysisPanel
from napari_crlm_spa.plugin.worker import PipelineWorker

WAIT_MS = 60_000


class Analyses:
    """Stands in for the pipeline: writes a finished analysis once the test lets it go."""

    def __init__(self):
        self.gate = threading.Semaphore(0)
        self.calls = []
        self.refused = set()

    def let_go(self, n=1000):
        self.gate.release(n)

    def analyze(self, slide_path, out_dir, options):
        self.calls.append((slide_path.name, options.mpp))
        yield Progress("Classifying tiles", 1, 4, "tiles")
        while not self.gate.acquire(timeout=0.02):
            yield Progress("Classifying tiles", 1, 4, "tiles")
        if slide_path.name in self.refused:
            raise NoTissue(f"{slide_path.name} holds nothing but glass.")
        write_finished(out_dir, slide_path, mpp=options.mpp)
        from napari_crlm_spa.core.slide import open_slide

        with open_slide(slide_path, mpp=options.mpp) as slide:
            return reopen(slide.info, out_dir)


@pytest.fixture
def analyses():
    made = Analyses()
    yield made
    made.let_go()
    PipelineWorker.await_workers(WAIT_MS)


@pytest.fixture
def slides(slide_path, tmp_path):
    return copies_of(slide_path, tmp_path / "slides", 4)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def window(make_napari_viewer_proxy):
    return make_napari_viewer_proxy()


@pytest.fixture
def make_panel(qtbot, window, analyses, out):
    def make():
        panel = AnalysisPanel(window)
        panel.runner.work = analyses.analyze
        panel.settings.folder.setText(str(out))
        window.window.add_dock_widget(panel, name="CRLM-SPA")
        qtbot.waitUntil(lambda: panel.queue_box.parent() is not None, timeout=WAIT_MS)
        return panel

    return make


@pytest.fixture
def panel(make_panel):
    return make_panel()


@pytest.fixture
def queued(qtbot, panel, slides):
    """The panel with four slides in the queue, the first of them open."""
    return fill(qtbot, panel, [slides[0].parent])


def fill(qtbot, panel, paths):
    with qtbot.waitSignal(panel.control.loaded, timeout=WAIT_MS):
        panel.control.load(paths)
    return panel


def click(qtbot, button):
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def states(panel):
    return [entry.state.value for entry in panel.queue.entries]


def shown(panel):
    """Names of the slides that the list shows."""
    model = panel.queue_box.filtered
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def current(panel):
    return panel.session.current.path.name


# -- the dock -----------------------------------------------------------------------------


def test_opening_the_panel_docks_the_queue_at_the_left_and_closing_takes_it_away(
    qtbot, panel, window
):
    dock = panel.queue_box.parent()
    assert isinstance(dock, QDockWidget)
    assert panel.window().dockWidgetArea(dock) == Qt.DockWidgetArea.LeftDockWidgetArea
    assert QUEUE_DOCK in window.window.dock_widgets
    window.window.remove_dock_widget(panel)
    assert QUEUE_DOCK not in window.window.dock_widgets
    assert panel.queue_box.parent() is None


def test_the_panel_can_be_closed_and_opened_again(qtbot, queued, window, make_panel, slides):
    window.window.remove_dock_widget(queued)
    again = make_panel()
    assert QUEUE_DOCK in window.window.dock_widgets
    assert current(again) == "slide-1.tif"
    fill(qtbot, again, [slides[0].parent])
    click(qtbot, again.queue_box.next_button)
    assert current(again) == "slide-2.tif"
    assert queued.session.current.path.name == "slide-1.tif", "the closed panel hears nothing"


def test_a_closed_queue_comes_back_with_its_button(qtbot, panel, window):
    window.window.remove_dock_widget(panel.queue_box)
    assert panel.queue_box.parent() is None
    click(qtbot, panel.slide_box.queue_button)
    assert QUEUE_DOCK in window.window.dock_widgets


# -- filling ------------------------------------------------------------------------------


def test_a_folder_fills_the_queue_and_its_first_slide_is_opened(queued):
    assert shown(queued) == [f"slide-{at}.tif" for at in (1, 2, 3, 4)]
    assert current(queued) == "slide-1.tif"
    assert queued.queue_box.count.text() == "0 of 4 reviewed"
    assert not queued.queue_box.empty.isVisibleTo(queued.queue_box)


def test_dropped_files_are_added(qtbot, queued, tmp_path, slide_path):
    (more,) = copies_of(slide_path, tmp_path / "more", 1)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(more)), QUrl.fromLocalFile(str(tmp_path / "absent.svs"))])
    drop = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    with qtbot.waitSignal(queued.control.loaded, timeout=WAIT_MS):
        queued.queue_box.dropEvent(drop)
    assert len(queued.queue) == 5
    assert current(queued) == "slide-1.tif", "who reads is not disturbed"
    assert "absent.svs" in queued.message.text


def test_rows_that_cannot_be_used_are_told_and_the_rest_is_queued(qtbot, panel, slides):
    table = slides[0].parent / "slides.csv"
    table.write_text("slide,mpp,patient\nslide-1.tif,2,P1\ngone.tif,,\n")
    fill(qtbot, panel, [table])
    assert shown(panel) == ["slide-1.tif"]
    assert "slides.csv, row 3: there is no file gone.tif" in panel.message.text


def test_an_empty_folder_is_told(qtbot, panel, tmp_path):
    (tmp_path / "empty").mkdir()
    fill(qtbot, panel, [tmp_path / "empty"])
    assert "no slides" in panel.message.text
    assert panel.queue_box.empty.isVisibleTo(panel.queue_box)


# -- moving -------------------------------------------------------------------------------


def test_next_and_previous_open_one_slide_and_close_the_other(qtbot, queued, window):
    click(qtbot, queued.queue_box.next_button)
    assert current(queued) == "slide-2.tif"
    assert [slide.path.name for slide in queued.session.slides.values()] == ["slide-2.tif"]
    assert [kind_of(layer.metadata) for layer in window.layers] == ["slide"]
    click(qtbot, queued.queue_box.previous_button)
    assert current(queued) == "slide-1.tif"
    click(qtbot, queued.queue_box.previous_button)
    assert current(queued) == "slide-1.tif"
    assert "first slide" in queued.queue_box.line.text()


def test_the_keys_n_and_p_move_through_the_queue(qtbot, queued, window):
    mouse = CanvasMouse(window, queued)
    mouse.key(Qt.Key.Key_N)
    mouse.key(Qt.Key.Key_N)
    assert current(queued) == "slide-3.tif"
    mouse.key(Qt.Key.Key_P)
    assert current(queued) == "slide-2.tif"


def test_a_click_in_the_list_opens_that_slide(qtbot, queued):
    view = queued.queue_box.view
    rect = view.visualRect(queued.queue_box.filtered.index(2, 0))
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    assert current(queued) == "slide-3.tif"


def test_the_pixels_of_slides_that_were_left_are_given_back(qtbot, queued, window):
    pixels = weakref.ref(window.layers[0].data[0])
    for _ in range(2):
        click(qtbot, queued.queue_box.next_button)
        qtbot.wait(20)
    window.screenshot(canvas_only=True, flash=False)

    def gone():
        gc.collect()
        return pixels() is None

    qtbot.waitUntil(gone, timeout=WAIT_MS)


def test_a_slide_opened_by_hand_stays_open(qtbot, queued, slide_path):
    queued.open_slide(str(slide_path))
    click(qtbot, queued.queue_box.next_button)
    assert slide_id(slide_path) in queued.session.slides


def test_a_slide_that_cannot_be_opened_stays_failed_when_the_results_folder_is_read(
    qtbot, panel, slides
):
    slides[0].write_bytes(b"no slide")
    fill(qtbot, panel, [slides[0].parent])
    panel.control.rescan()
    qtbot.waitUntil(lambda: not len(panel.control.workers), timeout=WAIT_MS)
    entry = panel.queue.entry(slides[0])
    assert entry.state is SlideState.FAILED
    assert slides[0].name in entry.reason
    assert states(panel)[1:] == ["new"] * 3


def test_a_slide_that_cannot_be_opened_is_passed(qtbot, panel, slides):
    slides[1].write_text("no slide")
    fill(qtbot, panel, [slides[0].parent])
    click(qtbot, panel.queue_box.next_button)
    assert panel.queue.entry(slides[1]).state is SlideState.FAILED
    assert "slide-2.tif" in panel.message.text
    click(qtbot, panel.queue_box.next_button)
    assert current(panel) == "slide-3.tif"


# -- pixel sizes --------------------------------------------------------------------------


def test_the_pixel_size_of_the_table_is_taken_as_entered(qtbot, panel, slides, analyses):
    table = slides[0].parent / "slides.csv"
    table.write_text("slide;mpp\nslide-1.tif;2,5\nslide-2.tif;\n")
    fill(qtbot, panel, [table])
    size = panel.session.current.info.pixel_size
    assert (size.mpp, size.source) == (2.5, USER)
    analyses.let_go()
    run_all(qtbot, panel)
    assert analyses.calls == [("slide-1.tif", 2.5), ("slide-2.tif", None)]


def test_the_default_pixel_size_is_used_where_the_file_says_nothing_and_marked(
    qtbot, panel, slides, slide_without_mpp, analyses
):
    panel.settings.default_mpp.setValue(3.0)
    fill(qtbot, panel, [slide_without_mpp, slides[0]])
    size = panel.session.current.info.pixel_size
    assert (size.mpp, size.source) == (3.0, PREFERENCES)
    assert "assumed" in panel.slide_box.pixel_label.text()
    click(qtbot, panel.queue_box.next_button)
    assert panel.session.current.info.pixel_size.mpp == SLIDE_MPP
    analyses.let_go()
    run_all(qtbot, panel)
    assert analyses.calls == [(slide_without_mpp.name, 3.0), ("slide-1.tif", None)]


def test_without_a_default_a_missing_pixel_size_is_asked_for(qtbot, panel, slide_without_mpp):
    fill(qtbot, panel, [slide_without_mpp])
    assert panel.session.current.info.pixel_size is None
    assert panel.slide_box.mpp_box.isVisibleTo(panel)


# -- finished analyses --------------------------------------------------------------------


def test_a_finished_analysis_is_shown_at_once_and_the_setup_makes_room(
    qtbot, panel, slides, out, window
):
    for slide in slides[:2]:
        write_finished(out, slide)
    fill(qtbot, panel, [slides[0].parent])
    qtbot.waitUntil(lambda: panel.session.current.analysis is not None, timeout=WAIT_MS)
    (layer,) = [each for each in window.layers if kind_of(each.metadata) == "tissue_map"]
    assert np.array_equal(panel.session.current.tissue_map.classes, known_classes())
    assert layer.data.shape == known_classes().shape
    assert panel.features.table.rowCount() == 5
    assert not panel.setup.is_open
    assert panel.setup.title.startswith("slide-1.tif · 2.7 × 2.2 mm · 4 µm/px")
    qtbot.waitUntil(lambda: states(panel) == ["done", "done", "new", "new"], timeout=WAIT_MS)
    panel.control.open(slides[2])
    assert panel.setup.is_open, "there is nothing to see yet"


def test_the_pixel_size_of_the_earlier_analysis_comes_back(qtbot, panel, slide_without_mpp, out):
    write_finished(out, slide_without_mpp, mpp=SLIDE_MPP)
    fill(qtbot, panel, [slide_without_mpp])
    qtbot.waitUntil(lambda: panel.session.current.analysis is not None, timeout=WAIT_MS)
    size = panel.session.current.info.pixel_size
    assert (size.mpp, size.source) == (pytest.approx(SLIDE_MPP), EARLIER_RUN)


def test_an_analysis_of_another_pixel_size_is_not_laid_over_the_slide(qtbot, panel, slides, out):
    write_finished(out, slides[0], mpp=2.0)
    fill(qtbot, panel, [slides[0]])
    qtbot.waitUntil(lambda: "another pixel size" in panel.message.text, timeout=WAIT_MS)
    assert panel.session.current.analysis is None


def test_who_enters_the_pixel_size_that_he_is_told_sees_the_analysis(qtbot, panel, slides, out):
    write_finished(out, slides[0], mpp=4.000123)
    fill(qtbot, panel, [slides[0]])
    # The file says 4 itself, which isn't the analysis's own either.
    qtbot.waitUntil(lambda: "another pixel size" in panel.message.text, timeout=WAIT_MS)
    assert "enter 4 to see it" in panel.message.text
    box = panel.slide_box
    box.mpp_box.setValue(4.0)
    box.mpp_button.click()
    qtbot.waitUntil(lambda: panel.session.current.analysis is not None, timeout=WAIT_MS)
    assert panel.session.current.info.pixel_size.mpp == pytest.approx(4.000123)
    # A wrong one and back: the same, without Run.
    box.mpp_box.setValue(3.0)
    box.mpp_button.click()
    assert panel.session.current.analysis is None
    box.mpp_box.setValue(4.0)
    box.mpp_button.click()
    qtbot.waitUntil(lambda: panel.session.current.analysis is not None, timeout=WAIT_MS)


def test_a_damaged_analysis_is_told_and_can_be_run_again(qtbot, panel, slides, out):
    folder = write_finished(out, slides[0])
    (folder / "analysis.zarr" / "zarr.json").write_text("{")
    fill(qtbot, panel, [slides[0]])
    qtbot.waitUntil(lambda: "damaged" in panel.message.text, timeout=WAIT_MS)
    assert panel.run_box.run_button.isEnabled()


def test_another_results_folder_shows_its_results(qtbot, queued, slides, tmp_path):
    write_finished(tmp_path / "other", slides[0])
    queued.settings.set_results(str(tmp_path / "other"))
    qtbot.waitUntil(lambda: queued.session.current.analysis is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: states(queued)[0] == "done", timeout=WAIT_MS)


def test_the_mark_of_the_reader_makes_a_slide_reviewed(qtbot, panel, slides, out):
    write_finished(out, slides[0])
    fill(qtbot, panel, [slides[0].parent])
    qtbot.waitUntil(lambda: panel.session.current.analysis is not None, timeout=WAIT_MS)
    panel.session.set_reader("anna")
    panel.show_tab("Correct")
    click(qtbot, panel.correct.reader_box.reviewed_button)
    qtbot.waitUntil(lambda: states(panel)[0] == "reviewed", timeout=WAIT_MS)
    assert panel.queue_box.count.text() == "1 of 4 reviewed"
    panel.session.set_reader("ben")
    qtbot.waitUntil(lambda: states(panel)[0] == "done", timeout=WAIT_MS)
    assert panel.queue.entries[0].detail == "reviewed by anna"


def test_the_list_can_be_narrowed_and_next_keeps_to_it(qtbot, panel, slides, out):
    write_finished(out, slides[1])
    write_finished(out, slides[3])
    fill(qtbot, panel, [slides[0].parent])
    qtbot.waitUntil(lambda: states(panel) == ["new", "done", "new", "done"], timeout=WAIT_MS)
    box = panel.queue_box
    box.filter.setCurrentIndex(box.filter.findData(SlideState.DONE))
    assert box.filter.currentText() == "Done (2)"
    assert shown(panel) == ["slide-2.tif", "slide-4.tif"]
    click(qtbot, box.next_button)
    click(qtbot, box.next_button)
    assert current(panel) == "slide-4.tif"
    click(qtbot, box.next_button)
    assert box.line.text() == "This is the last done slide."


# -- running all --------------------------------------------------------------------------


def run_all(qtbot, panel):
    with qtbot.waitSignal(
        panel.control.batch_changed, timeout=WAIT_MS, check_params_cb=lambda batch: batch is None
    ):
        click(qtbot, panel.queue_box.run_button)


def test_run_all_analyzes_the_new_ones_and_goes_on_after_a_failure(
    qtbot, panel, slides, out, analyses
):
    write_finished(out, slides[0])
    fill(qtbot, panel, [slides[0].parent])
    qtbot.waitUntil(lambda: states(panel)[0] == "done", timeout=WAIT_MS)
    assert panel.queue_box.run_button.text() == "Run all new (3)"
    analyses.refused = {"slide-3.tif"}
    analyses.let_go()
    run_all(qtbot, panel)
    assert [name for name, _ in analyses.calls] == ["slide-2.tif", "slide-3.tif", "slide-4.tif"]
    assert states(panel) == ["done", "done", "failed", "done"]
    index = panel.queue_box.model.index(2, 0)
    assert "holds nothing but glass" in index.data(Qt.ItemDataRole.ToolTipRole)
    assert panel.queue_box.line.text().startswith("2 of 3 slides are analyzed. 1 failed")
    assert Notebook(out).read()[str(slides[2])] == {
        "failed": "slide-3.tif holds nothing but glass."
    }
    analyses.refused = set()
    assert panel.queue_box.run_button.text() == "Retry failed (1)"
    run_all(qtbot, panel)
    assert states(panel) == ["done"] * 4
    assert Notebook(out).read() == {}


def test_other_slides_can_be_looked_at_while_all_are_analyzed(qtbot, panel, slides, out, analyses):
    write_finished(out, slides[3])
    fill(qtbot, panel, [slides[0].parent])
    qtbot.waitUntil(lambda: states(panel)[3] == "done", timeout=WAIT_MS)
    click(qtbot, panel.queue_box.run_button)
    qtbot.waitUntil(lambda: states(panel)[0] == "running", timeout=WAIT_MS)
    panel.control.open(slides[3])
    qtbot.waitUntil(lambda: panel.session.current.analysis is not None, timeout=WAIT_MS)
    assert slide_id(slides[0]) in panel.session.slides, "the running one stays open"
    assert panel.run_box.line.text().startswith("Slide 1 of 3 (slide-1.tif): ")
    assert panel.queue_box.bar.isVisibleTo(panel.queue_box)
    assert not panel.run_box.run_button.isEnabled()
    with qtbot.waitSignal(
        panel.control.batch_changed, timeout=WAIT_MS, check_params_cb=lambda batch: batch is None
    ):
        analyses.let_go()
    assert states(panel) == ["done"] * 4
    assert current(panel) == "slide-4.tif"
    assert list(panel.session.slides) == [slide_id(slides[3])], "and is closed when it is done"


def test_a_slide_that_is_open_shows_its_result_when_its_turn_is_over(qtbot, queued, analyses):
    analyses.let_go()
    run_all(qtbot, queued)
    assert queued.session.current.analysis is not None
    assert states(queued) == ["done"] * 4


@pytest.mark.parametrize("button", ["queue", "run"])
def test_cancel_stops_all_and_keeps_what_is_done(qtbot, queued, analyses, button):
    click(qtbot, queued.queue_box.run_button)
    analyses.gate.release()
    qtbot.waitUntil(lambda: states(queued)[:2] == ["done", "running"], timeout=WAIT_MS)
    cancel = {"queue": queued.queue_box.cancel_button, "run": queued.run_box.cancel_button}
    with qtbot.waitSignal(
        queued.control.batch_changed, timeout=WAIT_MS, check_params_cb=lambda batch: batch is None
    ):
        click(qtbot, cancel[button])
    assert states(queued) == ["done", "new", "new", "new"]
    assert len(analyses.calls) <= 2
    assert "1 of 4 slides are analyzed" in queued.queue_box.line.text()


def test_closing_the_panel_stops_all(qtbot, queued, window, analyses):
    click(qtbot, queued.queue_box.run_button)
    qtbot.waitUntil(lambda: len(analyses.calls) == 1, timeout=WAIT_MS)
    window.window.remove_dock_widget(queued)
    PipelineWorker.await_workers(WAIT_MS)
    qtbot.wait(50)
    assert len(analyses.calls) == 1


def test_the_states_are_there_again_after_a_restart(qtbot, queued, window, make_panel, analyses):
    analyses.refused = {"slide-2.tif"}
    analyses.let_go()
    folder = queued.queue.entries[0].path.parent
    queued.queue_box.note.setText("capsule at the top")
    queued.queue_box.note.editingFinished.emit()
    run_all(qtbot, queued)
    window.window.remove_dock_widget(queued)
    again = make_panel()
    fill(qtbot, again, [folder])
    qtbot.waitUntil(lambda: states(again) == ["done", "failed", "done", "done"], timeout=WAIT_MS)
    assert again.queue.entries[1].reason == "slide-2.tif holds nothing but glass."
    assert again.queue_box.note.text() == "capsule at the top"


def test_a_thousand_slides_are_queued_and_read(qtbot, panel, slides, out):
    write_finished(out, slides[0])
    many = [QueuedSlide(slides[0])]
    many += [QueuedSlide(slides[0].parent / f"absent-{at}.svs") for at in range(999)]
    panel.control.take(many)
    qtbot.waitUntil(lambda: states(panel)[0] == "done", timeout=WAIT_MS)
    assert panel.queue_box.count.text() == "0 of 1,000 reviewed"
    assert panel.queue_box.filter.itemText(1) == "New (999)"


# -- the layout ---------------------------------------------------------------------------


def test_all_tabs_can_be_read_and_the_window_fits_a_small_screen(qtbot, panel, slides, out):
    write_finished(out, slides[0])
    main = panel.window()
    main.resize(1400, 900)
    main.show()
    fill(qtbot, panel, [slides[0]])
    qtbot.waitUntil(lambda: panel.session.current.analysis is not None, timeout=WAIT_MS)
    bar = panel.tabs.tabBar()
    for at in range(bar.count()):
        text = bar.fontMetrics().horizontalAdvance(bar.tabText(at))
        assert bar.tabRect(at).width() > text
    assert bar.tabRect(bar.count() - 1).right() <= panel.tabs.width()
    qtbot.waitUntil(lambda: main.minimumSizeHint().height() <= 800, timeout=WAIT_MS)
    assert panel.tabs.height() > 300


def test_known_map_is_what_was_written(slides, out):
    """The tests above stand on it."""
    from napari_crlm_spa.core.pipeline import reopen_folder

    folder = write_finished(out, slides[0])
    assert np.array_equal(reopen_folder(folder).tissue_map.classes, known_map().classes)
