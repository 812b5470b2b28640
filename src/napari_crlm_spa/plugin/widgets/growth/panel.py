"""The dock "CRLM-SPA growth pattern": the interface as it is measured, and as readers see it.

It composes its parts and works with the session of the workspace beside it. What the parts do
stands in their own files.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QSize, Qt, QTimer
from qtpy.QtWidgets import (
    QDockWidget,
    QFrame,
    QLabel,
    QMainWindow,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.core.spatial.interface.stretches import Stretch
from napari_crlm_spa.plugin.cohort.opener import SlideOpener
from napari_crlm_spa.plugin.growth.words import NO_WORKSPACE
from napari_crlm_spa.plugin.memory import recall, remember
from napari_crlm_spa.plugin.session import Session
from napari_crlm_spa.plugin.widgets.growth.desk import GrowthDesk
from napari_crlm_spa.plugin.widgets.keys_stay import KeysStay

if TYPE_CHECKING:
    import napari

WIDTH_PX, LOW_PX = 420, 100
#: Of the ribbon's height, as far as the docks beside the slide leave it.
RIBBON_PX = 340
RIBBON_DOCK = "CRLM-SPA ribbon"
MEASURED, READ = "Measured", "Read"
TAB, RIBBON = "growth_tab", "growth_ribbon"


class GrowthPanel(QWidget):
    """Look at the growth pattern of a metastasis: measured, and read.

    Parameters
    ----------
    napari_viewer
        The viewer that the panel belongs to.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.setMinimumWidth(WIDTH_PX)
        self.opener = SlideOpener(napari_viewer, self)
        self.desk: GrowthDesk | None = None
        self._keys_stay: KeysStay | None = None
        self._is_docked = False
        self.nothing = QLabel(NO_WORKSPACE)
        self.nothing.setWordWrap(True)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.tabs = QTabWidget()
        self.pages = QStackedWidget()
        # Or napari would put empty room below it.
        self.pages.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.pages.addWidget(self.nothing)
        self.pages.addWidget(self.tabs)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self.pages)
        self.opener.session_changed.connect(self._on_session)
        self.tabs.currentChanged.connect(self._on_tab)
        # Not before the window has laid out its new dock.
        self._settle = QTimer(self, singleShot=True, interval=0)
        self._settle.timeout.connect(self._on_settle)

    # -- the workspace --------------------------------------------------------------------

    def _on_session(self, session: Session | None) -> None:
        self._close_desk()
        if session is not None:
            self.work_with(session)

    def work_with(self, session: Session) -> None:
        """Show the slides of a session."""
        self.desk = desk = GrowthDesk(self._viewer, session, self.opener, self)
        self.tabs.blockSignals(True)
        for name, tab in ((MEASURED, desk.measured_cover), (READ, desk.reading)):
            if tab is not None:
                self.tabs.addTab(_scrolling(tab), name)
        self.tabs.blockSignals(False)
        self.tabs.tabBar().setVisible(self.tabs.count() > 1)
        self.show_tab(str(recall().get(TAB, MEASURED)))
        desk.measured.ribbon_wanted.connect(self.toggle_ribbon)
        desk.measured.stretch_wanted.connect(self._on_stretch)
        self._keys_stay = KeysStay((self, desk.ribbon), self)
        self.pages.setCurrentWidget(self.tabs)
        desk.start()
        if recall().get(RIBBON) and self._is_docked:
            self.show_ribbon()

    def _close_desk(self) -> None:
        if self.desk is None:
            return
        desk, self.desk = self.desk, None
        self._remove_ribbon(desk.ribbon)
        desk.let_go()
        self.tabs.blockSignals(True)
        while self.tabs.count():
            area = self.tabs.widget(0)
            self.tabs.removeTab(0)
            area.deleteLater()
        self.tabs.blockSignals(False)
        desk.ribbon.deleteLater()
        self.pages.setCurrentWidget(self.nothing)

    def show_tab(self, name: str) -> None:
        """Open the tab of that name; without one nothing happens."""
        for at in range(self.tabs.count()):
            if self.tabs.tabText(at) == name:
                self.tabs.setCurrentIndex(at)

    def _on_tab(self, at: int) -> None:
        if at >= 0:
            remember(**{TAB: self.tabs.tabText(at)})
        if self.desk is not None:
            self.desk.measured.refresh_labels()

    # -- the ribbon -----------------------------------------------------------------------

    @property
    def ribbon_is_open(self) -> bool:
        """Whether the ribbon's dock is there."""
        return self.desk is not None and self.desk.ribbon.parent() is not None

    def toggle_ribbon(self) -> None:
        """Open the ribbon below the slide, or close it."""
        if self.ribbon_is_open and self.desk is not None:
            self._remove_ribbon(self.desk.ribbon)
            remember(**{RIBBON: False})
        else:
            self.show_ribbon()
            remember(**{RIBBON: True})

    def show_ribbon(self) -> None:
        """Open the ribbon below the slide, or bring it to the front."""
        window = getattr(self._viewer, "window", None)
        if window is None or self.desk is None:
            return
        ribbon = self.desk.ribbon
        if self.ribbon_is_open:
            dock = ribbon.parent()
            if isinstance(dock, QDockWidget):
                dock.show()
                dock.raise_()
            return
        with suppress(RuntimeError):  # the window is being closed
            window.add_dock_widget(ribbon, name=RIBBON_DOCK, area="bottom")
            ribbon.show()
            dock = ribbon.parent()
            main = None if dock is None else dock.parent()
            if isinstance(dock, QDockWidget) and isinstance(main, QMainWindow):
                main.resizeDocks([dock], [RIBBON_PX], Qt.Orientation.Vertical)

    def _remove_ribbon(self, ribbon: QWidget) -> None:
        window = getattr(self._viewer, "window", None)
        if window is None or ribbon.parent() is None:
            return
        with suppress(RuntimeError, LookupError):
            window.remove_dock_widget(ribbon)

    def _on_stretch(self, stretch: Stretch) -> None:
        if self.desk is not None:
            self.desk.ribbon.look_at(stretch.contour, stretch.start_um, stretch.length_um)

    # -- the dock -------------------------------------------------------------------------

    def come_forward(self) -> None:
        """Bring the dock to the front."""
        dock = self.parent()
        if isinstance(dock, QDockWidget):
            dock.show()
            dock.raise_()

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
        """Ask for little until the dock has its place: otherwise the window would grow."""
        size = super().minimumSizeHint()
        return size if self._has_place else QSize(size.width(), LOW_PX)

    def _on_settle(self) -> None:
        if self.opener.workspace() is not None:
            self.opener.stand_beside(self)
        self._has_place = True
        self.updateGeometry()

    _has_place = False

    def let_go(self) -> None:
        """Stop what goes on, take the lines from the slide, hear no more."""
        self._settle.stop()
        self._close_desk()
        self.opener.use_workspace(None)


def _scrolling(widget: QWidget) -> QScrollArea:
    """Keep a tall tab from making the window taller than the screen."""
    area = QScrollArea()
    area.setWidget(widget)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area
