"""The twenty spatial features: tissues down, families across; the sentence waits as tooltip."""

from __future__ import annotations

from math import isnan
from pathlib import Path

from qtpy.QtCore import QSize
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.spatial import Zone
from napari_crlm_spa.core.store import features_csv
from napari_crlm_spa.errors import StoreError
from napari_crlm_spa.plugin.layers import ZONE_COLORS
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.tables import feature_table, short_title
from napari_crlm_spa.plugin.widgets.tables import ReadOnlyTable, swatch

HEADERS = ["Tissue", "Overall", "Infiltrating", "Distal", "With tumor"]
EMPTY = "–"
#: Side of the zone colors in the header.
ZONE_PX = 9


class FeaturesTab(QWidget):
    """The features of the current slide, and a button that saves them."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.table = ReadOnlyTable(HEADERS)
        self.table.horizontalHeader().setIconSize(QSize(ZONE_PX, ZONE_PX))
        for header, zone in ((2, Zone.INFILTRATING), (3, Zone.DISTAL)):
            self.table.horizontalHeaderItem(header).setIcon(swatch(ZONE_COLORS[zone]))
        self.save_button = QPushButton("Save as CSV…")
        self.message = QLabel("Hover over a number to read what it says.")
        self.message.setWordWrap(True)
        self.notes = QLabel()
        self.notes.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.table)
        below = QHBoxLayout()
        below.addWidget(self.message, 1)
        below.addWidget(self.save_button)
        layout.addLayout(below)
        layout.addWidget(self.notes)
        layout.addStretch(1)
        self.save_button.clicked.connect(self._on_save)
        session.current_changed.connect(self._show)
        session.analysis_changed.connect(self._on_analysis_changed)
        session.review_changed.connect(self._on_analysis_changed)
        self._show(session.current)

    def _on_analysis_changed(self, _slide: OpenSlide) -> None:
        self._show(self._session.current)

    def _show(self, slide: OpenSlide | None) -> None:
        features = None if slide is None else slide.features
        self.save_button.setEnabled(features is not None)
        self.notes.setText("" if features is None else "\n".join(features.notes))
        if features is None:
            self.table.setRowCount(0)
            self.table.fit()
            return
        scheme = features.tissue_map.scheme
        for row, (tissue, cells) in enumerate(feature_table(features).items()):
            self.table.put(row, 0, short_title(scheme[tissue]), color=scheme[tissue].color)
            for column, cell in enumerate(cells, start=1):
                text = EMPTY if isnan(cell.value) else f"{cell.value:.4f}"
                self.table.put(row, column, text, f"{cell.column}\n{cell.sentence}")
        self.table.fit()

    def _on_save(self) -> None:
        slide = self._session.current
        if slide is None or slide.analysis is None:
            return
        path, _ = QFileDialog.getSaveFileName(
            self, "Save the features", f"{slide.stem}-features.csv", "Table (*.csv)"
        )
        if path:
            self.save_to(Path(path))

    def save_to(self, path: Path) -> None:
        """Write the current slide's features, as the command line does."""
        slide = self._session.current
        if slide is None or slide.analysis is None:
            return
        analysis, features = slide.analysis, slide.features or slide.analysis.features
        try:
            write_text(path, features_csv(slide.path, features, analysis.sentinel))
        except StoreError as error:
            self.message.setText(str(error))
        else:
            self.message.setText(f"Saved as {path.name}.")
