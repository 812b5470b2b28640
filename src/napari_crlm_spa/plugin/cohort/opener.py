"""Opens a patient's slide in the workspace: its queue, its results folder, its map.

The workspace is looked for each time, since the user may close it and open it again.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from napari_crlm_spa.plugin.cohort.slides import PatientSlide
from napari_crlm_spa.plugin.layers import slide_id
from napari_crlm_spa.plugin.memory import APP
from napari_crlm_spa.plugin.queue_sources import QueuedSlide, absolute
from napari_crlm_spa.plugin.session import Session

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_crlm_spa.plugin.widgets.panel import AnalysisPanel

WORKSPACE = "CRLM-SPA"


class SlideOpener(QObject):
    """Brings slides of a cohort into the workspace of one viewer."""

    told = Signal(str)
    problem = Signal(str)
    session_changed = Signal(object)  # Session | None

    def __init__(self, viewer: ViewerModel, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._workspace: AnalysisPanel | None = None

    @property
    def session(self) -> Session | None:
        """The session of the workspace, if it is open."""
        return None if self._workspace is None else self._workspace.session

    def use_workspace(self, panel: AnalysisPanel | None) -> None:
        """Open slides in this workspace from now on."""
        if panel is self._workspace:
            return
        if self._workspace is not None:
            self._workspace.gone.disconnect(self._on_gone)
        self._workspace = panel
        if panel is not None:
            # A closed workspace has let go of its viewer; no slide must be opened in it.
            panel.gone.connect(self._on_gone)
        self.session_changed.emit(self.session)

    def _on_gone(self) -> None:
        self.use_workspace(None)

    def workspace(self) -> AnalysisPanel | None:
        """Return the viewer's workspace; it is opened if it is not."""
        if self._workspace is None:
            self.use_workspace(self._find() or self._open())
        return self._workspace

    def patient_of(self, path: Path) -> str:
        """Return whose slide the queue says it is; empty if it does not know."""
        entry = None if self._workspace is None else self._workspace.queue.entry(path)
        return "" if entry is None else entry.slide.patient

    def _find(self) -> AnalysisPanel | None:
        from napari_crlm_spa.plugin.widgets.panel import AnalysisPanel

        window = getattr(self._viewer, "window", None)
        docks = {} if window is None else window.dock_widgets
        panels = [each for each in docks.values() if isinstance(each, AnalysisPanel)]
        return panels[0] if panels else None

    def _open(self) -> Any:
        window = getattr(self._viewer, "window", None)
        if window is None:
            return None
        _, panel = window.add_plugin_dock_widget(APP, WORKSPACE)
        return panel

    def stand_beside(self, widget: QWidget) -> None:
        """Make a dock a tab beside the workspace: one above the other, neither has room."""
        own, panel = widget.parent(), self._workspace
        other = None if panel is None else panel.parent()
        if not isinstance(own, QDockWidget) or not isinstance(other, QDockWidget):
            return
        window = own.parent()
        if isinstance(window, QMainWindow) and not own.isFloating():
            with suppress(RuntimeError):  # the window is being closed
                window.tabifyDockWidget(other, own)
                own.raise_()

    def open(self, slide: PatientSlide, path: Path, patient: str) -> bool:
        """Look at a slide with its map; tell whether it is open.

        Parameters
        ----------
        slide
            Of the cohort; its analysis is where its map is looked for.
        path
            Where its file is now.
        patient
            Whose it is, for the queue.
        """
        panel = self.workspace()
        if panel is None:
            self.problem.emit("There is no window to open slides in.")
            return False
        sentence = _look_for_results(panel, slide)
        path = absolute(path)
        if path not in panel.queue:
            panel.control.take([QueuedSlide(path, None, patient)], add=True)
        panel.control.open(path)
        entry = panel.queue.entry(path)
        if slide_id(path) not in panel.session.slides:
            reason = "" if entry is None else entry.reason
            self.problem.emit(reason or f"{path.name} cannot be opened.")
            return False
        if sentence:
            self.told.emit(sentence)
        return True


def _look_for_results(panel: AnalysisPanel, slide: PatientSlide) -> str:
    """Let the workspace look for results where the slide's are; return what is to be said."""
    if slide.analysis is None:
        return ""
    wanted, text = slide.analysis.parent, panel.settings.folder.text().strip()
    if text and absolute(text) == absolute(wanted):
        return ""
    if panel.runner.busy or panel.control.batch is not None:
        # Slides that still wait must not be analyzed into another folder.
        return (
            f"The map of {slide.name} is in {wanted}. It is shown once the analysis that is going "
            "on has ended and you have chosen that folder under Results in."
        )
    panel.settings.set_results(str(wanted))
    return f"Results are now read from and written to {wanted}."
