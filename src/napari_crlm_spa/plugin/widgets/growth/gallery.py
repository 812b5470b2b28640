"""Stretches of the interface as pictures: sorted, with code, numbers and the reader's label."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from qtpy.QtCore import QModelIndex, QPointF, QRect, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFont, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from napari_crlm_spa.core.slide import RgbImage, Slide
from napari_crlm_spa.core.spatial.interface import InterfaceCode
from napari_crlm_spa.core.spatial.interface.colors import CODE_COLORS, CODE_TITLES
from napari_crlm_spa.core.spatial.interface.straighten import read_around
from napari_crlm_spa.core.spatial.interface.stretches import Stretch
from napari_crlm_spa.plugin.growth.keeper import Measured
from napari_crlm_spa.plugin.growth.pictures import Pictures
from napari_crlm_spa.plugin.session import Session
from napari_crlm_spa.plugin.widgets.gallery import (
    CHOSEN,
    GRAY,
    INK,
    TILE_ROLE,
    UNREAD,
    UNREADABLE,
    Gallery,
    GalleryModel,
    GalleryTile,
)

PICTURE_PX, READ_PX = 126, 200
MARGIN_PX, LINE_PX = 4, 15
CELL = QSize(PICTURE_PX + 2 * MARGIN_PX, PICTURE_PX + 2 * MARGIN_PX + 2 * LINE_PX)
#: Side of what a picture shows: a stretch of 500 µm, with its surroundings.
SIDE_UM = 800.0
ROWS_SHOWN = 2
READER, READER_DIFFERS = QColor("#24292f"), QColor("#7b3294")


@dataclass(frozen=True, slots=True)
class Order:
    """A way to sort stretches."""

    title: str
    key: Callable[[Stretch], float]
    largest_first: bool = False

    def sort(self, stretches: Sequence[Stretch]) -> list[Stretch]:
        """Sort; what has no number comes last, equal ones stay in their order."""
        sign = -1.0 if self.largest_first else 1.0

        def rank(stretch: Stretch) -> float:
            value = self.key(stretch)
            return sign * value if math.isfinite(value) else math.inf

        return sorted(stretches, key=rank)


ORDERS = (
    Order("highest interaction first", lambda each: each.interaction, True),
    Order("lowest interaction first", lambda each: each.interaction),
    Order("thinnest rim first", lambda each: each.rim_um),
    Order("thickest rim first", lambda each: each.rim_um, True),
    Order("along the interface", lambda each: 0.0),
)
#: Title and the codes that are shown.
SHOWN: tuple[tuple[str, tuple[InterfaceCode, ...]], ...] = (
    ("all that can be judged", (InterfaceCode.D, InterfaceCode.N, InterfaceCode.O)),
    ("rim (D)", (InterfaceCode.D,)),
    ("contact (N)", (InterfaceCode.N,)),
    ("something else (O)", (InterfaceCode.O,)),
    ("what cannot be judged (U)", (InterfaceCode.U,)),
)


def agrees(stretch: Stretch) -> bool:
    """Whether a reader's label and the estimate are both desmoplastic, or both not."""
    return not stretch.label or (stretch.label == "D") == (stretch.code == InterfaceCode.D)


class StretchModel(GalleryModel):
    """A list of stretches."""

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        if role == Qt.ItemDataRole.ToolTipRole and index.isValid():
            return stretch_words(cast(Stretch, self.tiles[index.row()]))
        return super().data(index, role)


class StretchGallery(Gallery):
    """Pictures of stretches; the current one can be chosen by mouse and arrow keys."""

    def __init__(self, session: Session) -> None:
        self.pictures = Pictures(_read)
        super().__init__(session, self.pictures)
        self.measured: Measured | None = None
        self.tiles = StretchModel()
        self.setModel(self.tiles)
        self.selectionModel().currentChanged.connect(self._on_current)
        self.setItemDelegate(_StretchPainter(self))
        self.setGridSize(CELL)
        self.pictures.setParent(self)

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """What is shown, in its order."""
        return cast("tuple[Stretch, ...]", self.tiles.tiles)

    def show_stretches(self, measured: Measured | None, stretches: Sequence[Stretch]) -> None:
        """Show other stretches; pictures of the same slide stay."""
        before = None if self.measured is None else self.measured.slide
        now = None if measured is None else measured.slide
        self.measured = measured
        if now is not before:
            self.pictures.look_at(now)
        self.tiles.show(cast(Sequence[GalleryTile], stretches))
        columns = max(1, int(self.viewport().width()) // CELL.width())
        rows = min(ROWS_SHOWN, -(-len(stretches) // columns))
        self.setFixedHeight(max(1, rows) * CELL.height() + 6)

    def _on_picture(self, *_key: object) -> None:
        self.viewport().update()


def _read(slide: Slide, center_um: tuple[float, float]) -> RgbImage:
    return read_around(slide, *center_um, SIDE_UM, READ_PX)


def stretch_words(stretch: Stretch) -> str:
    """Say what is known of a stretch."""
    start = stretch.start_um / 1000
    lines = [
        f"{start:.2f} – {start + stretch.length_um / 1000:.2f} mm of its line",
        f"{stretch.code_share:.0%} {stretch.code.name}: {CODE_TITLES[stretch.code]}",
    ]
    if math.isfinite(stretch.interaction):
        lines.append(f"interaction at the border {stretch.interaction:.2f}")
    if math.isfinite(stretch.rim_um):
        lines.append(f"rim {stretch.rim_um:.0f} µm (median)")
    if stretch.label:
        lines.append(f"a reader has drawn {stretch.label}")
    lines.append("Click to see it on the slide.")
    return "\n".join(lines)


class _StretchPainter(QStyledItemDelegate):
    """Draws a stretch: the picture, the interface in it, two lines below."""

    def __init__(self, gallery: StretchGallery) -> None:
        super().__init__(gallery)
        self._gallery = gallery

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex) -> QSize:  # noqa: N802
        """Return the size of a cell."""
        return CELL

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw one stretch."""
        stretch: Stretch = index.data(TILE_ROLE)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, CHOSEN)
        corner = option.rect.topLeft()
        box = QRect(corner.x() + MARGIN_PX, corner.y() + MARGIN_PX, PICTURE_PX, PICTURE_PX)
        font = QFont(painter.font())
        font.setPixelSize(11)
        painter.setFont(font)
        self._picture(painter, box, stretch)
        self._line(painter, box, stretch)
        self._words(painter, box, stretch)
        if stretch.label:
            self._label(painter, box, stretch)
        painter.restore()

    def _picture(self, painter: QPainter, box: QRect, stretch: Stretch) -> None:
        pictures = self._gallery.pictures
        pixmap = pictures.get(stretch.center_um)
        if pixmap is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(box, pixmap)
            return
        gone = pictures.known(stretch.center_um)
        painter.fillRect(box, UNREADABLE if gone else UNREAD)
        if gone:
            painter.setPen(GRAY)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "no picture")

    def _line(self, painter: QPainter, box: QRect, stretch: Stretch) -> None:
        """Draw the stretch's own part of the interface, thin: the tissue is to be seen."""
        measured = self._gallery.measured
        if measured is None or stretch.contour >= len(measured.interface.contours):
            return
        contour = measured.interface.contours[stretch.contour]
        first = round(stretch.start_um / contour.spacing_um)
        last = first + round(stretch.length_um / contour.spacing_um) + 1
        at = np.arange(first, last) % len(contour.codes)
        corner = np.array(stretch.center_um) - SIDE_UM / 2
        places = (contour.vertices_um[at] - corner) * (PICTURE_PX / SIDE_UM)
        points = [QPointF(box.left() + x, box.top() + y) for x, y in places.tolist()]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(QRectF(box))
        for pen in (QPen(QColor("#ffffff"), 3.5), QPen(QColor(CODE_COLORS[stretch.code]), 2)):
            painter.setPen(pen)
            painter.drawPolyline(QPolygonF(points))
        painter.setClipping(False)

    def _words(self, painter: QPainter, box: QRect, stretch: Stretch) -> None:
        first = QRect(box.left(), box.bottom() + 2, box.width(), LINE_PX)
        painter.fillRect(
            QRect(first.left(), first.top() + 3, 9, 9), QColor(CODE_COLORS[stretch.code])
        )
        painter.setPen(INK)
        side = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(
            first.adjusted(13, 0, 0, 0), side, f"{stretch.code.name} {stretch.code_share:.0%}"
        )
        painter.setPen(GRAY)
        right = side | Qt.AlignmentFlag.AlignRight
        if math.isfinite(stretch.interaction):
            painter.drawText(first, right, f"inter. {stretch.interaction:.2f}")
        second = first.translated(0, LINE_PX)
        painter.drawText(second, side, f"at {stretch.middle_um / 1000:.1f} mm")
        if math.isfinite(stretch.rim_um):
            painter.drawText(second, right, f"rim {stretch.rim_um:.0f} µm")

    def _label(self, painter: QPainter, box: QRect, stretch: Stretch) -> None:
        text = f"reader: {stretch.label}" + ("" if agrees(stretch) else " ≠")
        badge = QRect(
            box.left(), box.top(), painter.fontMetrics().horizontalAdvance(text) + 10, LINE_PX + 1
        )
        painter.fillRect(badge, READER if agrees(stretch) else READER_DIFFERS)
        painter.setPen(QColor("#ffffff"))
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, text)
