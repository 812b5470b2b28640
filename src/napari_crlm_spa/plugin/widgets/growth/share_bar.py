"""The shares of an interface as one bar, with numbers that can be read without colors."""

from __future__ import annotations

import math

from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_crlm_spa.core.spatial.interface import InterfaceCode, InterfaceSummary
from napari_crlm_spa.core.spatial.interface.colors import CODE_COLORS, CODE_TITLES

HEIGHT_PX, BAR_PX = 62, 26
INK_ON = {InterfaceCode.O: "#24292f"}
ORDER = (InterfaceCode.D, InterfaceCode.N, InterfaceCode.O)


class ShareBar(QWidget):
    """Draws D, N and O of what can be judged."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(HEIGHT_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.shares: dict[InterfaceCode, float] = {}

    def show_summary(self, summary: InterfaceSummary | None) -> None:
        """Show other shares; None, or nothing that can be judged, shows none."""
        self.shares = {}
        if summary is not None and math.isfinite(summary.pct_D):
            values = (summary.pct_D, summary.pct_N, summary.pct_O)
            self.shares = dict(zip(ORDER, values, strict=True))
        self.setVisible(bool(self.shares))
        self.setToolTip(
            "\n".join(f"{c.name}, {CODE_TITLES[c]}: {v:.1f} %" for c, v in self.shares.items())
        )
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw everything anew."""
        painter = QPainter(self)
        width, left = self.width(), 0.0
        font = painter.font()
        font.setBold(True)
        painter.setFont(font)
        for code, value in self.shares.items():
            part = width * value / 100
            box = QRectF(left, 0, part, BAR_PX)
            painter.fillRect(box, QColor(CODE_COLORS[code]))
            text = f"{code.name} {value:.1f} %"
            if painter.fontMetrics().horizontalAdvance(text) + 6 < part:
                painter.setPen(QColor(INK_ON.get(code, "#ffffff")))
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
            left += part
        font.setBold(False)
        painter.setFont(font)
        at = 0.0
        for code, value in self.shares.items():
            painter.fillRect(QRectF(at, BAR_PX + 7, 9, 9), QColor(CODE_COLORS[code]))
            painter.setPen(self.palette().windowText().color())
            text = f"{code.name} {value:.1f} % {CODE_TITLES[code]}"
            advance = painter.fontMetrics().horizontalAdvance(text)
            painter.drawText(QRectF(at + 13, BAR_PX + 3, advance + 4, 17), 0, text)
            at += advance + 27
            if at + advance > width:
                at = 0.0
                painter.translate(0, 15)
        painter.end()
