"""Finds where slides of a cohort are now, also in folders in which the user says they are."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QObject, Signal

from napari_crlm_spa.plugin.cohort.slides import PatientSlide, SlideIndex, index_slides
from napari_crlm_spa.plugin.memory import recall, remember
from napari_crlm_spa.plugin.worker import PipelineWorker, WorkerRegistry

FOLDERS = "cohort_slide_folders"
#: So many folders are remembered, the latest first.
MOST_FOLDERS = 5


class SlideFinder(QObject):
    """Answers where a slide is: at once if it is where the table says, else after a search."""

    found = Signal(object, object, str)  # PatientSlide, Path, patient
    missing = Signal(object, str)  # PatientSlide, patient
    problem = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.workers = WorkerRegistry()
        self._index: SlideIndex | None = None
        self._wanted: tuple[PatientSlide, str] | None = None
        self._worker: PipelineWorker | None = None

    @property
    def folders(self) -> list[Path]:
        """Where slides are looked for if they are not where the table says."""
        kept = recall().get(FOLDERS)
        return (
            [Path(each) for each in kept if isinstance(each, str)] if isinstance(kept, list) else []
        )

    def look_for(self, slide: PatientSlide, patient: str) -> None:
        """Look for a slide; `found` or `missing` answers."""
        self._wanted = (slide, patient)
        path = (self._index or SlideIndex()).find(slide)
        if path is not None:
            self._wanted = None
            self.found.emit(slide, path, patient)
        elif self._index is None and self.folders:
            self._search()
        else:
            self.missing.emit(slide, patient)

    def add_folder(self, folder: Path) -> None:
        """Look in another folder as well, from now on; and for what was missed last."""
        folders = [folder, *(each for each in self.folders if each != folder)]
        remember(**{FOLDERS: [str(each) for each in folders[:MOST_FOLDERS]]})
        self._search()

    def stop(self) -> None:
        """Stop searching."""
        self._worker = None
        self.workers.stop()

    def _search(self) -> None:
        self.workers.stop()
        worker = self.workers.create(index_slides, self.folders)
        self._worker = worker
        worker.returned.connect(lambda index: self._on_searched(worker, index))
        worker.errored.connect(lambda error: self.problem.emit(f"The search failed: {error}"))
        worker.start()

    def _on_searched(self, worker: PipelineWorker, index: SlideIndex | None) -> None:
        if worker is not self._worker or index is None:
            return
        self._index = index
        if self._wanted is not None:
            self.look_for(*self._wanted)
