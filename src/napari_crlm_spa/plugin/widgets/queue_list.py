"""The queue as a Qt list: model, filter by state, and how an entry is painted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QRect,
    QSize,
    QSortFilterProxyModel,
    Qt,
)
from qtpy.QtGui import QColor, QFont, QPainter, QPalette, QPixmap
from qtpy.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from napari_crlm_spa.plugin.queue import Entry, SlideQueue, SlideState
from napari_crlm_spa.plugin.widgets.queue_pictures import PictureLoader

ROW_PX, PICTURE_WIDTH_PX, MARGIN_PX, DOT_PX = 44, 50, 5, 9
#: Told apart by the word as well.
STATE_COLORS = {
    SlideState.NEW: "#9aa4af",
    SlideState.RUNNING: "#388bfd",
    SlideState.DONE: "#e3b341",
    SlideState.REVIEWED: "#3fb950",
    SlideState.FAILED: "#f85149",
}
CURRENT_COLOR = "#1f6feb"


class QueueModel(QAbstractListModel):
    """The entries of a queue."""

    ENTRY = Qt.ItemDataRole.UserRole

    def __init__(self, queue: SlideQueue, pictures: PictureLoader, parent: QObject) -> None:
        super().__init__(parent)
        self.queue = queue
        self._pictures = pictures
        queue.reset.connect(self._on_reset)
        queue.changed.connect(self._on_changed)
        pictures.ready.connect(self._on_picture)

    def let_go(self) -> None:
        """Hear no more of the queue."""
        self.queue.reset.disconnect(self._on_reset)
        self.queue.changed.disconnect(self._on_changed)

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """How many slides there are."""
        return 0 if parent is not None and parent.isValid() else len(self.queue)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what is shown of a slide."""
        if not index.isValid() or index.row() >= len(self.queue):
            return None
        entry = self.queue.entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.path.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip(entry)
        if role == Qt.ItemDataRole.DecorationRole:
            return self._pictures.get(entry.path)
        return entry if role == self.ENTRY else None

    def _on_reset(self) -> None:
        self.beginResetModel()
        self.endResetModel()

    def _on_changed(self, at: int) -> None:
        index = self.index(at, 0)
        self.dataChanged.emit(index, index)

    def _on_picture(self, path: Path) -> None:
        at = self.queue.index(path)
        if at >= 0:
            self.dataChanged.emit(
                self.index(at, 0), self.index(at, 0), [Qt.ItemDataRole.DecorationRole]
            )


class StateFilter(QSortFilterProxyModel):
    """Lets the slides of one state through, or all."""

    def __init__(self, model: QueueModel, parent: QObject) -> None:
        super().__init__(parent)
        self._wanted: SlideState | None = None
        self._queue = model.queue
        self.setSourceModel(model)

    def narrow(self, wanted: SlideState | None) -> None:
        """Let only slides of this state through; None lets all."""
        self._wanted = wanted
        self.invalidate()

    def filterAcceptsRow(self, row: int, _parent: QModelIndex) -> bool:  # noqa: N802 - Qt's name
        """Whether a slide is shown."""
        return self._wanted in (None, self._queue.entries[row].state)


class EntryDelegate(QStyledItemDelegate):
    """Paints a slide: picture, name, state."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex) -> QSize:  # noqa: N802
        """All entries are equally high."""
        return QSize(120, ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw one entry."""
        entry: Entry = index.data(QueueModel.ENTRY)
        painter.save()
        rect = option.rect
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(CURRENT_COLOR))
        room = QRect(rect.left() + 3, rect.top() + 3, PICTURE_WIDTH_PX, rect.height() - 6)
        _draw_picture(painter, room, index.data(Qt.ItemDataRole.DecorationRole))
        text = rect.adjusted(PICTURE_WIDTH_PX + 3 + MARGIN_PX + 2, 4, -MARGIN_PX, -4)
        _draw_texts(painter, text, entry, option)
        painter.restore()


def _draw_picture(painter: QPainter, room: QRect, picture: QPixmap | None) -> None:
    painter.fillRect(room, QColor("white"))
    if picture is None:
        return
    size = picture.size().scaled(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
    where = QRect(room.topLeft(), size)
    where.moveCenter(room.center())
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawPixmap(where, picture)


def _draw_texts(painter: QPainter, rect: QRect, entry: Entry, option: QStyleOptionViewItem) -> None:
    selected = bool(option.state & QStyle.StateFlag.State_Selected)
    widget: QWidget | None = option.widget
    palette = option.palette if widget is None else widget.palette()
    color = QColor("white") if selected else palette.color(QPalette.ColorRole.Text)
    half = rect.height() // 2
    font = QFont(option.font)
    font.setBold(True)
    painter.setFont(font)
    painter.setPen(color)
    above = QRect(rect.left(), rect.top(), rect.width(), half)
    # The end of a name tells slides apart more often than its beginning.
    name = painter.fontMetrics().elidedText(
        entry.path.name, Qt.TextElideMode.ElideMiddle, above.width()
    )
    painter.drawText(above, Qt.AlignmentFlag.AlignVCenter, name)
    below = QRect(rect.left(), rect.top() + half, rect.width(), half)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(STATE_COLORS[entry.state]))
    painter.drawEllipse(below.left(), below.center().y() - DOT_PX // 2 + 1, DOT_PX, DOT_PX)
    painter.setFont(option.font)
    painter.setPen(color)
    below.setLeft(below.left() + DOT_PX + MARGIN_PX)
    said = painter.fontMetrics().elidedText(
        second_line(entry), Qt.TextElideMode.ElideRight, below.width()
    )
    painter.drawText(below, Qt.AlignmentFlag.AlignVCenter, said)


def second_line(entry: Entry) -> str:
    """Say a slide's state, whose it is, and the note on it."""
    parts = (entry.state.value, entry.detail, entry.slide.patient, entry.note)
    return " · ".join(part for part in parts if part)


def tooltip(entry: Entry) -> str:
    """Say all that is known of a slide."""
    lines = [str(entry.path), f"State: {entry.state.value}"]
    if entry.detail:
        lines[-1] += f" ({entry.detail})"
    if entry.reason:
        lines.append(entry.reason)
    if entry.slide.patient:
        lines.append(f"Patient: {entry.slide.patient}")
    if entry.slide.mpp is not None:
        lines.append(f"Pixel size in the table: {entry.slide.mpp:g} µm/px")
    if entry.note:
        lines.append(f"Note: {entry.note}")
    return "\n".join(lines)
