"""A mouse and a keyboard over the canvas of a real viewer, through Qt, as a reader uses them."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from napari_crlm_spa.plugin.viewer_look import camera_of

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.MouseButton.NoButton
PLAIN = Qt.KeyboardModifier.NoModifier


def canvas_of(panel):
    """The widget on which napari draws, in the window that the panel is docked in."""
    window = panel.window()
    for widget in window.findChildren(QWidget):
        if type(widget).__name__.startswith("CanvasBackend"):
            return widget
    raise AssertionError("no canvas")


class CanvasMouse:
    """Presses, moves and releases at positions in tiles (row, col), and types keys."""

    def __init__(self, viewer, panel):
        self.viewer = viewer
        self.panel = panel
        self.canvas = canvas_of(panel)

    def where(self, row, col):
        """The canvas pixel of a position in tiles."""
        tissue_map = self.panel.session.current.tissue_map
        stride, (x0, y0) = tissue_map.stride_um, tissue_map.origin_um
        camera = camera_of(self.viewer)
        center_y, center_x = camera.center[-2:]
        x = (x0 + col * stride - center_x) * camera.zoom + self.canvas.width() / 2
        y = (y0 + row * stride - center_y) * camera.zoom + self.canvas.height() / 2
        return QPointF(x, y)

    def _send(self, kind, at, button, buttons, modifiers=PLAIN):
        event = QMouseEvent(
            kind, at, QPointF(self.canvas.mapToGlobal(at.toPoint())), button, buttons, modifiers
        )
        QApplication.sendEvent(self.canvas, event)
        QApplication.processEvents()

    def press(self, row, col, button=LEFT, modifiers=PLAIN):
        at = self.where(row, col)
        self._send(QEvent.Type.MouseMove, at, NONE, NONE, modifiers)
        self._send(QEvent.Type.MouseButtonPress, at, button, button, modifiers)

    def move(self, row, col, button=LEFT, modifiers=PLAIN):
        self._send(QEvent.Type.MouseMove, self.where(row, col), NONE, button, modifiers)

    def hover(self, at):
        """Move to a pixel of the canvas, no button down."""
        self._send(QEvent.Type.MouseMove, at, NONE, NONE)

    def release(self, row, col, button=LEFT, modifiers=PLAIN):
        at = self.where(row, col)
        self._send(QEvent.Type.MouseButtonRelease, at, button, NONE, modifiers)

    def drag(self, *positions):
        """Press at the first position, move along the others, release at the last."""
        self.press(*positions[0])
        for position in positions[1:]:
            self.move(*position)
        self.release(*positions[-1])

    def click(self, row, col):
        self.drag((row, col))

    def key(self, key, modifiers=PLAIN):
        """Type a key with the pointer's canvas in focus."""
        QTest.keyClick(self.canvas, key, modifiers)
        QApplication.processEvents()

    def hold(self, key):
        """Press a key and keep it down."""
        QTest.keyPress(self.canvas, key)
        QApplication.processEvents()

    def let(self, key):
        """Release a key."""
        QTest.keyRelease(self.canvas, key)
        QApplication.processEvents()

    def double_click(self, row, col):
        """What Qt sends for two quick clicks."""
        at = self.where(row, col)
        self.press(row, col)
        self.release(row, col)
        self._send(QEvent.Type.MouseButtonDblClick, at, LEFT, LEFT)
        self.release(row, col)

    def look_at(self, rows, cols):
        """Show these rows and columns, and what lies beside them in the window."""
        tissue_map = self.panel.session.current.tissue_map
        stride, (x0, y0) = tissue_map.stride_um, tissue_map.origin_um
        camera = camera_of(self.viewer)
        y, x = y0 + stride * sum(rows) / 2, x0 + stride * sum(cols) / 2
        camera.center = (0.0, y, x)
        height, width = (rows[1] - rows[0]) * stride, (cols[1] - cols[0]) * stride
        camera.zoom = min(self.canvas.height() / height, self.canvas.width() / width)
        self.draw()

    def draw(self):
        """Let the canvas draw itself: only then does napari know what is in view."""
        self.viewer.screenshot(canvas_only=True, flash=False)
        QApplication.processEvents()

    def seen(self):
        """Corners of the canvas in tiles: ((row, col), (row, col))."""
        zero, one = self.where(0, 0), self.where(1, 1)
        px = one.x() - zero.x()
        low = (-zero.y() / px, -zero.x() / px)
        high = (low[0] + self.canvas.height() / px, low[1] + self.canvas.width() / px)
        return low, high
