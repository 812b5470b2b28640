"""Retraining the classifier on exported tiles: start, watch, compare, keep or discard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin import engine, retrain
from napari_crlm_spa.plugin.memory import recall
from napari_crlm_spa.plugin.retrain import ALL, HEAD, Job, Outcome
from napari_crlm_spa.plugin.widgets.annotate.plots import Confusions, LossCurve
from napari_crlm_spa.plugin.widgets.correct.buttons import push_button
from napari_crlm_spa.plugin.widgets.job_bar import JobBar
from napari_crlm_spa.plugin.widgets.message import Message
from napari_crlm_spa.plugin.widgets.tables import ReadOnlyTable

if TYPE_CHECKING:
    from napari_crlm_spa.core.classifier.metrics import Evaluation

RECIPES = {
    HEAD: ("the head only (minutes on a CPU)", "For up to some 2,000 tiles; rehearses old classes"),
    ALL: ("all of the network (hours on a CPU)", "For thousands of tiles of many patients"),
}
CANCELLED = "Cancelled. What was reached is kept: the same retraining goes on from there."
RESEARCH_USE = "Research use only. A retrained model is as good as its labels."


class RetrainBox(QWidget):
    """Trains one model at a time; a finished one waits to be kept or discarded."""

    model_kept = Signal(str)  # folder

    def __init__(self) -> None:
        super().__init__()
        self.outcome: Outcome | None = None
        self.work = retrain.retrain
        self.folder = QLineEdit(str(recall().get("tiles_folder") or ""))
        self.folder.setPlaceholderText("export tiles first, or choose a folder of them")
        self.folder_button = QToolButton()
        self.folder_button.setText("…")
        self.count = QLabel()
        self.start = QComboBox()
        self.start.setToolTip("What the new model knows before it sees your tiles")
        self.recipe = QComboBox()
        for name, (text, tip) in RECIPES.items():
            self.recipe.addItem(text, name)
            self.recipe.setItemData(self.recipe.count() - 1, tip, 3)
        self.name = QLineEdit("my-model")
        self.name.setToolTip("A version is added: my-model-v1, my-model-v2")
        self.version = QLabel()
        self.train_button = push_button("Retrain", "Train a new model in the background")
        self.job = JobBar()
        self.message = Message()
        self.curve = LossCurve()
        self.judged_on = QLabel()
        self.judged_on.setWordWrap(True)
        self.recalls = ReadOnlyTable(["Recall", "Tiles", "Before", "After"])
        self.old_recalls = ReadOnlyTable(["Recall, old slides", "Tiles", "Before", "After"])
        self.confusions = Confusions()
        self.research = QLabel(RESEARCH_USE)
        self.research.setWordWrap(True)
        self.keep_button = push_button("Keep as model", "Add it to the list of models")
        self.discard_button = push_button("Discard", "Throw the new model away")
        self._lay_out()
        self._connect()
        self._forget()
        self.list_models()
        self._show_count()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(4)
        rows = QFormLayout()
        rows.setVerticalSpacing(3)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow("Tiles in", _beside(self.folder, self.folder_button, self.count))
        rows.addRow("Start from", self.start)
        rows.addRow("Train", self.recipe)
        rows.addRow("Name", _beside(self.name, self.version))
        layout.addLayout(rows)
        for widget in (
            self.train_button,
            self.job,
            self.curve,
            self.message,
            self.judged_on,
            self.recalls,
            self.old_recalls,
            self.confusions,
            self.research,
        ):
            layout.addWidget(widget)
        layout.addLayout(_beside(self.keep_button, self.discard_button))

    def _connect(self) -> None:
        self.folder_button.clicked.connect(lambda: self.use_folder(self.choose_folder()))
        self.folder.textChanged.connect(lambda: self._show_count())
        self.name.textChanged.connect(lambda: self._show_version())
        self.train_button.clicked.connect(self._on_train)
        self.job.progressed.connect(self._on_progress)
        self.job.done.connect(self._on_done)
        self.job.failed.connect(self.message.show_problem)
        self.job.cancelled.connect(lambda: self.message.tell(CANCELLED))
        self.job.busy_changed.connect(lambda busy: self.train_button.setDisabled(busy))
        self.keep_button.clicked.connect(self._on_keep)
        self.discard_button.clicked.connect(self._on_discard)

    def let_go(self) -> None:
        """Stop training; what was reached stays as a draft."""
        self.job.drop()

    # -- choosing -------------------------------------------------------------------------

    def choose_folder(self) -> str:
        """Ask for a folder of tiles; empty if none was chosen."""
        return QFileDialog.getExistingDirectory(self, "Folder of labeled tiles", self.folder.text())

    def use_folder(self, folder: str | Path) -> None:
        """Train on the tiles in this folder."""
        if str(folder):
            self.folder.setText(str(folder))
            self._show_count()

    def list_models(self) -> None:
        """Offer the models to start from."""
        chosen = self.start.currentData()
        own = str(recall().get("model") or "")
        names = [*engine.model_names(), *(str(path) for path in retrain.kept_models())]
        self.start.clear()
        for name in names + ([own] if own and own not in names and Path(own).is_dir() else []):
            self.start.addItem(retrain.title_of(name) if Path(name).is_dir() else name, name)
        self.start.setCurrentIndex(max(self.start.findData(chosen), 0))
        self._show_version()

    def _show_count(self) -> None:
        text = self.folder.text().strip()
        count = retrain.tiles_in(Path(text).expanduser()) if text else 0
        self.count.setText(f"{count:,} tiles" if count else "")

    def _show_version(self) -> None:
        try:
            self.version.setText(f"will be {retrain.versioned_name(self.name.text())}")
        except CrlmSpaError:
            self.version.setText("")

    # -- training -------------------------------------------------------------------------

    def _on_train(self) -> None:
        self._forget()
        try:
            if not self.folder.text().strip():
                raise CrlmSpaError("Export labeled tiles first, or choose a folder of them.")
            job = Job(
                tiles=Path(self.folder.text().strip()).expanduser(),
                start=str(self.start.currentData()),
                recipe=str(self.recipe.currentData()),
                name=retrain.versioned_name(self.name.text()),
                device=_device(),
            )
        except CrlmSpaError as error:
            self.message.show_problem(str(error))
            return
        self.curve.setVisible(True)
        self.job.start(self.work, job)

    def _on_progress(self, progress: Progress) -> None:
        if hasattr(progress.changed, "train_loss"):
            self.curve.add(progress.changed)

    def _on_done(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.curve.show_all(outcome.result.history)
        self.message.tell(" ".join(outcome.result.notes))
        self.judged_on.setText(outcome.judged_on)
        self._show_recalls(outcome)
        self._show_old(outcome)
        self.confusions.show_tables(_comparable(outcome))
        self.keep_button.setText(f"Keep as model {outcome.folder.name}")
        for widget in (self.judged_on, self.research, self.keep_button, self.discard_button):
            widget.setVisible(True)

    def _show_recalls(self, outcome: Outcome) -> None:
        before = {} if outcome.before is None else outcome.before.recall
        after = {} if outcome.after is None else outcome.after.recall
        tiles = {}
        if outcome.after is not None:
            sums = outcome.after.confusion.sum(axis=1).tolist()
            tiles = dict(zip(outcome.after.class_names, sums, strict=True))
        names = [name for name, value in after.items() if value is not None]
        for row, name in enumerate(names):
            self._put(self.recalls, row, name, tiles[name], before.get(name), after[name])
        if len(names) > 1 and outcome.before is not None and outcome.after is not None:
            means = (outcome.before.balanced_accuracy, outcome.after.balanced_accuracy)
            self._put(self.recalls, len(names), "mean of the classes", sum(tiles.values()), *means)
        self.recalls.fit()

    def _show_old(self, outcome: Outcome) -> None:
        """Show what the model forgot of the slides that it was made from."""
        comparison = outcome.result.comparison
        changes = () if comparison is None else comparison.of("old")
        for row, change in enumerate(changes):
            figures = (change.tiles, change.before, change.after)
            self._put(self.old_recalls, row, change.name, *figures)
        self.old_recalls.fit()

    def _put(
        self,
        table: ReadOnlyTable,
        row: int,
        name: str,
        tiles: int,
        before: float | None,
        after: float | None,
    ) -> None:
        figures = ["–" if value is None else f"{value:.3f}" for value in (before, after)]
        if before is not None and after is not None and abs(after - before) >= 5e-4:
            figures[1] = f"{'▲' if after > before else '▼'} {figures[1]}"
        for column, text in enumerate((name, f"{tiles:,}", *figures)):
            table.put(row, column, text)

    # -- keeping --------------------------------------------------------------------------

    def _on_keep(self) -> None:
        if self.outcome is None:
            return
        try:
            folder = retrain.keep(self.outcome.folder)
        except CrlmSpaError as error:
            self.message.show_problem(str(error))
            return
        self._forget()
        self.message.tell(
            f"Kept as {folder.name}. It is in the list of models above; choose it there to "
            "analyze slides with it."
        )
        self.list_models()
        self.model_kept.emit(str(folder))

    def _on_discard(self) -> None:
        if self.outcome is None:
            return
        retrain.discard(self.outcome.folder)
        self._forget()
        self.message.tell("Discarded. The models are as they were.")
        self._show_version()

    def _forget(self) -> None:
        self.outcome = None
        self.message.clear()
        self.curve.clear()
        for table in (self.recalls, self.old_recalls):
            table.setRowCount(0)
            table.fit()
        self.confusions.show_tables([])
        for widget in (
            self.curve,
            self.judged_on,
            self.research,
            self.keep_button,
            self.discard_button,
        ):
            widget.setVisible(False)


def _comparable(outcome: Outcome) -> list[tuple[str, Evaluation]]:
    """Return both confusions, or the new one alone where the models tell other classes apart."""
    before, after = outcome.before, outcome.after
    if after is None:
        return []
    if before is None or before.class_names != after.class_names:
        return [("after", after)]
    return [("before", before), ("after", after)]


def _device() -> str:
    kept = recall().get("preferences")
    return str(kept.get("device", "auto")) if isinstance(kept, dict) else "auto"


def _beside(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(4)
    for widget in widgets:
        row.addWidget(widget, 0 if isinstance(widget, QToolButton | QLabel) else 1)
    return row
