"""What the tab Read shows while nothing is read: ways to begin."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.plugin.memory import remember
from napari_crlm_spa.plugin.session import Session

WELCOME = (
    "<b>Read growth patterns</b><br><br>Say how much of the tumor-liver interface is desmoplastic, "
    "replacement, pushing or other. Map, numbers, risk and the slide's name are hidden until you "
    "commit; times and later changes are logged."
)


class ReadingWelcome(QWidget):
    """Buttons; what they do is the tab's.

    Parameters
    ----------
    session
        Whose reader is shown and named.
    blinded
        What was chosen last.
    """

    def __init__(self, session: Session, *, blinded: bool) -> None:
        super().__init__()
        self._session = session
        told = QLabel(WELCOME)
        told.setWordWrap(True)
        self.reader = QLineEdit(session.reader)
        self.reader.setToolTip("Readings are kept under this name")
        row = QHBoxLayout()
        row.addWidget(QLabel("Reader"))
        row.addWidget(self.reader, 1)
        self.last_button = QPushButton()
        self.open_button = QPushButton("Open a review list…")
        self.open_button.setToolTip("Of crlm-spa hgp sample, or made here")
        self.make_button = QPushButton("Make review lists…")
        self.make_button.setToolTip("Of the slides in the queue: all, a sample, or the extremes")
        self.read_button = QPushButton("Read the slide that is open")
        self.blinded = QCheckBox("Hide map and numbers until I commit")
        self.blinded.setChecked(blinded)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(told)
        layout.addLayout(row)
        for widget in (
            self.last_button,
            self.open_button,
            self.make_button,
            self.read_button,
            self.blinded,
        ):
            layout.addWidget(widget)
        layout.addStretch(1)
        self.reader.editingFinished.connect(self._on_reader)
        session.reader_changed.connect(self._show_reader)

    def let_go(self) -> None:
        """Listen no more."""
        self._session.reader_changed.disconnect(self._show_reader)

    def show_session(self, last: Path) -> None:
        """Offer what was open the last time, and the slide that is open."""
        self.last_button.setVisible(bool(last.name) and last.is_file())
        self.last_button.setText(f"Go on with {last.name}")
        self.last_button.setToolTip(str(last))
        self.read_button.setEnabled(self._session.current is not None)

    def _on_reader(self) -> None:
        name = self.reader.text().strip()
        if not name:
            self.reader.setText(self._session.reader)
        elif name != self._session.reader:
            remember(reader=name)
            self._session.set_reader(name)

    def _show_reader(self, name: str) -> None:
        self.reader.setText(name)
