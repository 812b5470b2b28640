"""Run, Cancel, how far it is, and the sentence at the end."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget
from superqt import QElidingLabel

from napari_crlm_spa.plugin.session import OpenSlide, Run, RunStatus, Session
from napari_crlm_spa.plugin.throttle import Throttle
from napari_crlm_spa.plugin.words import progress_text, status_line

#: A progress bar that moves has the whole window painted anew, which takes time from the network.
STATUS_MS = 100
RUN_STYLE = (
    "QPushButton:enabled {background: #1f6feb; color: white; font-weight: bold; padding: 5px;}"
    "QPushButton:enabled:hover {background: #388bfd;}"
)


class RunBox(QWidget):
    """Buttons and progress; what they do is the panel's."""

    run_wanted = Signal()
    cancel_wanted = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.run_button = QPushButton("Run")
        self.run_button.setShortcut("Ctrl+Return")
        self.run_button.setStyleSheet(RUN_STYLE)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Stop; what is finished is kept")
        self.bar = QProgressBar()
        self.bar.setTextVisible(True)
        self.bar.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.line = QElidingLabel()
        self._busy = False
        self._task = ""
        self._status: RunStatus | None = None
        self._soon = Throttle(self._show_latest, self, STATUS_MS, at_once=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        self._buttons = QHBoxLayout()
        self._buttons.addWidget(self.run_button, 2)
        self._buttons.addWidget(self.cancel_button, 1)
        layout.addLayout(self._buttons)
        layout.addWidget(self.bar)
        layout.addWidget(self.line)
        self.run_button.clicked.connect(self.run_wanted)
        self.cancel_button.clicked.connect(self._on_cancel)
        session.current_changed.connect(self._on_current_changed)
        session.run_changed.connect(self._on_run_changed)
        session.status_changed.connect(self._on_status_changed)
        self.set_busy(False)

    def add_beside(self, widget: QWidget) -> None:
        """Put a widget at the right of the buttons."""
        self._buttons.addWidget(widget)

    def set_busy(self, busy: bool) -> None:
        """Show whether a worker is going."""
        self._busy = busy
        self.cancel_button.setEnabled(busy)
        self.bar.setVisible(busy)
        self.line.setVisible(busy)
        self._update_run_button()

    def set_task(self, task: str) -> None:
        """Say which of several runs it is; empty for a single one."""
        self._task = task

    def _on_status_changed(self, status: RunStatus) -> None:
        self._status = status
        self._soon.poke()

    def _show_latest(self) -> None:
        if self._status is not None:
            self.show_status(self._status)

    def show_status(self, status: RunStatus) -> None:
        """Show how the run stands; without a total the bar only says that it is alive."""
        self._status = status
        self.bar.setRange(0, status.total if status.total > 1 else 0)
        self.bar.setValue(status.done)
        self.bar.setFormat(progress_text(status))
        if self.cancel_button.isEnabled():
            self._say(status_line(status))

    def _say(self, sentence: str) -> None:
        self.line.setText(": ".join(part for part in (self._task or self._other, sentence) if part))

    def _on_cancel(self) -> None:
        self.cancel_button.setEnabled(False)
        self.line.setText("Stopping after the tiles under way…")
        self.cancel_wanted.emit()

    def _on_run_changed(self, run: Run | None) -> None:
        self._status = None
        if run is not None:
            self._say("Starting…")
            self.cancel_button.setEnabled(True)
            self.bar.setRange(0, 0)

    @property
    def _other(self) -> str:
        """Name of the slide that is being analyzed, if the reader looks at another one."""
        run, current = self._session.run, self._session.current
        if run is None or (current is not None and current.id == run.slide_id):
            return ""
        opened = self._session.slides.get(run.slide_id)
        return Path(run.slide_id).name if opened is None else opened.path.name

    def _on_current_changed(self, _slide: OpenSlide | None) -> None:
        self._update_run_button()
        self._show_latest()

    def _update_run_button(self) -> None:
        slide = self._session.current
        ready = slide is not None and slide.info.pixel_size is not None
        self.run_button.setEnabled(ready and not self._busy)
        self.run_button.setToolTip(_what_run_does(slide))


def _what_run_does(slide: OpenSlide | None) -> str:
    if slide is None:
        return "Open a slide first"
    if slide.info.pixel_size is None:
        return "Enter the pixel size first, above"
    return "Analyze the slide (Ctrl+Return)"
