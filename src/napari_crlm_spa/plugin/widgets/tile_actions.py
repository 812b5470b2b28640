"""What can be done to the selected tiles of the table."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from qtpy.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.review import Change, Review
from napari_crlm_spa.plugin.session import Session
from napari_crlm_spa.plugin.tables import short_title
from napari_crlm_spa.plugin.widgets.tables import swatch
from napari_crlm_spa.plugin.widgets.tile_list import TileList

Deed = Callable[[Review, NDArray[np.intp], NDArray[np.intp]], Change | None]


class TileActions(QWidget):
    """Relabel, accept, set aside, restore; each is one step that can be undone."""

    def __init__(self, session: Session, tiles: TileList) -> None:
        super().__init__()
        self._session = session
        self._tiles = tiles
        self.relabel = QPushButton("Relabel to")
        self.relabel.setToolTip("Give the selected tiles another class")
        self.menu = QMenu(self.relabel)
        for tissue in CRLM7.classes:
            action = self.menu.addAction(swatch(tissue.color), short_title(tissue))
            action.triggered.connect(lambda _checked=False, name=tissue.name: self.relabel_to(name))
        self.relabel.setMenu(self.menu)
        self.accept = QPushButton("Accept")
        self.accept.setToolTip("Confirm the class of the selected tiles")
        self.aside = QPushButton("Set aside")
        self.aside.setToolTip("Count the selected tiles nowhere")
        self.restore = QPushButton("Restore")
        self.restore.setToolTip("Go back to the prediction")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for button in (self.relabel, self.accept, self.aside, self.restore):
            layout.addWidget(button)
        layout.addStretch(1)
        self.accept.clicked.connect(lambda: self._do(lambda r, rows, cols: r.accept(rows, cols)))
        self.aside.clicked.connect(lambda: self._do(lambda r, rows, cols: r.set_aside(rows, cols)))
        self.restore.clicked.connect(lambda: self._do(lambda r, rows, cols: r.restore(rows, cols)))
        tiles.selection_changed.connect(lambda n: self.setEnabled(n > 0))
        self.setEnabled(False)

    def relabel_to(self, class_name: str) -> None:
        """Give the selected tiles another class."""
        self._do(lambda review, rows, cols: review.correct(rows, cols, class_name))

    def _do(self, deed: Deed) -> None:
        table = self._tiles.table
        if table is None or table.slide.review is not table.review:
            return
        chosen = self._tiles.selected()
        if deed(table.review, table.rows[chosen], table.cols[chosen]) is not None:
            self._session.tell_review_changed(table.slide)
