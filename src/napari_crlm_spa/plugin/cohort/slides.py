"""From a patient to its slides: which ones there are, and where their files are now. No Qt."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_crlm_spa.core.cohort.columns import (
    ANALYSIS_FOLDER,
    PATIENT,
    READER,
    REFUSAL,
    SLIDE,
    SLIDE_PATH,
    SLIDES,
)
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.slide import is_slide_name, stem
from napari_crlm_spa.core.store import AnalysisFolder
from napari_crlm_spa.core.store.names import EDITS_JSONL, READERS, RUN_JSON
from napari_crlm_spa.plugin.queue_sources import absolute

if TYPE_CHECKING:
    from napari_crlm_spa.plugin.cohort.opened import OpenedCohort

#: Parts the names of several slides in one cell.
SEPARATOR = ";"


@dataclass(frozen=True, slots=True)
class PatientSlide:
    """A slide of a patient.

    Parameters
    ----------
    name
        As the table names it.
    path
        Where the table says that its file is; None if it does not say.
    analysis
        The folder of its analysis, if the table or the analysis names one that is there.
    reader
        Whose corrections the table holds; empty: the prediction.
    left_out
        Why it does not speak for its patient, if it does not.
    """

    name: str
    path: Path | None = None
    analysis: Path | None = None
    reader: str = ""
    left_out: str = ""


def slides_of(cohort: OpenedCohort, row: int) -> list[PatientSlide]:
    """Return the slides of a patient, those first that speak for it."""
    patient = str(cohort.patients[PATIENT].iloc[row])
    if cohort.slides is not None:
        mine = cohort.slides[cohort.slides[PATIENT].astype(str) == patient]
        found = [_slide(record, cohort.base) for record in mine.to_dict("records")]
        return sorted(found, key=lambda slide: bool(slide.left_out))
    for column in (SLIDES, SLIDE):
        if column in cohort.patients.columns:
            cell = _text(cohort.patients[column].iloc[row])
            names = [name.strip() for name in cell.split(SEPARATOR)]
            return [_named(name, cohort.base) for name in names if name]
    return []


def owners(cohort: OpenedCohort) -> dict[str, int]:
    """Return whose slide it is, as a row of the patients, by the slide's name in lower case."""
    rows = {str(name): row for row, name in enumerate(cohort.patients[PATIENT])}
    found: dict[str, int] = {}
    if cohort.slides is None:
        for row in range(len(cohort)):
            for slide in slides_of(cohort, row):
                found.setdefault(stem(slide.path or Path(slide.name)).casefold(), row)
        return found
    columns = [name for name in (SLIDE_PATH, SLIDE) if name in cohort.slides.columns]
    for column in columns:
        for patient, name in zip(cohort.slides[PATIENT], cohort.slides[column], strict=True):
            if _text(name) and str(patient) in rows:
                found.setdefault(stem(Path(_text(name))).casefold(), rows[str(patient)])
    return found


def _slide(record: Mapping[Any, Any], base: Path) -> PatientSlide:
    folder = _text(record.get(ANALYSIS_FOLDER))
    analysis = absolute(base / folder) if folder else None
    if analysis is not None and not analysis.is_dir():
        analysis = None
    named = _text(record.get(SLIDE_PATH))
    path = absolute(base / Path(named).expanduser()) if named else _recorded(analysis)
    return PatientSlide(
        _text(record.get(SLIDE)) or ("" if path is None else stem(path)),
        path,
        analysis,
        _text(record.get(READER)),
        _text(record.get("left_out")) or _text(record.get(REFUSAL)),
    )


def _named(name: str, base: Path) -> PatientSlide:
    """Take a name in a table for a path if it is one."""
    path = absolute(base / Path(name).expanduser())
    return PatientSlide(name, path if is_slide_name(path) else None)


def _recorded(analysis: Path | None) -> Path | None:
    recorded = None if analysis is None else AnalysisFolder(analysis).recorded_slide()
    named = None if recorded is None else recorded.get("path")
    return Path(named) if isinstance(named, str) else None


def _text(value: Any) -> str:
    """Return a cell's text; a hole is empty."""
    return "" if value is None or value != value else str(value).strip()


@dataclass(frozen=True, slots=True)
class SlideIndex:
    """Slide files of folders in which somebody has looked for them.

    Parameters
    ----------
    folders
        Which folders.
    paths
        Their slides, by name with and without suffix, both in lower case.
    """

    folders: tuple[Path, ...] = ()
    paths: dict[str, Path] | None = None

    def find(self, slide: PatientSlide) -> Path | None:
        """Return where a slide's file is now, or None."""
        if slide.path is not None and slide.path.exists():
            return slide.path
        known = self.paths or {}
        names = [slide.name] if slide.path is None else [slide.path.name, slide.name]
        for name in names:
            found = known.get(name.casefold())
            if found is not None and found.exists():
                return found
        return None


def index_slides(folders: Sequence[Path]) -> Generator[Progress, None, SlideIndex]:
    """Look for slide files in folders and all that is below them.

    Returns
    -------
    SlideIndex
        Through ``StopIteration.value``. Of several files of one name the first one counts.
    """
    paths: dict[str, Path] = {}
    for folder in folders:
        for here, below, files in os.walk(folder):
            if RUN_JSON in files:  # results
                below.clear()
                continue
            below[:] = sorted(name for name in below if not name.startswith("."))
            for name in sorted(files):
                path = Path(here, name)
                if is_slide_name(path):
                    paths.setdefault(name.casefold(), path)
                    paths.setdefault(stem(path).casefold(), path)
            yield Progress("Looking for slides", len(paths), 0, "names")
    return SlideIndex(tuple(folders), paths)


def corrected_since(slides: Iterable[PatientSlide], built: datetime | None) -> list[str]:
    """Return the names of slides that somebody has corrected since the table was built."""
    if built is None:
        return []
    return [slide.name for slide in slides if _is_newer(slide.analysis, built)]


def _is_newer(analysis: Path | None, built: datetime) -> bool:
    if analysis is None:
        return False
    edits = analysis.glob(f"{READERS}/*/{EDITS_JSONL}")
    return any(datetime.fromtimestamp(path.stat().st_mtime) > built for path in edits)
