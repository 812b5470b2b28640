"""Opens what an analysis has written: its folder and its report."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QHBoxLayout, QToolButton, QWidget

from napari_crlm_spa.core.store import REPORT_HTML
from napari_crlm_spa.plugin.session import OpenSlide, Session


class FilesBar(QWidget):
    """Two buttons, usable once the current slide has a result."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.report_button = _button("Report", "Open the report in the browser")
        self.folder_button = _button("Folder", "Open the folder with all results")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.report_button)
        layout.addWidget(self.folder_button)
        self.report_button.clicked.connect(lambda: self._open(REPORT_HTML))
        self.folder_button.clicked.connect(lambda: self._open(""))
        session.current_changed.connect(self._update)
        session.map_started.connect(self._update)
        session.analysis_changed.connect(self._update)
        self._update()

    def _update(self, _slide: OpenSlide | None = None) -> None:
        slide = self._session.current
        self.setEnabled(slide is not None and slide.analysis is not None)

    def _open(self, name: str) -> None:
        slide = self._session.current
        if slide is not None and slide.analysis is not None:
            show_file(slide.analysis.folder / name)


def show_file(path: Path) -> None:
    """Open a file or folder with the program that the system has for it."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def _button(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    return button
