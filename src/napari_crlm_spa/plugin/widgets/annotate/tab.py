"""The tab in which areas are drawn, tiles exported, and the classifier is retrained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_crlm_spa.plugin.annotating.desk import AnnotationDesk
from napari_crlm_spa.plugin.annotating.keys import (
    CLASS_KEYS,
    REDO_KEYS,
    TOOL_KEYS,
    UNDO_KEYS,
    AnnotateKeys,
)
from napari_crlm_spa.plugin.fold import Fold
from napari_crlm_spa.plugin.session import Session
from napari_crlm_spa.plugin.widgets.annotate.draw_box import DrawBox
from napari_crlm_spa.plugin.widgets.annotate.export_box import ExportBox
from napari_crlm_spa.plugin.widgets.annotate.retrain_box import RetrainBox
from napari_crlm_spa.plugin.widgets.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel


class AnnotateTab(QWidget):
    """Drawing areas, exporting tiles, retraining; the keys are the tab's while it is seen."""

    model_kept = Signal(str)  # folder of a new model

    def __init__(self, session: Session, viewer: ViewerModel) -> None:
        super().__init__()
        self._session = session
        self.desk = AnnotationDesk(viewer, session, self)
        self.keys = AnnotateKeys(viewer, self._actions())
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        self.message = Message()
        self.draw_box = DrawBox(session, self.desk)
        self.export_box = ExportBox(session, self.desk)
        self.export_fold = Fold("Export labeled tiles", self.export_box)
        self.retrain_box = RetrainBox()
        self.retrain_fold = Fold("Retrain the classifier", self.retrain_box)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        for widget in (
            self.reason,
            self.draw_box,
            self.message,
            self.export_fold,
            self.retrain_fold,
        ):
            layout.addWidget(widget)
        layout.addStretch(1)
        self.desk.changed.connect(self._on_desk)
        self.desk.told.connect(self.message.tell)
        self.desk.problem.connect(self.message.show_problem)
        self.export_box.exported.connect(self.retrain_box.use_folder)
        self.retrain_box.model_kept.connect(self.model_kept)
        session.current_changed.connect(self._on_current)
        session.analysis_changed.connect(self._on_analysis)
        self._on_desk()

    def _actions(self) -> dict[str, Callable[[], object]]:
        desk = self.desk
        actions: dict[str, Callable[[], object]] = {}
        actions |= {key: _call(desk.take_tool, mode) for mode, key in TOOL_KEYS.items()}
        actions |= {key: _call(desk.choose_class, name) for name, key in CLASS_KEYS.items()}
        actions |= dict.fromkeys(UNDO_KEYS, desk.undo) | dict.fromkeys(REDO_KEYS, desk.redo)
        return actions

    def let_go(self) -> None:
        """Stop what goes on, save, and leave the viewer alone."""
        self.keys.let_go()
        session = self._session
        session.current_changed.disconnect(self._on_current)
        session.analysis_changed.disconnect(self._on_analysis)
        self.desk.changed.disconnect(self._on_desk)
        self.desk.let_go()
        self.draw_box.let_go()
        self.export_box.let_go()
        self.retrain_box.let_go()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Take the keys."""
        super().showEvent(event)
        self._mind_keys()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """Give the keys back and put the tool down: another tab has its own."""
        super().hideEvent(event)
        self.keys.let_go()
        if not event.spontaneous():
            self.desk.put_down()

    def _mind_keys(self) -> None:
        if self.isVisible() and not self.desk.reason:
            self.keys.bind()
        else:
            self.keys.let_go()

    def _on_desk(self) -> None:
        self.reason.setText(self.desk.reason)
        self.reason.setVisible(bool(self.desk.reason))
        self._mind_keys()

    def _on_current(self, _slide: object) -> None:
        self.export_box.show_slide()

    def _on_analysis(self, _slide: object) -> None:
        self.export_box.show_slide()


def _call(function: Callable[..., object], argument: object) -> Callable[[], object]:
    return lambda: function(argument)
