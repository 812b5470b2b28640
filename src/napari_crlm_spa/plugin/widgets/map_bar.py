"""Which map lies over the slide, of which tissue, and how opaque it is."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtGui import QAction, QActionGroup
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QMenu, QSizePolicy, QSlider, QToolButton, QWidget

from napari_crlm_spa.core.classes import PALETTES
from napari_crlm_spa.core.spatial import TISSUES
from napari_crlm_spa.plugin.layers import noun
from napari_crlm_spa.plugin.map_keys import TOLD
from napari_crlm_spa.plugin.map_view import MapKind, MapView
from napari_crlm_spa.plugin.session import Session

OPACITY_PX = 84
PERCENT = 100


class MapBar(QWidget):
    """Chooser, tissue, opacity, and a menu with the rest."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.chooser = _combo([(kind.value, kind) for kind in MapKind])
        self.chooser.setToolTip("The map over the slide (M, Shift-M)")
        self.tissue = _combo([(noun(tissue), tissue) for tissue in TISSUES])
        self.tissue.setToolTip("The tissue that the map is of")
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, PERCENT)
        self.opacity.setFixedWidth(OPACITY_PX)
        self.opacity.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.menu_button = QToolButton()
        self.menu_button.setText("⋯")
        self.menu_button.setToolTip("Colors, outline, keys")
        self.menu_button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._fill_menu()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget, stretch in ((self.chooser, 3), (self.tissue, 2), (self.opacity, 0)):
            layout.addWidget(widget, stretch)
        layout.addWidget(self.menu_button)
        self.chooser.activated.connect(self._on_chosen)
        self.tissue.activated.connect(self._on_chosen)
        self.opacity.valueChanged.connect(self._on_opacity)
        session.view_changed.connect(self._show)
        self._show(session.view)

    def _fill_menu(self) -> None:
        menu = QMenu(self.menu_button)
        self.palette_actions: dict[str, QAction] = {}
        group = QActionGroup(menu)
        for palette in PALETTES:
            action = menu.addAction(f"{palette.capitalize()} colors")
            action.setCheckable(True)
            group.addAction(action)
            action.triggered.connect(
                lambda _checked=False, chosen=palette: self._session.set_view(palette=chosen)
            )
            self.palette_actions[palette] = action
        menu.addSeparator()
        self.outline_action = menu.addAction("Outline of the tumor (O)")
        self.outline_action.setCheckable(True)
        self.outline_action.triggered.connect(
            lambda checked: self._session.set_view(outline=checked)
        )
        self.all_action = menu.addAction("Show all tissues")
        self.all_action.triggered.connect(lambda: self._session.set_view(hidden=frozenset()))
        menu.addSeparator()
        for key, effect in TOLD:
            told = menu.addAction(f"{key}: {effect}")
            told.setEnabled(False)
        self.menu_button.setMenu(menu)

    def _on_chosen(self) -> None:
        before = self._session.view
        # PySide6 gives a str back for the kind.
        kind = MapKind(self.chooser.currentData())
        self._session.set_view(kind=kind, tissue=self.tissue.currentData())
        if self._session.view == before:
            # The same once more: who has removed the layer by hand wants it back.
            self._session.view_changed.emit(before)

    def _on_opacity(self, percent: int) -> None:
        self._session.set_view(**self._session.view.opacity_change(percent / PERCENT))

    def _show(self, view: MapView) -> None:
        blockers = [QSignalBlocker(each) for each in (self.chooser, self.tissue, self.opacity)]
        self.chooser.setCurrentIndex(list(MapKind).index(view.kind))
        self.tissue.setCurrentIndex(self.tissue.findData(view.tissue))
        self.tissue.setVisible(view.kind.by_tissue)
        percent = round(PERCENT * view.shown_opacity)
        self.opacity.setValue(percent)
        self.opacity.setToolTip(f"Opacity of the map: {percent} % (keys - and =)")
        self.palette_actions[view.palette].setChecked(True)
        self.outline_action.setChecked(view.outline)
        self.all_action.setEnabled(bool(view.hidden))
        del blockers


def _combo(items: list[tuple[str, object]]) -> QComboBox:
    combo = QComboBox()
    for text, data in items:
        combo.addItem(text, data)
    # The canvas keeps the keys.
    combo.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    combo.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    combo.setMinimumWidth(90)
    return combo
