"""One question about the doubt in a risk: what it means, a button, progress, the answer, a CSV."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pandas as pd
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.options import Options
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.risk import RiskModel
from napari_crlm_spa.core.spatial import SpatialFeatures
from napari_crlm_spa.errors import CrlmSpaError, StoreError
from napari_crlm_spa.plugin.doubt_results import Answer, Question, results_of
from napari_crlm_spa.plugin.fold import Fold
from napari_crlm_spa.plugin.form import build_form, read_form
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.widgets.correct.buttons import push_button
from napari_crlm_spa.plugin.widgets.job_bar import JobBar
from napari_crlm_spa.plugin.widgets.message import Message

STALE = "This is from before your last edit."
NOT_YET = "Run the analysis first: then this can be asked."
STALE_STYLE = (
    "QLabel {background: #fdf6e4; color: #24292f; border-left: 4px solid #c88a00; padding: 3px;}"
)
Work = Generator[Progress, None, Any]


class DoubtBox(QWidget):
    """A question that can be asked of the current slide; the answer stays with the slide.

    A kind of box says what is asked (`work`), why it cannot be (`problem`), and shows the answer
    (`make_answer`, `show_answer`).
    """

    question: Question
    title: str
    #: What the answer means, and what it does not mean.
    meaning: str
    ask: str
    options_class: type[Options]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.results = results_of(session)
        self._asked: tuple[OpenSlide, SpatialFeatures, RiskModel] | None = None
        self.told = _label(self.meaning)
        self.run_button = push_button(self.ask, "")
        self.save_button = push_button("Save as CSV…", "Save what was found as a table")
        self.job = JobBar()
        self.message = Message()
        self.note = _label()
        self.stale = _label(STALE)
        self.stale.setStyleSheet(STALE_STYLE)
        self.answer = self.make_answer()
        # The same seed, the same answer: who asks again sees what the edits did, not chance.
        self.form = build_form(self.options_class, skip=("seed",))
        self.options_fold = Fold("Options", self.form)
        self.fold = Fold(self.title, self)
        # As high as the sentences need in this width: their hint knows nothing of it.
        self.fold.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.run_button, 1)
        row.addWidget(self.save_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 6)
        layout.setSpacing(4)
        layout.addWidget(self.told)
        layout.addWidget(self.note)
        layout.addLayout(row)
        for widget in (self.job, self.message, self.stale, self.answer, self.options_fold):
            layout.addWidget(widget)

    def _connect(self) -> None:
        self.run_button.clicked.connect(self.start)
        self.save_button.clicked.connect(self._on_save)
        self.job.done.connect(self._on_done)
        self.job.failed.connect(self.message.show_problem)
        self.job.cancelled.connect(lambda: self.message.tell("Stopped."))
        self.job.busy_changed.connect(lambda _busy: self.show_state())

    # -- what a kind of box says ----------------------------------------------------------

    def make_answer(self) -> QWidget:
        """Return what shows an answer."""
        raise NotImplementedError

    def work(self, features: SpatialFeatures, model: RiskModel, options: Any) -> Work:
        """Find the answer; a generator function, since it runs in a thread."""
        raise NotImplementedError

    def problem(self, features: SpatialFeatures, model: RiskModel) -> str:
        """Say why this cannot be asked of a slide, and the way out; empty if it can."""
        return ""

    def remark(self, features: SpatialFeatures, model: RiskModel) -> str:
        """Say what is to be known before it is asked; empty if nothing."""
        return ""

    def show_answer(self, slide: OpenSlide | None, answer: Answer | None) -> None:
        """Show an answer, or none."""
        raise NotImplementedError

    def headline(self, result: Any) -> str:
        """Say the answer in a few words, for the closed fold."""
        return ""

    def table(self, result: Any) -> pd.DataFrame:
        """Return the answer as a table."""
        return result.as_frame()

    # -- asking ---------------------------------------------------------------------------

    @property
    def result(self) -> Any:
        """The answer that is shown; None without one."""
        found = self.results.get(self.session.current, self.question)
        return None if found is None else found.result

    def start(self) -> None:
        """Ask of the current slide, as it is now."""
        slide = self.session.current
        if slide is None or slide.features is None:
            return
        self.message.clear()
        try:
            options = read_form(self.form)
        except CrlmSpaError as error:
            self.message.show_problem(str(error))
            return
        self._asked = slide, slide.features, self.session.risk_model
        self.job.start(self.work, slide.features, self.session.risk_model, options)

    def _on_done(self, result: Any) -> None:
        asked, self._asked = self._asked, None
        if asked is not None:
            slide, features, model = asked
            self.results.put(slide, self.question, Answer(result, features, model))

    def drop_job(self) -> None:
        """Stop asking: the slide is another one now."""
        self._asked = None
        self.message.clear()
        self.job.drop()

    # -- showing --------------------------------------------------------------------------

    def show_slide(self) -> None:
        """Show what is known of the current slide."""
        slide = self.session.current
        found = self.results.get(slide, self.question)
        self.show_answer(slide, found)
        self.answer.setVisible(found is not None)
        self.save_button.setVisible(found is not None)
        words = "" if found is None else self.headline(found.result)
        self.fold.set_title(f"{self.title}: {words}" if words else self.title)
        self.show_state()

    def show_state(self) -> None:
        """Show whether it can be asked, and whether the answer is still of this map."""
        slide, model = self.session.current, self.session.risk_model
        features = None if slide is None else slide.features
        found = self.results.get(slide, self.question)
        if slide is None or features is None:
            note, can = NOT_YET, False
        else:
            problem = self.problem(features, model)
            note, can = problem or self.remark(features, model), not problem
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.run_button.setEnabled(can and not self.job.busy)
        self.run_button.setText(self.ask if found is None else f"{self.ask} again")
        is_stale = found is not None and slide is not None and not found.is_of(slide, model)
        self.stale.setVisible(is_stale)

    # -- saving ---------------------------------------------------------------------------

    def choose_path(self) -> str:
        """Ask where to save."""
        slide = self.session.current
        name = f"{'slide' if slide is None else slide.stem}-{self.question}.csv"
        path, _ = QFileDialog.getSaveFileName(self, "Save", name, "Table (*.csv)")
        return str(path)

    def _on_save(self) -> None:
        path = self.choose_path()
        if path:
            self.save_to(Path(path))

    def save_to(self, path: Path) -> None:
        """Write the answer that is shown as a table."""
        if self.result is None:
            return
        try:
            write_text(path, self.table(self.result).to_csv(index=False, lineterminator="\n"))
        except StoreError as error:
            self.message.show_problem(str(error))
        else:
            stale = f" {STALE}" if not self.stale.isHidden() else ""
            self.message.tell(f"Saved as {path.name}.{stale}")


def _label(text: str = "") -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    return label


def text_label() -> QLabel:
    """Make a label for the sentences of an answer."""
    return _label()
