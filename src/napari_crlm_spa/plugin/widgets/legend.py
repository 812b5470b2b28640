"""The legend: each tissue's color, its tiles, area and share; it counts along while a run goes."""

from __future__ import annotations

from qtpy.QtWidgets import QGroupBox, QVBoxLayout

from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.tables import legend_rows
from napari_crlm_spa.plugin.throttle import Throttle
from napari_crlm_spa.plugin.widgets.tables import ReadOnlyTable

SHARE_TIP = "Part of all tissue tiles; background is no tissue"


class LegendBox(QGroupBox):
    """Colors and counts of the current slide's tissue map."""

    def __init__(self, session: Session) -> None:
        super().__init__("Tissue")
        self._session = session
        self.table = ReadOnlyTable(["Tissue", "Tiles", "mm²", "% of tissue"])
        self.table.horizontalHeaderItem(3).setToolTip(SHARE_TIP)
        layout = QVBoxLayout(self)
        layout.addWidget(self.table)
        self._recount = Throttle(self._show, self)
        session.current_changed.connect(self._on_current_changed)
        session.map_started.connect(self._on_current_changed)
        session.map_changed.connect(self._on_map)
        session.analysis_changed.connect(self._on_current_changed)
        session.review_changed.connect(self._on_map)
        self._show()

    def _on_current_changed(self, _slide: OpenSlide | None) -> None:
        self._show()

    def _on_map(self, slide: OpenSlide) -> None:
        if slide is self._session.current:
            self._recount.poke()

    def _show(self) -> None:
        slide = self._session.current
        tissue_map = None if slide is None else slide.tissue_map
        self.setVisible(tissue_map is not None)
        if tissue_map is None:
            return
        for row, tissue in enumerate(legend_rows(tissue_map)):
            share = "–" if tissue.share is None else f"{100 * tissue.share:.1f}"
            self.table.put(row, 0, tissue.title, f"{tissue.name} in the paper", tissue.color)
            self.table.put(row, 1, f"{tissue.tiles:,}")
            self.table.put(row, 2, f"{tissue.area_mm2:.2f}")
            self.table.put(row, 3, share, SHARE_TIP)
        self.table.fit()
