"""The twenty spatial features: tissues down, families across; the sentence waits as tooltip."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.spatial import Zone
from napari_crlm_spa.core.store import features_csv
from napari_crlm_spa.errors import StoreError
from napari_crlm_spa.plugin.feature_rows import FAMILY_MAPS, ShownFeature, feature_rows
from napari_crlm_spa.plugin.fold import Fold
from napari_crlm_spa.plugin.layers import ZONE_COLORS
from napari_crlm_spa.plugin.map_view import MapKind
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.tables import short_title
from napari_crlm_spa.plugin.when_seen import WhenSeen
from napari_crlm_spa.plugin.widgets.lens import MixtureLens
from napari_crlm_spa.plugin.widgets.tables import ROW_PX, ReadOnlyTable, swatch

HEADERS = ["Tissue", "Overall", "Infiltrating", "Distal", "With tumor"]
EMPTY = "–"
#: Side of the zone colors in the header.
ZONE_PX = 9
#: A row with a second line, for what a number was before the corrections.
TALL_ROW_PX = 36
HINT = "Click a number to see it on the map. Bold: in the risk model."
LENS_TITLE = "Distances: infiltrating or distal"


class FeaturesTab(QWidget):
    """The features of the current slide, their maps, and a button that saves them."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.table = ReadOnlyTable(HEADERS)
        self.table.horizontalHeader().setIconSize(QSize(ZONE_PX, ZONE_PX))
        self.table.setCursor(Qt.CursorShape.PointingHandCursor)
        for header, zone in ((2, Zone.INFILTRATING), (3, Zone.DISTAL)):
            self.table.horizontalHeaderItem(header).setIcon(swatch(ZONE_COLORS[zone]))
        self.save_button = QPushButton("Save as CSV…")
        self.message = QLabel(HINT)
        self.message.setWordWrap(True)
        self.notes = QLabel()
        self.notes.setWordWrap(True)
        self.lens = MixtureLens(session)
        self.lens_fold = Fold(LENS_TITLE, self.lens)
        self._tissues: list[str] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.table)
        below = QHBoxLayout()
        below.addWidget(self.message, 1)
        below.addWidget(self.save_button)
        layout.addLayout(below)
        layout.addWidget(self.notes)
        layout.addWidget(self.lens_fold)
        layout.addStretch(1)
        self._seen = WhenSeen(self, self._follow)
        self.save_button.clicked.connect(self._on_save)
        self.table.cellClicked.connect(self._on_cell)
        session.current_changed.connect(self._on_current)
        session.analysis_changed.connect(self._on_analysis)
        session.review_changed.connect(self._on_slide)
        session.risk_model_changed.connect(self._on_slide)
        self._show(session.current)

    # -- showing --------------------------------------------------------------------------

    def _on_analysis(self, _slide: OpenSlide) -> None:
        self._seen.at_once()

    def _on_slide(self, _changed: object) -> None:
        # A dragged threshold or a brush changes the numbers many times a second.
        self._seen.poke()

    def _on_current(self, _slide: OpenSlide | None) -> None:
        self.message.setText(HINT)
        self._seen.at_once()

    def _follow(self) -> None:
        self._show(self._session.current)

    def _show(self, slide: OpenSlide | None) -> None:
        review = None if slide is None else slide.review
        self.save_button.setEnabled(review is not None)
        self.notes.setText("" if review is None else "\n".join(review.features.notes))
        self._tissues = []
        if review is None:
            self.table.setRowCount(0)
            self.table.fit()
            return
        scheme = review.features.tissue_map.scheme
        for row, (tissue, cells) in enumerate(feature_rows(review).items()):
            self._tissues.append(tissue)
            title, color = short_title(scheme[tissue]), scheme[tissue].color
            self.table.put(row, 0, title, "Show the tissues on the map", color)
            for column, cell in enumerate(cells, start=1):
                self._put(row, column, cell)
            self.table.setRowHeight(row, TALL_ROW_PX if any(c.was for c in cells) else ROW_PX)
        self._fit()

    def _put(self, row: int, column: int, cell: ShownFeature) -> None:
        shown = cell.now or EMPTY
        self.table.tell(row, column, f"{shown}\nwas {cell.was}" if cell.was else shown, cell.tip)
        item = self.table.item(row, column)
        font = item.font()
        if font.bold() != cell.in_risk_model:
            font.setBold(cell.in_risk_model)
            item.setFont(font)

    def _fit(self) -> None:
        self.table.fit()
        taller = sum(self.table.rowHeight(row) - ROW_PX for row in range(self.table.rowCount()))
        self.table.setFixedHeight(self.table.height() + taller)

    # -- the map --------------------------------------------------------------------------

    def _on_cell(self, row: int, column: int) -> None:
        """Show the map that a number comes from."""
        if row >= len(self._tissues):
            return
        kind = MapKind.TISSUE if column == 0 else FAMILY_MAPS[column - 1]
        if kind is MapKind.TISSUE:
            self._session.set_view(kind=kind)
        else:
            self._session.set_view(kind=kind, tissue=self._tissues[row])

    # -- saving ---------------------------------------------------------------------------

    def _on_save(self) -> None:
        slide = self._session.current
        path = "" if slide is None or slide.analysis is None else self.choose_file(slide)
        if path:
            self.save_to(Path(path))

    def choose_file(self, slide: OpenSlide) -> str:
        """Ask where to save; nothing if the user thinks better of it."""
        name = f"{slide.stem}-features.csv"
        path, _ = QFileDialog.getSaveFileName(self, "Save the features", name, "Table (*.csv)")
        return str(path)

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
