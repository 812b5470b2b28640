"""Opens the slides of patients: asks which, finds the file, opens it in the workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QCursor
from qtpy.QtWidgets import QMenu, QWidget

from napari_crlm_spa.core.slide import stem
from napari_crlm_spa.plugin.cohort.opener import SlideOpener
from napari_crlm_spa.plugin.cohort.slides import PatientSlide, corrected_since, owners, slides_of
from napari_crlm_spa.plugin.session import OpenSlide
from napari_crlm_spa.plugin.widgets.cohort.slide_finder import SlideFinder

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_crlm_spa.plugin.cohort.opened import OpenedCohort
    from napari_crlm_spa.plugin.cohort.patient_table import PatientTable

CORRECTED = (
    "Corrected after the cohort was built: {names}. The table shows the earlier numbers; build the "
    "cohort again to take the corrections in."
)


class PatientSlides(QObject):
    """From the rows of a cohort to slides in the viewer, and back."""

    told = Signal(str)
    problem = Signal(str)
    missing = Signal(str)  # sentence; `look_in` another folder may help

    def __init__(self, viewer: ViewerModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self._cohort: OpenedCohort | None = None
        self._table: PatientTable | None = None
        self._rows: dict[str, int] | None = None
        self.chooser: QMenu | None = None
        self.opener = SlideOpener(viewer, self)
        self.finder = SlideFinder(self)
        self.opener.told.connect(self.told)
        self.opener.problem.connect(self.problem)
        self.finder.problem.connect(self.problem)
        self.finder.found.connect(self._on_found)
        self.finder.missing.connect(self._on_missing)

    def show_cohort(self, cohort: OpenedCohort | None, table: PatientTable | None) -> None:
        """Open slides of another cohort from now on."""
        self._cohort, self._table, self._rows = cohort, table, None

    def open(self, row: int) -> None:
        """Open the slide of a patient; of several, the user is asked which."""
        if self._cohort is None or self._table is None or row < 0:
            return
        slides, patient = slides_of(self._cohort, row), self._table.patient(row)
        if not slides:
            self.problem.emit(
                f"The table does not name a slide of {patient}. Build the cohort from analyses, or "
                "add a column slide."
            )
        elif len(slides) == 1:
            self.finder.look_for(slides[0], patient)
        else:
            self._ask_which(slides, patient)

    def _ask_which(self, slides: list[PatientSlide], patient: str) -> None:
        self.chooser = QMenu(self._parent)
        for slide in slides:
            text = f"{slide.name}: {slide.left_out}" if slide.left_out else slide.name
            action = self.chooser.addAction(text)
            action.triggered.connect(
                lambda _checked=False, slide=slide: self.finder.look_for(slide, patient)
            )
        self.chooser.popup(QCursor.pos())

    def look_in(self, folder: Path) -> None:
        """Look for slides in another folder as well, and open the one that was missed."""
        self.finder.add_folder(folder)

    def _on_found(self, slide: PatientSlide, path: Path, patient: str) -> None:
        self.opener.open(slide, path, patient)

    def _on_missing(self, slide: PatientSlide, patient: str) -> None:
        where = f" It was {slide.path}." if slide.path is not None else ""
        self.missing.emit(
            f"The slide {slide.name} of {patient} is not there.{where} If slides were moved, "
            "choose the folder in which they are now."
        )

    def corrected(self, row: int) -> str:
        """Say which slides of a patient were corrected after the cohort was built; empty: none."""
        if self._cohort is None or row < 0:
            return ""
        names = corrected_since(slides_of(self._cohort, row), self._cohort.built)
        return CORRECTED.format(names=", ".join(names)) if names else ""

    def row_of(self, slide: OpenSlide | None) -> int:
        """Return whose slide it is; -1 if nobody's."""
        if slide is None or self._cohort is None or self._table is None:
            return -1
        # What a slide was opened for counts more than its name.
        row = self._table.row_of(self.opener.patient_of(slide.path))
        return row if row >= 0 else self._by_name().get(stem(slide.path).casefold(), -1)

    def _by_name(self) -> dict[str, int]:
        if self._rows is None:
            assert self._cohort is not None
            self._rows = owners(self._cohort)
        return self._rows

    def let_go(self) -> None:
        """Stop searching, and part from the workspace."""
        self.finder.stop()
        self.opener.use_workspace(None)
