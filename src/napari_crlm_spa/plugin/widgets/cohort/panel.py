"""The dock "CRLM-SPA cohort": a table of patients, their survival, their slides, their neighbors.

It composes its parts and the workspace, in whose viewer slides are opened. What the parts do
stands in their own files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QSize, Qt, QTimer, QUrl
from qtpy.QtGui import (
    QDesktopServices,
    QDragEnterEvent,
    QDropEvent,
    QKeySequence,
    QResizeEvent,
)
from qtpy.QtWidgets import (
    QDockWidget,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QShortcut,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.plugin.cohort.groupings import Grouping
from napari_crlm_spa.plugin.cohort.opened import OpenedCohort, open_cohort, together
from napari_crlm_spa.plugin.cohort.patient_table import PatientTable
from napari_crlm_spa.plugin.memory import recall, remember
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.widgets.cohort.build_box import BuildBox
from napari_crlm_spa.plugin.widgets.cohort.checks_box import ChecksBox
from napari_crlm_spa.plugin.widgets.cohort.curve_box import CurveBox
from napari_crlm_spa.plugin.widgets.cohort.fit_box import FitBox, Fitted
from napari_crlm_spa.plugin.widgets.cohort.neighbors_box import NeighborsBox
from napari_crlm_spa.plugin.widgets.cohort.patient_list import PatientList
from napari_crlm_spa.plugin.widgets.cohort.patient_slides import PatientSlides
from napari_crlm_spa.plugin.widgets.cohort.welcome import Welcome
from napari_crlm_spa.plugin.widgets.covered import Covered
from napari_crlm_spa.plugin.widgets.job_bar import JobBar
from napari_crlm_spa.plugin.widgets.keys_stay import KeysStay
from napari_crlm_spa.plugin.widgets.message import Message

if TYPE_CHECKING:
    import napari

WIDTH_PX, LOW_PX = 420, 100
#: Of table and curves, before anybody has moved the line between them.
SIZES_PX = [270, 490]
#: From this width on, table and curves stand side by side.
WIDE_PX = 820
LAST = "cohort_last"
TABLES = "Tables (*.csv *.tsv *.txt *.xlsx *.xlsm)"


class CohortPanel(QWidget):
    """Look at a cohort of patients: survival curves, slides, neighbors.

    Parameters
    ----------
    napari_viewer
        The viewer that the panel belongs to.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.setAcceptDrops(True)
        self.setMinimumWidth(WIDTH_PX)
        self.cohort: OpenedCohort | None = None
        self.slides = PatientSlides(napari_viewer, self)
        self.opener = self.slides.opener
        self._session: Session | None = None
        self._touched: set[int] = set()
        self._is_docked = False
        self._make()
        self._lay_out()
        self._connect()
        self._keys_stay = KeysStay((self,), self)
        # Not before the window has laid out its new dock.
        self._settle = QTimer(self, singleShot=True, interval=0)
        self._settle.timeout.connect(self._on_settle)
        self.show_cohort(None)

    def _make(self) -> None:
        self.menu_button = QPushButton("Cohort")
        self.menu_button.setMenu(self._menu())
        self.title = QLabel()
        self.title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.title.setWordWrap(True)
        self.job = JobBar()
        self.message = Message()
        self.relocate_button = QPushButton("Look in another folder…")
        self.list = PatientList()
        self.curves = CurveBox()
        self.neighbors = NeighborsBox()
        self.checks = ChecksBox()
        self.build_box = BuildBox()
        self.fit_box = FitBox()
        self.tabs = QTabWidget()
        for name, tab in (
            ("Survival", self.curves),
            ("Neighbors", self.neighbors),
            ("Checks", self.checks),
        ):
            self.tabs.addTab(tab, name)
        self.welcome = Welcome()

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction("Open a cohort or study (folder)…", self._on_folder)
        menu.addAction("Open a table (CSV, Excel)…", self._on_table)
        menu.addAction("Build from analyses…", self.show_build)
        menu.addSeparator()
        menu.addAction("Where slides are…", self._on_relocate)
        self.fit_action = menu.addAction("Fit a score and report…", self.show_fit)
        self.report_action = menu.addAction("Show the report", self._on_report)
        menu.addSeparator()
        self.close_action = menu.addAction("Close the cohort", lambda: self.show_cohort(None))
        return menu

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(self.menu_button)
        top.addWidget(self.title, 1)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.addWidget(self.list)
        self.splitter.addWidget(self.tabs)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setSizes(SIZES_PX)
        self.pages = QStackedWidget()
        for page in (self.welcome, self.build_box, self.fit_box, self.splitter):
            self.pages.addWidget(page)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(5)
        layout.addLayout(top)
        for widget in (self.job, self.message, self.relocate_button):
            layout.addWidget(widget)
        layout.addWidget(self.pages, 1)
        self.covered = Covered(content)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(self.covered)

    def _connect(self) -> None:
        self.welcome.open_button.clicked.connect(self._on_folder)
        self.welcome.table_button.clicked.connect(self._on_table)
        self.welcome.build_button.clicked.connect(self.show_build)
        self.welcome.last_button.clicked.connect(self._on_last)
        self.job.done.connect(self._on_opened)
        self.job.failed.connect(self.message.show_problem)
        self.list.current_changed.connect(self._on_current)
        self.list.open_wanted.connect(self.open_patient)
        self.curves.grouping_changed.connect(self._on_grouping)
        self.curves.told.connect(self._tell)
        self.curves.problem.connect(self._show_problem)
        self.neighbors.current_wanted.connect(self.list.look_at)
        self.neighbors.open_wanted.connect(self.open_patient)
        self.build_box.built.connect(self._on_built)
        self.build_box.problem.connect(self._on_build_problem)
        self.build_box.closed.connect(self._show_page)
        self.fit_box.fitted.connect(self._on_fitted)
        self.fit_box.problem.connect(self._on_build_problem)
        self.fit_box.closed.connect(self._show_page)
        self.slides.told.connect(self._tell)
        self.slides.problem.connect(self._show_problem)
        self.slides.missing.connect(self._on_missing)
        self.opener.session_changed.connect(self._on_session)
        self.relocate_button.clicked.connect(self._on_relocate)
        find = QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self, self.list.find)
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        # Not a method of the panel: that is gone by then.
        self.destroyed.connect(self.slides.finder.workers.stop)

    # -- opening --------------------------------------------------------------------------

    def open_path(self, path: Path) -> None:
        """Open a built cohort, a table or a study; a problem becomes a sentence."""
        self._clear()
        self.job.start(open_cohort, Path(path))

    def _on_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Choose a cohort or a study", _start())
        if folder:
            self.open_path(Path(folder))

    def _on_table(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose a table", _start(), TABLES)
        if path:
            self.open_path(Path(path))

    def _on_last(self) -> None:
        self.open_path(Path(str(recall().get(LAST, ""))))

    def show_build(self) -> None:
        """Show the form that builds a cohort."""
        session = self.opener.workspace()
        self.build_box.prepare("" if session is None else session.settings.folder.text())
        self._clear()
        self.pages.setCurrentWidget(self.build_box)

    def _on_build_problem(self, sentence: str, details: str) -> None:
        if sentence:
            self.message.show_problem(sentence, details)
        else:
            self._clear()

    def _on_built(self, cohort: OpenedCohort) -> None:
        self._on_opened(cohort)
        self._tell(f"The cohort is written into {cohort.source}.")
        if cohort.problems:
            self.tabs.setCurrentWidget(self.checks)

    def show_fit(self) -> None:
        """Show the form that fits a score to the open cohort."""
        if self.cohort is not None and self.cohort.cohort is not None:
            self._clear()
            self.fit_box.prepare(self.cohort)
            self.pages.setCurrentWidget(self.fit_box)

    def _on_fitted(self, fitted: Fitted) -> None:
        self.open_path(fitted.folder)
        self.open_page(fitted.page)

    def _on_report(self) -> None:
        if self.cohort is not None and self.cohort.report is not None:
            self.open_page(self.cohort.report)

    def open_page(self, page: Path) -> None:
        """Show a page in the browser."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(page.absolute())))

    def _on_opened(self, cohort: OpenedCohort) -> None:
        remember(**{LAST: str(cohort.source)})
        self.show_cohort(together(self.cohort, cohort))
        if self.cohort is not None and self.cohort.note:
            self._tell(self.cohort.note)

    def show_cohort(self, cohort: OpenedCohort | None) -> None:
        """Show a cohort; None closes it."""
        self.cohort = cohort
        self._touched = set()
        self._clear()
        table = None if cohort is None else PatientTable(cohort.patients)
        own = None if self._session is None else self._session.risk_model
        self.slides.show_cohort(cohort, table)
        self.list.show_table(table)
        self.neighbors.show_cohort(cohort, table, own)
        self.curves.show_cohort(cohort, own)
        flow, problems = ((), ()) if cohort is None else (cohort.flow, cohort.problems)
        self.checks.show_checks(flow, problems)
        has_checks = bool(flow or problems)
        at = self.tabs.indexOf(self.checks)
        self.tabs.setTabVisible(at, has_checks)
        self.tabs.setTabText(at, f"Checks ({len(problems):,})" if problems else "Checks")
        self.close_action.setEnabled(cohort is not None)
        self.fit_action.setEnabled(cohort is not None and cohort.cohort is not None)
        page = None if cohort is None else cohort.report
        self.report_action.setEnabled(page is not None and page.is_file())
        self._show_title()
        self._show_page()

    def _show_title(self) -> None:
        if self.cohort is None:
            self.title.setText("")
            return
        from napari_crlm_spa.plugin.cohort.curve_data import follow_up_line

        self.title.setText(f"{self.cohort.name}: {follow_up_line(self.cohort.survival)}")
        self.title.setToolTip(f"{self.cohort.source}\nMedian follow-up: reverse Kaplan-Meier")

    def _show_page(self) -> None:
        self.welcome.offer(Path(str(recall().get(LAST, ""))))
        self.pages.setCurrentWidget(self.welcome if self.cohort is None else self.splitter)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Take a folder or a table."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Open what was dropped."""
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.open_path(Path(paths[0]))

    # -- a patient ------------------------------------------------------------------------

    def _on_grouping(self, grouping: Grouping | None) -> None:
        if self.list.table is not None:
            self.list.table.use(grouping)
            self.list.show_groups()
            self.neighbors.show_groups()

    def _on_current(self, row: int) -> None:
        self.relocate_button.hide()
        self.message.clear()
        self.curves.look_at(row)
        self.neighbors.look_at(row)
        corrected = self.slides.corrected(row)
        if corrected:
            self._mark(row)
            self._tell(corrected)

    def open_patient(self, row: int) -> None:
        """Open the slide of a patient; of several, the user is asked which."""
        self._clear()
        self.slides.open(row)

    def _on_missing(self, sentence: str) -> None:
        self._show_problem(sentence)
        self.relocate_button.show()

    def _on_relocate(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Where are the slides?", _start())
        if folder:
            self.look_in(Path(folder))

    def look_in(self, folder: Path) -> None:
        """Look for slides in another folder as well, and open the one that was missed."""
        self._clear()
        self.slides.look_in(folder)

    # -- the workspace --------------------------------------------------------------------

    def _on_session(self, session: Session | None) -> None:
        old, self._session = self._session, session
        if old is not None:
            old.current_changed.disconnect(self._on_slide)
            old.review_changed.disconnect(self._on_review)
            old.risk_model_changed.disconnect(self._on_risk_model)
            old.blinded_changed.disconnect(self.covered.cover)
        if session is not None:
            session.current_changed.connect(self._on_slide)
            session.review_changed.connect(self._on_review)
            session.risk_model_changed.connect(self._on_risk_model)
            session.blinded_changed.connect(self.covered.cover)
            self.covered.cover(session.blinded)
            self._on_risk_model()
            self._on_slide(session.current)

    def _on_risk_model(self, _model: object = None) -> None:
        own = None if self._session is None else self._session.risk_model
        self.curves.use_risk_model(own)
        self.neighbors.use_risk_model(own)

    def _on_slide(self, slide: OpenSlide | None) -> None:
        """Look at the patient whose slide came to the front."""
        row = self.slides.row_of(slide)
        if row >= 0 and row != self.list.current:
            self.list.look_at(row)

    def _on_review(self, slide: OpenSlide) -> None:
        row = self.slides.row_of(slide)
        if row >= 0:
            self._mark(row)

    def _mark(self, row: int) -> None:
        self._touched |= {row}
        self.list.model.mark_corrected(set(self._touched))

    # -- words ----------------------------------------------------------------------------

    def _tell(self, sentence: str) -> None:
        self.message.tell(sentence)

    def _show_problem(self, sentence: str) -> None:
        self.message.show_problem(sentence)

    def _clear(self) -> None:
        self.message.clear()
        self.relocate_button.hide()

    # -- the dock -------------------------------------------------------------------------

    def come_forward(self) -> None:
        """Bring the dock to the front."""
        dock = self.parent()
        if isinstance(dock, QDockWidget):
            dock.show()
            dock.raise_()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Stand side by side where there is room."""
        super().resizeEvent(event)
        wide = self.width() >= WIDE_PX
        wanted = Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical
        if self.splitter.orientation() != wanted:
            self.splitter.setOrientation(wanted)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Notice being docked, and that the dock was closed: napari then takes the panel out."""
        super().changeEvent(event)
        if event.type() != QEvent.Type.ParentChange:
            return
        if self.parent() is None:
            self.let_go()
        elif not self._is_docked:
            self._is_docked = True
            self._settle.start()

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for little until the dock has its place: above another one it has half the height.

        Otherwise the window would grow, and stay so.
        """
        size = super().minimumSizeHint()
        return size if self._has_place else QSize(size.width(), LOW_PX)

    def _on_settle(self) -> None:
        if self.opener.workspace() is not None:
            self.opener.stand_beside(self)
        self._has_place = True
        self.updateGeometry()

    _has_place = False

    def let_go(self) -> None:
        """Stop what goes on and hear no more."""
        self._settle.stop()
        self.job.drop()
        self.build_box.job.drop()
        self.fit_box.job.drop()
        self.slides.let_go()


def _start() -> str:
    last = str(recall().get(LAST, ""))
    return str(Path(last).parent) if last else ""
