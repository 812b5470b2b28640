"""The tools: what the mouse does, how large the brush is, which class it paints."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QSpinBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.review import Action
from napari_crlm_spa.plugin.map_view import MapView
from napari_crlm_spa.plugin.session import Session
from napari_crlm_spa.plugin.tables import short_title
from napari_crlm_spa.plugin.tools.deed import Deed
from napari_crlm_spa.plugin.tools.fill import FillRule, Reach
from napari_crlm_spa.plugin.tools.hand import LARGEST_BRUSH, SMALLEST_BRUSH, Hand, Tool
from napari_crlm_spa.plugin.tools.hand_keys import (
    ACCEPT_VIEW_KEY,
    DEED_KEYS,
    LARGER_KEY,
    SMALLER_KEY,
    TOOL_KEYS,
    class_keys,
)
from napari_crlm_spa.plugin.widgets.correct.buttons import color_button, even_button

FARTHEST_FILL = 200
TOOL_TIPS = {
    Tool.LOOK: "Move and zoom the slide (Esc; hold Space to move in between)",
    Tool.BRUSH: "Paint tiles; a click with a brush of 1 tile changes a single one",
    Tool.LASSO: "Draw around tiles; those whose center is inside are taken",
    Tool.FILL: "Click on a tile: all tiles of its class around it are taken",
}
DEEDS = {
    Action.ACCEPT: ("Accept", "Confirm the class that tiles have"),
    Action.SET_ASIDE: ("Set aside", "Leave tiles out of every count; Restore brings them back"),
    Action.RESTORE: ("Restore", "Bring the prediction back"),
}
HELP = (
    "On the slide: 1-7 choose a class and paint, Esc looks, Space held moves the slide."
    " Hidden tissues do not change."
)
LASSO_ADVICE = "All tiles whose center is inside the line."


class ToolBox(QGroupBox):
    """Shows what a hand holds, and lets the reader choose."""

    def __init__(self, session: Session, hand: Hand) -> None:
        super().__init__("Tools")
        self._session = session
        self._hand = hand
        self._palette = ""
        self.tools = {tool: self._tool_button(tool) for tool in Tool}
        self.undo_button = even_button("Undo", "Take the last step back (Z or Ctrl+Z)")
        self.redo_button = even_button("Redo", "Do it again (Y or Ctrl+Shift+Z)")
        self.classes = {name: self._class_button(name) for name in CRLM7.names}
        self.deeds = {action: self._deed_button(action) for action in DEEDS}
        self.accept_view_button = even_button(
            "Accept what is in view",
            f"Confirm all tiles that the window shows and no one has touched ({ACCEPT_VIEW_KEY})",
        )
        self._make_choices()
        self.help = QLabel(HELP)
        self.help.setWordWrap(True)
        self._make_exclusive(self.tools.values())
        self._make_exclusive([*self.classes.values(), *self.deeds.values()])
        self._lay_out()
        self._connect()
        self._color(session.view)
        self.show_hand()

    # -- making ---------------------------------------------------------------------------

    def _tool_button(self, tool: Tool) -> QPushButton:
        key = TOOL_KEYS.get(tool, "Esc")
        return even_button(f"{tool} {key}", TOOL_TIPS[tool], checkable=True)

    def _class_button(self, name: str) -> QPushButton:
        tissue = CRLM7[name]
        key = class_keys()[name]
        return even_button(
            f"{key} {short_title(tissue)}", f"Make it {tissue.title}", checkable=True
        )

    def _deed_button(self, action: Action) -> QPushButton:
        text, tip = DEEDS[action]
        return even_button(f"{DEED_KEYS[action]} {text}", tip, checkable=True)

    def _make_choices(self) -> None:
        self.size_slider = QSlider(Qt.Orientation.Horizontal)
        self.size_box = QSpinBox()
        for widget in (self.size_slider, self.size_box):
            widget.setRange(SMALLEST_BRUSH, LARGEST_BRUSH)
            widget.setToolTip(f"Diameter of the brush ({SMALLER_KEY} and {LARGER_KEY})")
        self.size_box.setSuffix(" tiles")
        self.reach = QComboBox()
        for reach in Reach:
            self.reach.addItem(reach.value, reach)
        self.radius = QSpinBox()
        self.radius.setRange(1, FARTHEST_FILL)
        self.radius.setSuffix(" tiles")
        self.choices = QStackedWidget()
        self._pages = {
            Tool.LOOK: self.choices.addWidget(_row()),
            Tool.BRUSH: self.choices.addWidget(_row("Size", self.size_slider, self.size_box)),
            Tool.LASSO: self.choices.addWidget(_row(LASSO_ADVICE)),
            Tool.FILL: self.choices.addWidget(_row("Take", self.reach, self.radius)),
        }

    def _make_exclusive(self, buttons: object) -> None:
        group = QButtonGroup(self)
        for button in buttons:  # type: ignore[attr-defined]
            group.addButton(button)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(4)
        row = QHBoxLayout()
        row.setSpacing(3)
        for button in self.tools.values():
            row.addWidget(button)
        row.addSpacing(8)
        row.addWidget(self.undo_button)
        row.addWidget(self.redo_button)
        layout.addLayout(row)
        layout.addWidget(self.choices)
        grid = QGridLayout()
        grid.setSpacing(3)
        for place, button in enumerate([*self.classes.values(), *self.deeds.values()]):
            grid.addWidget(button, place // 4, place % 4)
        grid.addWidget(self.accept_view_button, 2, 2, 1, 2)
        layout.addLayout(grid)
        layout.addWidget(self.help)

    def _connect(self) -> None:
        hand = self._hand
        for tool, button in self.tools.items():
            button.clicked.connect(lambda _=False, tool=tool: hand.take(tool))
        for name, button in self.classes.items():
            button.clicked.connect(lambda _=False, name=name: hand.choose_class(name))
        for action, button in self.deeds.items():
            button.clicked.connect(lambda _=False, action=action: hand.choose(Deed(action)))
        self.undo_button.clicked.connect(lambda: hand.undo())
        self.redo_button.clicked.connect(lambda: hand.redo())
        self.accept_view_button.clicked.connect(lambda: hand.accept_view())
        self.size_slider.valueChanged.connect(hand.set_brush)
        self.size_box.valueChanged.connect(hand.set_brush)
        self.reach.currentIndexChanged.connect(self._on_fill)
        self.radius.valueChanged.connect(self._on_fill)
        hand.changed.connect(self.show_hand)
        self._session.view_changed.connect(self._color)

    def let_go(self) -> None:
        """Listen no more."""
        self._hand.changed.disconnect(self.show_hand)
        self._session.view_changed.disconnect(self._color)

    # -- showing --------------------------------------------------------------------------

    def _on_fill(self) -> None:
        self._hand.set_fill(FillRule(Reach(self.reach.currentData()), self.radius.value()))

    def _color(self, view: MapView) -> None:
        if view.palette == self._palette:
            return
        self._palette = view.palette
        scheme = CRLM7.in_palette(view.palette)
        for name, button in self.classes.items():
            color_button(button, scheme[name].color)

    def show_hand(self) -> None:
        """Show what the hand holds, and what may be done."""
        hand, review = self._hand, self._hand.review
        self.tools[hand.tool].setChecked(True)
        chosen = self.classes.get(hand.deed.class_name) or self.deeds[hand.deed.action]
        chosen.setChecked(True)
        self.choices.setCurrentIndex(self._pages[hand.tool])
        self.choices.setVisible(hand.tool is not Tool.LOOK)
        for widget in (self.size_slider, self.size_box, self.reach, self.radius):
            widget.blockSignals(True)
        self.size_slider.setValue(hand.brush_tiles)
        self.size_box.setValue(hand.brush_tiles)
        self.reach.setCurrentIndex(self.reach.findData(hand.fill_rule.reach))
        self.radius.setValue(hand.fill_rule.radius)
        for widget in (self.size_slider, self.size_box, self.reach, self.radius):
            widget.blockSignals(False)
        self.radius.setVisible(hand.fill_rule.reach is Reach.NEAR)
        self.setEnabled(review is not None)
        self.undo_button.setEnabled(review is not None and review.can_undo)
        self.redo_button.setEnabled(review is not None and review.can_redo)


def _row(*parts: str | QWidget) -> QWidget:
    """Put words and widgets side by side."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for part in parts:
        widget = QLabel(part) if isinstance(part, str) else part
        layout.addWidget(widget, 0 if isinstance(widget, QLabel | QSpinBox) else 1)
    return row
