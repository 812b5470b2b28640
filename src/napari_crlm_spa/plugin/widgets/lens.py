"""The mixture lens: distances to the tumor, both components, a threshold to be dragged.

While the line moves, zones, features and risk follow; the thresholds of the analysis are one
button away.
"""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.review import Review
from napari_crlm_spa.core.review.lens import (
    LensData,
    is_moved,
    lens_data,
    moved_threshold,
    snapped_back,
)
from napari_crlm_spa.core.spatial import TISSUES
from napari_crlm_spa.core.spatial.definitions import NOUNS, column_name
from napari_crlm_spa.errors import CrlmSpaError, ReviewError
from napari_crlm_spa.plugin.form import NumberBox
from napari_crlm_spa.plugin.map_view import MapKind
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.tables import risk_headline
from napari_crlm_spa.plugin.throttle import Throttle
from napari_crlm_spa.plugin.when_seen import WhenSeen
from napari_crlm_spa.plugin.widgets.lens_plot import LensPlot

#: How often the numbers follow a line that is dragged.
FOLLOW_MS = 60
LARGEST_UM = 1_000_000.0
NOTHING = "Run the analysis to see how far each tissue lies from the tumor."
HELP = (
    "Left of the line: infiltrating. Right of it: distal. Drag the line and watch the map; the "
    "curves are the two groups that the mixture found."
)


class MixtureLens(QWidget):
    """Histogram of one tissue's distances with its mixture and its threshold."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._wanted_um: float | None = None
        self.tissue = QComboBox()
        for name in TISSUES:
            self.tissue.addItem(NOUNS[name].partition(" (")[0].capitalize(), name)
        self.tissue.setCurrentIndex(self.tissue.findData("HEP"))
        self.box = NumberBox()
        self.box.setDecimals(0)
        self.box.setRange(-LARGEST_UM, LARGEST_UM)
        self.box.setSingleStep(56.0)
        self.box.setSuffix(" µm")
        # What stands there while there is no threshold.
        self.box.setSpecialValueText("none")
        self.box.setKeyboardTracking(False)
        self.box.setToolTip("The largest distance that is infiltrating")
        self.plot = LensPlot()
        self.plot.setToolTip(HELP)
        self.line = QLabel()
        self.line.setWordWrap(True)
        self.back_button = QPushButton("Snap back")
        self.back_button.setToolTip("Use the threshold of the analysis for this tissue again")
        self.refit_button = QPushButton("Refit")
        self.refit_button.setToolTip("Fit the thresholds of all tissues to the corrected map")
        self.save_button = QPushButton("Save as CSV…")
        self._lay_out()
        self._follow = Throttle(self._move, self, every_ms=FOLLOW_MS)
        self._redraw = WhenSeen(self, self._show)
        self._connect()
        self._show()

    def _lay_out(self) -> None:
        above, below = QHBoxLayout(), QHBoxLayout()
        above.addWidget(self.tissue, 1)
        above.addWidget(QLabel("Infiltrating up to"))
        above.addWidget(self.box)
        for button in (self.back_button, self.refit_button, self.save_button):
            below.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(above)
        layout.addWidget(self.plot)
        layout.addWidget(self.line)
        layout.addLayout(below)

    def _connect(self) -> None:
        self.tissue.currentIndexChanged.connect(self._on_tissue)
        self.plot.dragged.connect(self._on_dragged)
        self.plot.dropped.connect(self._on_dropped)
        self.box.valueChanged.connect(self._on_entered)
        self.back_button.clicked.connect(self._on_back)
        self.refit_button.clicked.connect(self._on_refit)
        self.save_button.clicked.connect(self._on_save)
        self._session.current_changed.connect(self._on_current)
        self._session.analysis_changed.connect(self._on_slide)
        self._session.review_changed.connect(self._on_slide)
        self._session.risk_model_changed.connect(self._on_slide)

    @property
    def tissue_name(self) -> str:
        """Short name of the tissue that is looked at."""
        return str(self.tissue.currentData())

    @property
    def data(self) -> LensData | None:
        """What is drawn; None without a reviewed slide."""
        review = self._review
        return None if review is None else lens_data(review.features, self.tissue_name)

    @property
    def _review(self) -> Review | None:
        slide = self._session.current
        return None if slide is None else slide.review

    # -- showing --------------------------------------------------------------------------

    def _on_current(self, _slide: OpenSlide | None) -> None:
        self._wanted_um = None
        self._follow.stop()
        self._redraw.at_once()

    def _on_slide(self, _changed: object) -> None:
        self._redraw.poke()

    def _on_tissue(self) -> None:
        self._show()

    def _show(self) -> None:
        review, data = self._review, self.data
        for widget in (self.tissue, self.box, self.plot, self.refit_button, self.save_button):
            widget.setEnabled(data is not None)
        self.plot.show_data(data)
        self.back_button.setEnabled(review is not None and self._differs(review))
        if review is None or data is None:
            self.line.setText(NOTHING)
            return
        self.box.setEnabled(data.n_tiles > 0)
        with QSignalBlocker(self.box):
            self.box.setValue(-LARGEST_UM if data.near_um is None else data.near_um)
        self.line.setText(_told(review, data))

    def _differs(self, review: Review) -> bool:
        fitted = review.analysis.features.mixture.tissues.get(self.tissue_name)
        return review.mixture.tissues.get(self.tissue_name) != fitted

    # -- moving the threshold -------------------------------------------------------------

    def _on_dragged(self, near_um: float) -> None:
        self._session.set_view(kind=MapKind.ZONES, tissue=self.tissue_name)
        self._wanted_um = near_um
        self._follow.poke()

    def _on_dropped(self, near_um: float) -> None:
        self._follow.stop()
        self._wanted_um = near_um
        self._move(passing=False)

    def _on_entered(self, near_um: float) -> None:
        self._session.set_view(kind=MapKind.ZONES, tissue=self.tissue_name)
        self._wanted_um = near_um
        self._move(passing=False)

    def _move(self, *, passing: bool = True) -> None:
        slide, near_um, self._wanted_um = self._session.current, self._wanted_um, None
        if slide is None or slide.review is None or near_um is None:
            return
        review = slide.review
        try:
            mixture = moved_threshold(review.mixture, self.tissue_name, near_um)
        except ReviewError as error:
            self._show()
            self.line.setText(str(error))
            return
        review.set_mixture(mixture, passing=passing)
        self._show()
        self._session.tell_review_changed(slide)

    def _on_back(self) -> None:
        slide = self._session.current
        if slide is None or slide.review is None:
            return
        review = slide.review
        fitted = review.analysis.features.mixture
        review.set_mixture(snapped_back(review.mixture, fitted, self.tissue_name))
        self._show()
        self._session.tell_review_changed(slide)

    def _on_refit(self) -> None:
        slide = self._session.current
        if slide is None or slide.review is None:
            return
        slide.review.refit()
        self._show()
        self._session.tell_review_changed(slide)

    # -- saving ---------------------------------------------------------------------------

    def _on_save(self) -> None:
        slide = self._session.current
        path = "" if slide is None else self.choose_file(slide)
        if path:
            self.save_to(Path(path))

    def choose_file(self, slide: OpenSlide) -> str:
        """Ask where to save; empty if the user thinks better of it."""
        name = f"{slide.stem}-distances-{self.tissue_name}.csv"
        path, _ = QFileDialog.getSaveFileName(self, "Save the distances", name, "Table (*.csv)")
        return str(path)

    def save_to(self, path: Path) -> None:
        """Write the histogram and the curves."""
        data = self.data
        if data is None:
            return
        try:
            write_text(path, data.as_frame().to_csv(index=False))
        except CrlmSpaError as error:
            self.line.setText(str(error))
        else:
            self.line.setText(f"Saved as {path.name}.")


def _told(review: Review, data: LensData) -> str:
    """Say what the threshold does to the tissue's features and to the risk."""
    before, now = review.analysis.features.values, review.features.values
    parts = []
    for family in ("infiltrating", "distal"):
        column = column_name(family, data.tissue)
        was, value = before[column], now[column]
        change = "" if f"{was:.4f}" == f"{value:.4f}" else f" (was {was:.4f})"
        parts.append(f"{family.capitalize()} {value:.4f}{change}")
    told = [
        f"{data.n_tiles:,} tiles outside the tumor region, {data.inside_tiles:,} inside it.",
        " · ".join(parts),
    ]
    if review.risk is not None:
        told.append(f"{risk_headline(review.risk)}. Research use only.")
    if data.note:
        told.append(data.note[0].upper() + data.note[1:] + ".")
    if is_moved(review.mixture):
        told.append("A threshold moved by hand is no longer the mixture's.")
    return "\n".join(told)
