"""Who reads: the name under which corrections are kept, and whether the slide is reviewed."""

from __future__ import annotations

import getpass

from qtpy.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from napari_crlm_spa.core.review import read_reviewed, set_reviewed, write_corrected
from napari_crlm_spa.errors import StoreError
from napari_crlm_spa.plugin.memory import recall, remember
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.widgets.correct.buttons import push_button
from napari_crlm_spa.plugin.widgets.message import Message

TIP = "Corrections are logged and kept under this name; another reader has another file"
REVIEWED_KEY = "Shift-R"
MARK, MARKED = "Mark as reviewed", "Reviewed ✓"


class ReaderBox(QWidget):
    """The reader's name, remembered between starts, and the mark on the slide."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.name = QLineEdit()
        self.name.setToolTip(TIP)
        self.name.setMaxLength(60)
        self.reviewed_button = push_button(MARK, f"Say that you are done ({REVIEWED_KEY})")
        self.reviewed_button.setCheckable(True)
        self.message = Message()
        row = QHBoxLayout()
        row.addWidget(QLabel("Reader"))
        row.addWidget(self.name, 1)
        row.addWidget(self.reviewed_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.message)
        session.set_reader(session.reader or str(recall().get("reader") or system_user()))
        self.name.setText(session.reader)
        self.name.editingFinished.connect(self._on_name)
        self.reviewed_button.clicked.connect(self.mark)
        session.reader_changed.connect(self._on_reader)

    def let_go(self) -> None:
        """Listen no more."""
        self._session.reader_changed.disconnect(self._on_reader)

    def show_slide(self, slide: OpenSlide | None) -> None:
        """Show the reader's mark on a slide."""
        review = None if slide is None else slide.review
        self.reviewed_button.setEnabled(review is not None)
        marked = False
        if review is not None:
            mark = read_reviewed(review.analysis.folder, review.reader)
            # The mark of an earlier map of this slide does not count.
            identity = str(review.analysis.run.get("identity", ""))
            marked = mark is not None and mark.reviewed and mark.identity == identity
        self._show_mark(marked)
        self.show_file(slide)

    def show_file(self, slide: OpenSlide | None) -> None:
        """Say what is wrong with the file of the reader's corrections, if anything is."""
        review = None if slide is None else slide.review
        if review is not None and review.problem:
            self.message.show_problem(review.problem)
        else:
            self.message.tell("" if review is None else "\n".join(review.notes))

    def toggle_mark(self) -> None:
        """Mark the slide as reviewed, or take the mark back."""
        if self.reviewed_button.isEnabled():
            self.mark(not self.reviewed_button.isChecked())

    def mark(self, reviewed: bool) -> None:
        """Say that the reader is done with the current slide, or not yet."""
        slide = self._session.current
        if slide is None or slide.review is None:
            return
        try:
            set_reviewed(slide.review.analysis.folder, slide.review.reader, reviewed)
            if reviewed:
                # What counts of a reviewed slide lies on disk, for those who read no log.
                write_corrected(slide.review)
        except StoreError as error:
            self._show_mark(not reviewed)
            self.message.show_problem(str(error))
            return
        self._show_mark(reviewed)
        self._session.tell_review_changed(slide)

    def _show_mark(self, marked: bool) -> None:
        self.reviewed_button.setChecked(marked)
        self.reviewed_button.setText(MARKED if marked else MARK)

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
