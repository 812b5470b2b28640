"""Who reads: the name under which corrections are logged and kept."""

from __future__ import annotations

import getpass

from qtpy.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QWidget

from napari_crlm_spa.plugin.memory import recall, remember
from napari_crlm_spa.plugin.session import Session

TIP = "Corrections are logged and kept under this name; another reader has another file"


class ReaderBox(QWidget):
    """The reader's name, remembered between starts."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.name = QLineEdit()
        self.name.setToolTip(TIP)
        self.name.setMaxLength(60)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(QLabel("Reader"))
        layout.addWidget(self.name, 1)
        session.set_reader(session.reader or str(recall().get("reader") or system_user()))
        self.name.setText(session.reader)
        self.name.editingFinished.connect(self._on_name)
        session.reader_changed.connect(self._on_reader)

    def let_go(self) -> None:
        """Listen no more."""
        self._session.reader_changed.disconnect(self._on_reader)

    def _on_name(self) -> None:
        name = self.name.text().strip()
        if not name:
            self.name.setText(self._session.reader)
        elif name != self._session.reader:
            remember(reader=name)
            self._session.set_reader(name)

    def _on_reader(self, name: str) -> None:
        self.name.setText(name)


def system_user() -> str:
    """Return the name by which the computer knows the reader."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "reader"
