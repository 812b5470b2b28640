"""The ribbon: the slide straightened along the interface, tissue, codes, interaction, a ruler.

The wheel zooms, a drag moves, a click flies to the place, Shift and a drag reads a stretch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_crlm_spa.core.classes import ClassScheme
from napari_crlm_spa.core.spatial.interface import InterfaceCode, Run
from napari_crlm_spa.core.spatial.interface.colors import CODE_COLORS
from napari_crlm_spa.core.spatial.interface.unroll import REACH_UM
from napari_crlm_spa.plugin.growth.pictures import Pictures
from napari_crlm_spa.plugin.growth.strip import STEPS_UM, Piece, Strip

LEFT_PX, RIGHT_PX = 52, 8
TISSUE_PX, CODE_PX, CURVE_PX, RULER_PX, GAP_PX = 20, 13, 30, 17, 2
#: Of the ruler's labels.
TICK_PX = 120
LEAST_PICTURE_PX, USUAL_PICTURE_PX = 50, 150
FINEST_UM_PER_PX = 0.5
#: Of the curve's scale, which is the same on every slide.
MOST_INTERACTION = 0.6
CLICK_PX = 4
ZOOM_STEP = 1.25
GROUND, INK, GRAY = QColor("#ffffff"), QColor("#24292f"), QColor("#8c959f")
UNREAD = QColor("#e3e6ea")
MARK, MARK_EDGE = QColor("#101010"), QColor("#ffffff")
CHOSEN = QColor(61, 111, 180, 70)
FONT_PX = 11


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the parts lie from top to bottom: (top, height) in pixels."""

    picture: tuple[int, int]
    tissue: tuple[int, int]
    code: tuple[int, int]
    curve: tuple[int, int]
    ruler: tuple[int, int]

    @classmethod
    def fit(cls, height: int) -> Rows:
        """Give the picture what the others leave."""
        fixed = (TISSUE_PX, CODE_PX, CURVE_PX, RULER_PX)
        picture = max(LEAST_PICTURE_PX, height - sum(fixed) - len(fixed) * GAP_PX)
        tops, top = [], 0
        for size in (picture, *fixed):
            tops.append((top, size))
            top += size + GAP_PX
        return cls(*tops)


class RibbonView(QWidget):
    """Draws a `Strip`; what is not read yet is gray."""

    fly_wanted = Signal(float, float)  # arc and length, µm
    pointed = Signal(object)  # arc under the pointer, µm, or None
    moved = Signal()  # another part is seen, or a stretch was chosen

    def __init__(self) -> None:
        super().__init__()
        self.strip: Strip | None = None
        self.scheme: ClassScheme | None = None
        self.pictures = Pictures(_no_picture, self)
        self.start_um = 0.0
        self.um_per_px = 1.0
        #: Of a stretch that was chosen with Shift, or is looked at.
        self.chosen: tuple[float, float] | None = None
        self._under: float | None = None
        self._marked: float | None = None
        self._pressed: tuple[QPointF, float] | None = None
        self._dragged = self._choosing = False
        self._tissue: QImage | None = None
        self.setMouseTracking(True)
        self.setMinimumHeight(Rows.fit(0).ruler[0] + RULER_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.pictures.ready.connect(lambda _: self.update())

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for a picture in which a capsule can be seen."""
        return QSize(900, Rows.fit(0).ruler[0] + RULER_PX + USUAL_PICTURE_PX - LEAST_PICTURE_PX)

    # -- what is shown --------------------------------------------------------------------

    def show_strip(self, strip: Strip | None, scheme: ClassScheme | None) -> None:
        """Show another strip; the same line, measured anew, stays where it is."""
        before, self.strip, self.scheme = self.strip, strip, scheme
        same_line = _same_line(before, strip)
        same_place = (
            before is not None
            and strip is not None
            and before.measured.slide is strip.measured.slide
            and before.number == strip.number
        )
        self._tissue = None
        if not same_line:
            self._under = self._marked = None
            slide = None if strip is None else strip.measured.slide
            self.pictures.look_at(slide, None if strip is None else strip.read)
        if not same_place:
            self.chosen = None
            if strip is not None:
                self.start_um, self.um_per_px = 0.0, self._usual_um_per_px
        self._clamp()
        self.update()
        self.moved.emit()

    def use_scheme(self, scheme: ClassScheme | None) -> None:
        """Show the classes in other colors."""
        self.scheme, self._tissue = scheme, None
        self.update()

    @property
    def seen_um(self) -> tuple[float, float]:
        """Start and end of what is seen along the contour."""
        length = 0.0 if self.strip is None else self.strip.length_um
        return self.start_um, min(self.start_um + self._room_px * self.um_per_px, length)

    @property
    def _room_px(self) -> int:
        return max(1, self.width() - LEFT_PX - RIGHT_PX)

    @property
    def rows(self) -> Rows:
        """Where the parts lie."""
        return Rows.fit(self.height())

    @property
    def _um_per_px_down(self) -> float:
        """Of the picture from top to bottom: as along it, unless all of the strip fits in less."""
        return min(self.um_per_px, 2 * REACH_UM / self.rows.picture[1])

    @property
    def _usual_um_per_px(self) -> float:
        return 2 * REACH_UM / self.rows.picture[1]

    @property
    def squeezed(self) -> float:
        """How many times narrower than high a circle looks; 1 if shapes are true."""
        return self.um_per_px / self._um_per_px_down

    # -- moving ---------------------------------------------------------------------------

    def scroll_to(self, start_um: float) -> None:
        """See what begins there."""
        self.start_um = start_um
        self._after_move()

    def zoom(self, factor: float, at_px: float | None = None) -> None:
        """See less (factor > 1) or more; what lies at a pixel stays there."""
        at_px = LEFT_PX + self._room_px / 2 if at_px is None else at_px
        arc = self.arc_at(at_px)
        self.um_per_px /= factor
        self._clamp()
        self.start_um = arc - (at_px - LEFT_PX) * self.um_per_px
        self._after_move()

    def show_all(self) -> None:
        """See the whole contour."""
        self.start_um, self.um_per_px = 0.0, math.inf
        self._after_move()

    def show_true(self) -> None:
        """See shapes as they are, all of the strip's height."""
        self.zoom(self.um_per_px / self._usual_um_per_px)

    def look_at(self, start_um: float, length_um: float) -> None:
        """Choose a stretch and bring it into view."""
        self.chosen = (start_um, start_um + length_um)
        low, high = self.seen_um
        if not (low <= start_um and start_um + length_um <= high):
            self.start_um = start_um + length_um / 2 - self._room_px * self.um_per_px / 2
        self._after_move()

    def mark(self, arc_um: float | None) -> None:
        """Mark the place that is under the pointer on the slide."""
        if arc_um != self._marked:
            self._marked = arc_um
            self.update()

    def _after_move(self) -> None:
        self.pictures.go_on()
        self._clamp()
        self.pictures.only(set(self._wanted()))
        self.update()
        self.moved.emit()

    def _clamp(self) -> None:
        length = 1.0 if self.strip is None else self.strip.length_um
        coarsest = max(length / self._room_px, FINEST_UM_PER_PX)
        self.um_per_px = min(max(self.um_per_px, FINEST_UM_PER_PX), coarsest)
        last = max(0.0, length - self._room_px * self.um_per_px)
        self.start_um = min(max(self.start_um, 0.0), last)

    def arc_at(self, x_px: float) -> float:
        """Return the arc length at a pixel from left to right."""
        return self.start_um + (x_px - LEFT_PX) * self.um_per_px

    def x_of(self, arc_um: float) -> float:
        """Return the pixel of an arc length."""
        return LEFT_PX + (arc_um - self.start_um) / self.um_per_px

    def _wanted(self) -> list[Piece]:
        if self.strip is None:
            return []
        return self.strip.pieces(*self.seen_um, self.um_per_px)

    # -- the mouse ------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Zoom; sideways or with Shift, scroll."""
        delta = event.angleDelta()
        sideways = delta.x() or (delta.y() if _with_shift(event) else 0)
        if sideways:
            self.scroll_to(self.start_um - sideways / 120 * 0.1 * self._room_px * self.um_per_px)
        elif delta.y():
            self.zoom(ZOOM_STEP ** (delta.y() / 120), event.position().x())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Begin a click, a drag or a stretch."""
        if event.button() != Qt.MouseButton.LeftButton or self.strip is None:
            return
        self._pressed = (event.position(), self.start_um)
        self._dragged, self._choosing = False, _with_shift(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Move the strip, choose a stretch, or tell what is under the pointer."""
        at = event.position()
        if self._pressed is not None:
            begun, start = self._pressed
            self._dragged |= abs(at.x() - begun.x()) > CLICK_PX
            if self._dragged and self._choosing:
                ends = sorted((self._inside(begun.x()), self._inside(at.x())))
                self.chosen = (ends[0], ends[1])
                self.moved.emit()
            elif self._dragged:
                self.scroll_to(start - (at.x() - begun.x()) * self.um_per_px)
        self._point(at.x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Fly to the place after a click that did not move."""
        pressed, self._pressed = self._pressed, None
        if pressed is None or self._dragged or self.strip is None:
            return
        if self.chosen is not None:
            self.chosen = None
            self.moved.emit()
        arc = self.arc_at(event.position().x())
        if 0 <= arc <= self.strip.length_um:
            self.fly_wanted.emit(arc, 0.0)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Nothing is pointed at any more."""
        super().leaveEvent(event)
        self._tell(None)

    def _point(self, x_px: float) -> None:
        arc = self.arc_at(x_px)
        inside = self.strip is not None and x_px >= LEFT_PX and 0 <= arc <= self.strip.length_um
        self._tell(arc if inside else None)

    def _tell(self, arc_um: float | None) -> None:
        if arc_um != self._under:
            self._under = arc_um
            self.pointed.emit(arc_um)
            self.update()

    def _inside(self, x_px: float) -> float:
        length = 0.0 if self.strip is None else self.strip.length_um
        return min(max(self.arc_at(x_px), 0.0), length)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Stay within the contour."""
        super().resizeEvent(event)
        self._clamp()
        self.moved.emit()

    # -- drawing --------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw everything anew."""
        painter = QPainter(self)
        font = painter.font()
        font.setPixelSize(FONT_PX)
        painter.setFont(font)
        painter.fillRect(self.rect(), GROUND)
        if self.strip is None:
            painter.setPen(GRAY)
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "no interface to unroll")
        else:
            rows = self.rows
            self._names(painter, rows)
            painter.setClipRect(QRectF(LEFT_PX, 0, self._room_px, self.height()))
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            self._picture(painter, self.strip, rows)
            self._classes(painter, self.strip, rows)
            for run in self.strip.runs:
                self._run(painter, self.strip, run, rows)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._curve(painter, self.strip, rows)
            self._ruler(painter, self.strip, rows)
            self._marks(painter, rows)
        painter.end()

    def _names(self, painter: QPainter, rows: Rows) -> None:
        painter.setPen(INK)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        top, height = rows.picture
        words = (
            ("liver ▲", top + 2, 14),
            ("tumor ▼", top + height - 16, 14),
            ("tissue", *rows.tissue),
            ("code", *rows.code),
            (f"≤ {MOST_INTERACTION:g}", rows.curve[0], 13),
            ("interact.", rows.curve[0] + 13, 14),
            ("of line", rows.ruler[0] + 3, 13),
        )
        for text, y, size in words:
            painter.drawText(QRectF(0, y, LEFT_PX - 4, size), right, text)

    def _picture(self, painter: QPainter, strip: Strip, rows: Rows) -> None:
        top, height = rows.picture
        painter.fillRect(QRectF(LEFT_PX, top, self._room_px, height), UNREAD)
        half_um = height / 2 * self._um_per_px_down
        wanted = self._wanted()
        finest = wanted[0].step_um if wanted else 0.0
        # What was read for a wider view stands in until the sharp pieces are there.
        coarser = [step for step in reversed(STEPS_UM) if step > finest]
        stand_ins = [piece for step in coarser for piece in strip.pieces(*self.seen_um, step)]
        # What is wished last is read first: the middle.
        center = sum(self.seen_um) / 2
        wanted.sort(key=lambda piece: -abs(piece.start_um + piece.length_um / 2 - center))
        for piece in (*stand_ins, *wanted):
            pixmap = self.pictures.get(piece, wish=piece.step_um == finest)
            if pixmap is None:
                continue
            left = self.x_of(piece.start_um)
            width = pixmap.width() * piece.step_um / self.um_per_px
            per_um = pixmap.height() / (2 * REACH_UM)
            source = QRectF(0, (REACH_UM - half_um) * per_um, pixmap.width(), 2 * half_um * per_um)
            painter.drawPixmap(QRectF(left, top, width + 0.5, height), pixmap, source)
        painter.setPen(QPen(QColor(16, 16, 16, 130), 1, Qt.PenStyle.DotLine))
        middle = top + height / 2
        painter.drawLine(QPointF(LEFT_PX, middle), QPointF(LEFT_PX + self._room_px, middle))

    def _classes(self, painter: QPainter, strip: Strip, rows: Rows) -> None:
        if self._tissue is None and self.scheme is not None:
            self._tissue = _class_image(strip.classes, self.scheme)
        if self._tissue is None:
            return
        per_um = self._tissue.width() / strip.length_um
        low, high = self.seen_um
        source = QRectF(low * per_um, 0, (high - low) * per_um, self._tissue.height())
        target = QRectF(LEFT_PX, rows.tissue[0], self.x_of(high) - LEFT_PX, rows.tissue[1])
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(target, self._tissue, source)

    def _run(self, painter: QPainter, strip: Strip, run: Run, rows: Rows) -> None:
        top, height = rows.code
        end = run.start_um + run.length_um
        # The last run may reach past the first point of the closed line.
        for shift in (0.0, -strip.length_um):
            left, right = self.x_of(run.start_um + shift), self.x_of(end + shift)
            inset = 4 if run.code == InterfaceCode.U else 0
            box = QRectF(left, top + inset, right - left, height - 2 * inset)
            painter.fillRect(box, QColor(CODE_COLORS[run.code]))
            if right - left > 16 and run.code != InterfaceCode.U:
                dark = run.code == InterfaceCode.O
                painter.setPen(INK if dark else GROUND)
                shown = box.intersected(QRectF(LEFT_PX, top, self._room_px, height))
                painter.drawText(shown, Qt.AlignmentFlag.AlignCenter, run.code.name)

    def _curve(self, painter: QPainter, strip: Strip, rows: Rows) -> None:
        top, height = rows.curve
        painter.setPen(QPen(UNREAD, 1))
        for share in (0.0, 0.5, 1.0):
            y = top + height * share
            painter.drawLine(QPointF(LEFT_PX, y), QPointF(LEFT_PX + self._room_px, y))
        spacing = strip.contour.spacing_um
        low, high = self.seen_um
        # No more points than pixels.
        step = max(1, int(self.um_per_px / spacing))
        at = np.arange(max(0, int(low / spacing) - 1), int(high / spacing) + 2, step)
        at = at[at < len(strip.interaction)]
        # Where there is no interface to be judged, tumor may still have liver beside it.
        judged = strip.contour.codes[at] != InterfaceCode.U
        values = np.where(judged, strip.interaction[at], np.nan)
        painter.setPen(QPen(INK, 1.5))
        for part in np.split(np.arange(len(at)), np.flatnonzero(~np.isfinite(values))):
            points = [
                QPointF(
                    self.x_of(float(at[i] * spacing)),
                    top + height * (1 - min(float(values[i]) / MOST_INTERACTION, 1.0)),
                )
                for i in part
                if np.isfinite(values[i])
            ]
            painter.drawPolyline(QPolygonF(points))

    def _ruler(self, painter: QPainter, strip: Strip, rows: Rows) -> None:
        """Draw ticks in millimeters, each with its share of the line."""
        top, height = rows.ruler
        low, high = self.seen_um
        painter.setPen(QPen(INK, 1))
        painter.drawLine(QPointF(LEFT_PX, top), QPointF(self.x_of(high), top))
        step_um = 1000 * _nice(TICK_PX * self.um_per_px / 1000)
        for number in range(math.ceil(low / step_um - 1e-9), int(high / step_um + 1e-9) + 1):
            arc = number * step_um
            x = self.x_of(arc)
            painter.drawLine(QPointF(x, top), QPointF(x, top + 4))
            text = f"{arc / 1000:.6g} mm · {100 * arc / strip.length_um:.3g} %"
            width = painter.fontMetrics().horizontalAdvance(text)
            left = min(max(x - width / 2, LEFT_PX), LEFT_PX + self._room_px - width)
            painter.drawText(QRectF(left, top + 3, width + 2, height - 3), 0, text)

    def _marks(self, painter: QPainter, rows: Rows) -> None:
        bottom = rows.ruler[0]
        if self.chosen is not None:
            left, right = (self.x_of(each) for each in self.chosen)
            for top, height in (rows.code, rows.curve):
                painter.fillRect(QRectF(left, top, right - left, height), CHOSEN)
            painter.setPen(QPen(QColor("#3d6fb4"), 1.5))
            for x in (left, right):
                painter.drawLine(QPointF(x, 0), QPointF(x, bottom))
        for arc, style in (
            (self._marked, Qt.PenStyle.SolidLine),
            (self._under, Qt.PenStyle.DashLine),
        ):
            if arc is None:
                continue
            x = self.x_of(arc)
            painter.setPen(QPen(MARK_EDGE, 3))
            painter.drawLine(QPointF(x, 0), QPointF(x, bottom))
            painter.setPen(QPen(MARK, 1.2, style))
            painter.drawLine(QPointF(x, 0), QPointF(x, bottom))
        if self._marked is not None:
            x = self.x_of(self._marked)
            painter.setBrush(MARK)
            tip = [QPointF(x - 6, 0), QPointF(x + 6, 0), QPointF(x, 9)]
            painter.drawPolygon(QPolygonF(tip))


def _no_picture(_slide: object, _key: object) -> np.ndarray:
    return np.full((1, 1, 3), 255, np.uint8)


def _same_line(before: Strip | None, now: Strip | None) -> bool:
    if before is None or now is None or before.measured.slide is not now.measured.slide:
        return before is now
    return np.array_equal(before.contour.vertices_um, now.contour.vertices_um)


def _class_image(classes: np.ndarray, scheme: ClassScheme) -> QImage:
    table = np.full((256, 3), 255, np.uint8)
    for tissue in scheme.classes:
        color = QColor(tissue.color)
        table[scheme.code(tissue.name)] = (color.red(), color.green(), color.blue())
    pixels = np.ascontiguousarray(table[classes])
    height, width = classes.shape
    image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    return image.copy()


def _nice(least: float) -> float:
    """Return the least round number that is no smaller."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * 0.999)


def _with_shift(event: QMouseEvent | QWheelEvent) -> bool:
    return bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
