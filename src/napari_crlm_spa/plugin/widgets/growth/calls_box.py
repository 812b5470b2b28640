"""D or non-D by each named rule, with its reason; refusals above."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from napari_crlm_spa.core.spatial.interface import RULES, Interface
from napari_crlm_spa.plugin.growth.words import short_reason

NO_CALL = "–"


class CallsBox(QWidget):
    """The calls of an interface, one row a rule."""

    def __init__(self) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(2, 1)
        self.calls: dict[str, QLabel] = {}
        self.reasons: dict[str, QLabel] = {}
        for row, rule in enumerate(RULES):
            call, reason = QLabel(), QLabel()
            call.setStyleSheet("font-weight: bold")
            reason.setWordWrap(True)
            reason.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            grid.addWidget(QLabel(rule), row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(call, row, 1, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(reason, row, 2)
            self.calls[rule], self.reasons[rule] = call, reason

    def show_calls(self, interface: Interface) -> None:
        """Show the calls of an interface."""
        for rule, call in interface.calls.items():
            self.calls[rule].setText(call.call or NO_CALL)
            # A refusal stands above all of them, once.
            self.reasons[rule].setText("" if interface.refusals else short_reason(call.reason))
            self.reasons[rule].setToolTip(call.reason)
