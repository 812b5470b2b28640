"""What the dock shows while no cohort is open: ways to open one."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

WELCOME = (
    "<b>A cohort of patients</b><br><br>Look at the survival of a cohort and open the slide of any "
    "patient with its map.<br><br>Open what <i>Build</i> here or <code>crlm-spa cohort</code> has "
    "written, or a table (CSV, Excel) with one row per patient; or drop it here."
)


class Welcome(QWidget):
    """Buttons; what they do is the panel's."""

    def __init__(self) -> None:
        super().__init__()
        told = QLabel(WELCOME)
        told.setWordWrap(True)
        self.last_button = QPushButton()
        self.open_button = QPushButton("Open a cohort…")
        self.open_button.setToolTip("A folder that was built, or a study")
        self.table_button = QPushButton("Open a table…")
        self.table_button.setToolTip("CSV or Excel with one row per patient")
        self.build_button = QPushButton("Build a cohort…")
        self.build_button.setToolTip("From the results of slides and a clinical table")
        layout = QVBoxLayout(self)
        for widget in (
            told,
            self.last_button,
            self.open_button,
            self.table_button,
            self.build_button,
        ):
            layout.addWidget(widget)
        layout.addStretch(1)

    def offer(self, last: Path) -> None:
        """Offer what was open the last time, if it is still there."""
        self.last_button.setVisible(bool(last.name) and last.exists())
        self.last_button.setText(f"Open {last.name} again")
        self.last_button.setToolTip(str(last))
