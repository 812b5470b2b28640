"""Tiles as pictures in a grid: a picture with its surroundings, what it is, what it could be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from qtpy.QtGui import QColor, QFont, QKeyEvent, QPainter, QPen
from qtpy.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from napari_crlm_spa.core.classes import NOT_CLASSIFIED, ClassScheme
from napari_crlm_spa.core.review import Review
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.thumbnails import AROUND, Thumbnails

PICTURE_PX = 88
MARGIN_PX = 4
LINE_PX = 15
CELL = QSize(PICTURE_PX + 2 * MARGIN_PX, PICTURE_PX + 2 * MARGIN_PX + 2 * LINE_PX)
ROWS_SHOWN = 2
UNREAD, UNREADABLE = QColor("#6a6f76"), QColor("#4a4e54")
INK, GRAY, DONE = QColor("#f0f1f2"), QColor("#b4b9c0"), QColor("#2ea043")
CHOSEN = QColor("#3d6fb4")
TILE_ROLE = Qt.ItemDataRole.UserRole
SETTLED = (TileState.EDITED, TileState.ACCEPTED, TileState.SET_ASIDE)
ARROW = "→"
#: Keys that are not letters or digits, by the names that napari uses.
NAMED_KEYS = {
    Qt.Key.Key_Left: "Left",
    Qt.Key.Key_Right: "Right",
    Qt.Key.Key_Return: "Enter",
    Qt.Key.Key_Enter: "Enter",
}


@dataclass(frozen=True, slots=True)
class GalleryTile:
    """A tile of the gallery.

    Parameters
    ----------
    row, col
        The tile.
    name, other
        Class when the list was made, and the other that it could be.
    probability, other_probability
        Of both.
    """

    row: int
    col: int
    name: str
    other: str
    probability: float
    other_probability: float


def settled(review: Review, tile: GalleryTile) -> bool:
    """Whether a reader has corrected, confirmed or set a tile aside."""
    return TileState(int(review.tissue_map.state[tile.row, tile.col])) in SETTLED


def class_now(review: Review, tile: GalleryTile) -> str:
    """Return the class that a tile has now; empty if it was set aside."""
    code = int(review.tissue_map.classes[tile.row, tile.col])
    return "" if code == NOT_CLASSIFIED else review.tissue_map.scheme.names[code - 1]


class GalleryModel(QAbstractListModel):
    """A list of tiles."""

    def __init__(self) -> None:
        super().__init__()
        self.tiles: tuple[GalleryTile, ...] = ()

    def show(self, tiles: Sequence[GalleryTile]) -> None:
        """Show other tiles."""
        self.beginResetModel()
        self.tiles = tuple(tiles)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        """Return the number of tiles."""
        return 0 if parent.isValid() else len(self.tiles)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        if not index.isValid():
            return None
        tile = self.tiles[index.row()]
        if role == TILE_ROLE:
            return tile
        if role == Qt.ItemDataRole.ToolTipRole:
            return (
                f"Row {tile.row}, column {tile.col}: {tile.name} {tile.probability:.2f}, "
                f"{tile.other} {tile.other_probability:.2f}. Click to see it on the slide."
            )
        return None


class Gallery(QListView):
    """Pictures of tiles; the current one can be chosen by mouse and arrow keys."""

    chosen = Signal(int)  # position: it is the current one now, or was clicked again
    typed = Signal(str)  # a key that means something to whoever owns the gallery

    def __init__(self, session: Session, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._session = session
        self.thumbnails = thumbnails
        #: Keys that are told by `typed`; all others go on to the viewer.
        self.keys: frozenset[str] = frozenset()
        self.tiles = GalleryModel()
        self.setModel(self.tiles)
        self.setItemDelegate(_TilePainter(self, session))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setGridSize(CELL)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedHeight(ROWS_SHOWN * CELL.height() + 6)
        self.selectionModel().currentChanged.connect(self._on_current)
        self.clicked.connect(self._on_clicked)
        thumbnails.ready.connect(self._on_picture)
        self._told = -1

    @property
    def position(self) -> int:
        """The current tile; -1 without one."""
        return int(self.currentIndex().row())

    def show_tiles(self, tiles: Sequence[GalleryTile]) -> None:
        """Show other tiles; none is the current one."""
        self.tiles.show(tiles)
        rows = min(ROWS_SHOWN, -(-len(tiles) // max(1, self._columns())))
        self.setFixedHeight(max(1, rows) * CELL.height() + 6)

    def go(self, position: int) -> None:
        """Make a tile the current one."""
        self.setCurrentIndex(self.tiles.index(position, 0))

    def _columns(self) -> int:
        return max(1, int(self.viewport().width()) // CELL.width())

    def _on_current(self, now: QModelIndex, _before: QModelIndex) -> None:
        if now.isValid():
            self._told = now.row()
            self.chosen.emit(now.row())

    def _on_clicked(self, index: QModelIndex) -> None:
        # The press has told of a new one already; a click on the same one flies back to it.
        if self._told == index.row():
            self._told = -1
            return
        self.chosen.emit(index.row())

    def _on_picture(self, _row: int, _col: int) -> None:
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Tell of our keys; Up and Down move in the grid; all others are the viewer's.

        In the panel letters and digits go to the viewer first, where the walk has them, too.
        """
        name = _name_of(event)
        plain = event.modifiers() in (
            Qt.KeyboardModifier.NoModifier,
            Qt.KeyboardModifier.KeypadModifier,
        )
        if plain and name in self.keys:
            event.accept()
            if not event.isAutoRepeat() or name in ("Left", "Right"):
                self.typed.emit(name)
        elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            super().keyPressEvent(event)
        else:
            event.ignore()


def _name_of(event: QKeyEvent) -> str:
    """Name a key as napari does; letters and digits have the codes of their characters."""
    key = event.key()
    character = chr(key) if 0 < key < 0x110000 else ""
    return next((name for known, name in NAMED_KEYS.items() if known == key), character)


class _TilePainter(QStyledItemDelegate):
    """Draws a tile: the picture, a frame around the tile itself, two lines below."""

    def __init__(self, gallery: Gallery, session: Session) -> None:
        super().__init__(gallery)
        self._gallery = gallery
        self._session = session

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex) -> QSize:  # noqa: N802
        """Return the size of a cell."""
        return CELL

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw one tile."""
        slide = self._session.current
        if slide is None or slide.review is None:
            return
        tile: GalleryTile = index.data(TILE_ROLE)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, CHOSEN)
        scheme = slide.review.tissue_map.scheme.in_palette(self._session.view.palette)
        corner = option.rect.topLeft()
        picture = QRect(corner.x() + MARGIN_PX, corner.y() + MARGIN_PX, PICTURE_PX, PICTURE_PX)
        self._picture(painter, picture, tile)
        self._frame(painter, picture, scheme, class_now(slide.review, tile))
        self._words(painter, picture, scheme, tile, slide)
        painter.restore()

    def _picture(self, painter: QPainter, rect: QRect, tile: GalleryTile) -> None:
        thumbnails = self._gallery.thumbnails
        pixmap = thumbnails.get(tile.row, tile.col)
        if pixmap is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(rect, pixmap)
            return
        gone = thumbnails.known(tile.row, tile.col)
        painter.fillRect(rect, UNREADABLE if gone else UNREAD)
        if gone:
            painter.setPen(GRAY)
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, "no picture")

    def _frame(self, painter: QPainter, rect: QRect, scheme: ClassScheme, name: str) -> None:
        side = round(PICTURE_PX / (1 + 2 * AROUND))
        inside = QRect(0, 0, side, side)
        inside.moveCenter(rect.center())
        # White beneath: a frame in the color of its tissue is to be seen on the tissue.
        painter.setPen(QPen(QColor("#ffffff"), 4))
        painter.drawRect(inside)
        if name:
            painter.setPen(QPen(QColor(scheme[name].color), 2))
            painter.drawRect(inside)

    def _words(
        self,
        painter: QPainter,
        rect: QRect,
        scheme: ClassScheme,
        tile: GalleryTile,
        slide: OpenSlide,
    ) -> None:
        assert slide.review is not None
        first = QRect(rect.left(), rect.bottom() + 2, rect.width(), LINE_PX)
        second = first.translated(0, LINE_PX)
        font = QFont(painter.font())
        font.setPixelSize(11)
        painter.setFont(font)
        half = rect.width() // 2
        pairs = ((tile.name, tile.probability), (tile.other, tile.other_probability))
        for at, (name, p) in enumerate(pairs):
            left = first.left() + at * half
            painter.fillRect(QRect(left, first.top() + 3, 8, 9), QColor(scheme[name].color))
            painter.setPen(INK)
            words = QRect(left + 11, first.top(), half - 11, LINE_PX)
            painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, name)
            painter.setPen(GRAY)
            numbers = QRect(left + 11, second.top(), half - 11, LINE_PX)
            painter.drawText(numbers, Qt.AlignmentFlag.AlignVCenter, f"{p:.2f}")
        if settled(slide.review, tile):
            self._done(painter, rect, class_now(slide.review, tile) or "aside")

    def _done(self, painter: QPainter, rect: QRect, name: str) -> None:
        badge = QRect(rect.left(), rect.top(), 12 + 9 * (len(name) + 1), LINE_PX)
        painter.fillRect(badge, DONE)
        painter.setPen(QColor("#ffffff"))
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, f"✓ {name}")
