"""The slides of a review list under their names: which are read, the next one, the one before."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.plugin.growth.reading_list import ReadingList
from napari_crlm_spa.plugin.widgets.correct.buttons import push_button

HEIGHT_PX = 96
SHOW, HOLD = "show its results", "open the next, hide results"
DONE = "✓"


class ReadingListBox(QWidget):
    """Shows a list; what is opened is the desk's to say."""

    open_wanted = Signal(int)
    step_wanted = Signal(int)
    next_wanted = Signal()
    hold_wanted = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.view = QListWidget()
        self.view.setFixedHeight(HEIGHT_PX)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.count = QLabel()
        self.count.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.previous_button = push_button("Previous", "The slide before (Shift+N on the slide)")
        self.next_button = push_button("Next unread", "The next slide to read (N on the slide)")
        self.after = QComboBox()
        self.after.addItems([SHOW, HOLD])
        self.after.setToolTip(
            "Results that are shown after each slide may bias how the next one is read"
        )
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.previous_button)
        row.addWidget(self.count, 1)
        row.addWidget(self.next_button)
        after = QHBoxLayout()
        after.addWidget(QLabel("After committing"))
        after.addWidget(self.after, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.view)
        layout.addLayout(row)
        layout.addLayout(after)
        self.view.itemClicked.connect(lambda item: self.open_wanted.emit(self.view.row(item)))
        self.view.itemActivated.connect(lambda item: self.open_wanted.emit(self.view.row(item)))
        self.previous_button.clicked.connect(lambda: self.step_wanted.emit(-1))
        self.next_button.clicked.connect(self.next_wanted)
        self.after.activated.connect(lambda at: self.hold_wanted.emit(bool(at)))

    def show_hold(self, hold_back: bool) -> None:
        """Show what follows a commitment."""
        self.after.setCurrentIndex(int(hold_back))

    def show_list(self, readings: ReadingList, at: int) -> None:
        """Show a list and which of it is being read."""
        with QSignalBlocker(self.view):
            while self.view.count() > len(readings):
                self.view.takeItem(self.view.count() - 1)
            for row, item in enumerate(readings.items):
                if row == self.view.count():
                    self.view.addItem(QListWidgetItem())
                mark = DONE if item.is_done else "  "
                text = f"{mark}  {row + 1:>3}   {item.name}"
                if self.view.item(row).text() != text:
                    self.view.item(row).setText(text)
            self.view.setCurrentRow(at)
        if at >= 0:
            self.view.scrollToItem(self.view.item(at))
        self.count.setText(f"{readings.done:,} of {len(readings):,} read")
        self.previous_button.setEnabled(at > 0)
        self.next_button.setEnabled(readings.done < len(readings))
        self.next_button.setText("Begin" if at < 0 and not readings.done else "Next unread")
