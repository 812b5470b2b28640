"""A viewer with the workspace, what a user does in it, and pictures of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtGui import QImage
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QComboBox, QLineEdit, QScrollArea, QWidget

from napari_crlm_spa._tests.plugin.canvas_mouse import CanvasMouse, canvas_of
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.plugin import memory, settings
from napari_crlm_spa.plugin.layers.codes import MARK_COLORS, ZONE_COLORS

WIDTH_PX, HEIGHT_PX = 1400, 900
TIMEOUT_S = 900
#: So many colors of a picture are its most frequent ones, which are those of the panels; the others
#: are shades of the tissue, as many as the size of the file allows.
FLAT_COLORS, SHADES = 64, (176, 128, 96, 64, 40, 24)
LARGEST_BYTES = 250_000
#: Colors in legends, small as they are.
SIGNS = [
    color
    for color in (
        *(tissue.color for tissue in CRLM7.classes),
        *ZONE_COLORS.values(),
        *MARK_COLORS.values(),
    )
    if color.startswith("#")
]
LEFT = Qt.MouseButton.LeftButton
#: An arrow as screens show it, since a picture of a window has none.
ARROW = ((0, 0), (0, 17), (4, 13), (7, 19), (10, 18), (7, 12), (12, 12))


def forget_readers() -> None:
    """Remove what was corrected and drawn on the slides by an earlier walk."""
    for folder in Path("results").glob("case-*/readers"):
        shutil.rmtree(folder)


class Desk:
    """The review workspace as ``crlm-spa-review PATH ...`` opens it.

    The working folder holds what it remembers and its results.
    """

    def __init__(self, out: Path, *paths: Path) -> None:
        import napari

        # The user's own choices and results stay as they are.
        memory.user_config_path = lambda *_, **__: Path("memory").absolute()
        memory.user_cache_path = lambda *_, **__: Path("cache").absolute()
        settings.napari_page = lambda: None
        self.out = out
        self.viewer = napari.Viewer(show=True)
        self.viewer.window.resize(WIDTH_PX, HEIGHT_PX)
        _, self.panel = self.viewer.window.add_plugin_dock_widget("napari-crlm-spa", "CRLM-SPA")
        self.panel.settings.set_results("results")
        self.type_into(self.panel.correct.reader_box.name, "Anna")
        self.wait(0.5)
        self.window = self.panel.window()
        self.canvas = canvas_of(self.panel)
        self.mouse = CanvasMouse(self.viewer, self.panel)
        self.pointer: QPoint | None = None
        if paths:
            self.panel.open_paths(list(paths))
            self.until(lambda: self.panel.session.current is not None)
            self.wait(1.0)

    @property
    def slide(self):
        """The slide that is looked at."""
        return self.panel.session.current

    def close(self) -> None:
        self.panel.let_go()
        self.wait(0.2)
        self.viewer.close()

    # -- waiting --------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            time.sleep(0.01)

    def until(self, is_so: Callable[[], bool]) -> None:
        started = time.monotonic()
        while not is_so():
            self.wait(0.1)
            if time.monotonic() - started > TIMEOUT_S:
                raise SystemExit(f"It took too long. The panel says: {self.panel.message.text}")

    def ready(self) -> None:
        """Wait for the result of the slide that was just opened."""
        self.until(lambda: self.slide is not None and self.slide.review is not None)
        self.wait(1.0)

    # -- what a user does -----------------------------------------------------------------

    def click(self, widget: QWidget) -> None:
        assert widget.isEnabled(), f"{widget} cannot be clicked"
        QTest.mouseClick(widget, LEFT)
        self.wait(0.2)

    def choose(self, combo: QComboBox, text: str) -> None:
        at = combo.findText(text)
        assert at >= 0, f"there is no {text}"
        combo.setCurrentIndex(at)
        combo.activated.emit(at)
        self.wait(0.3)

    def type_into(self, field: QLineEdit, text: str) -> None:
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Return)
        field.clearFocus()
        self.wait(0.1)

    def tab(self, name: str) -> None:
        bar = self.panel.tabs.tabBar()
        at = [bar.tabText(each) for each in range(bar.count())].index(name)
        QTest.mouseClick(bar, LEFT, pos=bar.tabRect(at).center())
        self.wait(0.5)

    def legend_row(self, class_name: str, *, double: bool = False) -> None:
        """Click a row of the legend once or twice."""
        table = self.panel.legend.table
        at = table.visualItemRect(table.item(table.row_of(class_name), 0)).center()
        QTest.mouseClick(table.viewport(), LEFT, pos=at)
        if double:
            QTest.mouseDClick(table.viewport(), LEFT, pos=at)
        self.wait(0.4)

    def hover(self, row: float, col: float) -> None:
        """Move the mouse over a position in tiles; pictures show it until the next one."""
        at = self.mouse.where(row, col).toPoint()
        QTest.mouseMove(self.canvas, at)
        self.pointer = self.canvas.mapTo(self.window, at)
        self.wait(0.5)

    def scroll_to(self, widget: QWidget) -> None:
        """Scroll the tab until a widget begins at its top."""
        area = widget.parentWidget()
        while not isinstance(area, QScrollArea):
            area = area.parentWidget()
        bar = area.verticalScrollBar()
        bar.setValue(widget.mapTo(area.widget(), QPoint(0, 0)).y() - 4)
        self.wait(0.3)

    # -- pictures -------------------------------------------------------------------------

    def picture(self, name: str, *parts: QWidget, until: QWidget | None = None) -> None:
        """Save the window, or the smallest part of it that holds some widgets.

        `until` cuts below a widget that ends earlier than the parts do.
        """
        self.wait(1.0)
        pixels = Image.fromarray(self.viewer.screenshot(canvas_only=False, flash=False)[..., :3])
        if self.pointer is not None:
            x, y = self.pointer.x(), self.pointer.y()
            arrow = [(x + dx, y + dy) for dx, dy in ARROW]
            ImageDraw.Draw(pixels).polygon(arrow, fill="black", outline="white")
            self.pointer = None
        if parts:
            pixels = pixels.crop(self._box(parts, until))
        path = self.out / f"{name}.png"
        save(pixels, path)

    def part(self, name: str, widget: QWidget) -> None:
        """Save a part of the panel, all of it, however little of it is in view."""
        self.wait(0.5)
        image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGBA8888)
        data = image.constBits()
        data.setsize(image.sizeInBytes())
        shape = (image.height(), image.bytesPerLine() // 4, 4)
        pixels = np.frombuffer(data, np.uint8).reshape(shape)[:, : image.width(), :3]
        save(Image.fromarray(pixels.copy()), self.out / f"{name}.png")

    def _box(self, parts: tuple[QWidget, ...], until: QWidget | None) -> tuple[int, ...]:
        corners = [part.mapTo(self.window, QPoint(0, 0)) for part in parts]
        ends = [
            (at.x() + part.width(), at.y() + part.height())
            for at, part in zip(corners, parts, strict=True)
        ]
        bottom = max(y for _, y in ends)
        if until is not None:
            low = until.mapTo(self.window, QPoint(0, until.height())).y()
            bottom = min(bottom, low + 6)
        left, top = min(at.x() for at in corners), min(at.y() for at in corners)
        return left, top, max(x for x, _ in ends), bottom


def save(picture: Image.Image, path: Path) -> None:
    """Save a picture with few colors, but with those of legend and letters as they are."""
    picture = picture.convert("RGB")
    for n_shades in SHADES:
        _few_colors(picture, n_shades).save(path, optimize=True)
        size = path.stat().st_size
        if size <= LARGEST_BYTES:
            break
    print(f"{path.name}: {size / 1000:.0f} kB")


def _few_colors(picture: Image.Image, n_shades: int) -> Image.Image:
    pixels = np.asarray(picture)
    packed = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    colors, counts = np.unique(packed, return_counts=True)
    flat = colors[np.argsort(counts)[::-1][:FLAT_COLORS]]
    # Each color once: what is rare on the slide may be what a picture is about.
    others = np.setdiff1d(colors, flat)
    shades = Image.fromarray(_rgb(others)[:, None]) if len(others) else picture
    shades = shades.quantize(n_shades, Image.Quantize.MEDIANCUT)
    flat = np.union1d(flat, [int(color[1:], 16) for color in SIGNS])
    palette = Image.new("P", (1, 1))
    palette.putpalette([*_rgb(flat).ravel().tolist(), *shades.getpalette()[: 3 * n_shades]])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


def _rgb(packed: np.ndarray) -> np.ndarray:
    return np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=-1).astype(np.uint8)
