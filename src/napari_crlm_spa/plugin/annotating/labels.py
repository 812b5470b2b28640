"""Labeled tiles of open slides: who said what, gathered in a thread and exported. No Qt."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_crlm_spa.core.annotations import (
    Area,
    Areas,
    ExportOptions,
    ExportResult,
    SlideToExport,
    SplitOptions,
    export_labeled_tiles,
)
from napari_crlm_spa.core.pipeline import Analysis
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.slide import SlideInfo
from napari_crlm_spa.errors import AnnotationError
from napari_crlm_spa.plugin.memory import recall, remember
from napari_crlm_spa.plugin.session import OpenSlide

PATIENTS = "patients"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelSource:
    """What of a slide is exported.

    Parameters
    ----------
    info
        The slide.
    mpp
        The pixel size that was entered by hand, or None.
    patient
        Whose slide it is; empty if nobody said.
    areas
        Drawn areas of this reader, as they are on the screen.
    analysis
        Of the slide; None if it was not analyzed.
    readers
        Whose labels; all that there are if empty.
    drawn, tiles
        Whether drawn areas, and whether corrected and accepted tiles, become labels.
    """

    info: SlideInfo
    mpp: float | None = None
    patient: str = ""
    areas: tuple[Area, ...] = ()
    analysis: Analysis | None = None
    readers: tuple[str, ...] = ()
    drawn: bool = True
    tiles: bool = True

    def gather(self) -> SlideToExport:
        """Read what the readers left in the analysis folder; slow where the log is long."""
        plain = SlideToExport(path=self.info.path, mpp=self.mpp, patient=self.patient)
        if self.analysis is None:
            return dataclasses.replace(plain, areas=Areas(self.areas if self.drawn else ()))
        found = self._of_analysis(self.analysis)
        if found is None:
            found = dataclasses.replace(plain, areas=Areas(self.areas))
        return dataclasses.replace(
            found,
            mpp=self.mpp if self.mpp is not None else found.mpp,
            patient=self.patient,
            areas=found.areas if self.drawn else Areas(),
            reviews=found.reviews if self.tiles else (),
        )

    def _of_analysis(self, analysis: Analysis) -> SlideToExport | None:
        from napari_crlm_spa.core.review.labels import labels_of_analysis
        from napari_crlm_spa.errors import ReviewError

        try:
            return labels_of_analysis(analysis, self.info, self.readers)
        except ReviewError:
            # This reader has saved nothing.
            return None


def export_labels(
    sources: Sequence[LabelSource], folder: Path, options: ExportOptions, split: SplitOptions
) -> Generator[Progress, None, ExportResult]:
    """Gather the labels of slides and write their tiles.

    Raises
    ------
    AnnotationError
        If nothing is labeled.
    """
    slides = []
    for done, source in enumerate(sources):
        yield Progress("Gathering the labels", done, len(sources), "slides")
        slides.append(source.gather())
    slides = [slide for slide in slides if slide.areas.areas or slide.reviews]
    if not slides:
        raise AnnotationError(
            "Nothing is labeled yet. Draw areas here, or correct and accept tiles under Correct."
        )
    return (yield from export_labeled_tiles(slides, folder, options, split))


def patient_of(slide: OpenSlide) -> str:
    """Return the patient that was entered for a slide."""
    kept = recall().get(PATIENTS)
    return str(kept.get(slide.info.fingerprint, "")) if isinstance(kept, dict) else ""


def remember_patient(slide: OpenSlide, patient: str) -> None:
    """Keep whose slide it is, also for the next start."""
    found = recall().get(PATIENTS)
    kept = dict(found) if isinstance(found, dict) else {}
    kept[slide.info.fingerprint] = patient.strip()
    remember(**{PATIENTS: {slide_id: name for slide_id, name in kept.items() if name}})
