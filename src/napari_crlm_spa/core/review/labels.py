"""What readers said of an analyzed slide, as sources of labeled tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from napari_crlm_spa.core.annotations import Areas, ReviewedMap, SlideToExport, read_areas
from napari_crlm_spa.core.pipeline import Analysis
from napari_crlm_spa.core.review.reader_files import open_review
from napari_crlm_spa.core.review.reader_names import display_name, reader_folder
from napari_crlm_spa.core.review.reader_state import list_readers
from napari_crlm_spa.core.review.review import Review
from napari_crlm_spa.core.risk import load_risk_model
from napari_crlm_spa.core.slide import SlideInfo
from napari_crlm_spa.core.store.names import ANNOTATIONS_GEOJSON, READERS
from napari_crlm_spa.errors import ReviewError


def reviewed_map(review: Review) -> ReviewedMap:
    """Return a reader's decisions as labels, each with the time of the step that made it.

    The map is a copy: corrections that follow do not change it.
    """
    found = review.tissue_map
    copied = replace(found, classes=found.classes.copy(), state=found.state.copy())
    when: dict[tuple[int, int], str] = {}
    for step in review.steps:
        when.update(
            dict.fromkeys(zip(step.rows.tolist(), step.cols.tolist(), strict=True), step.when)
        )
    return ReviewedMap(copied, review.reader, when)


def labels_of_analysis(
    analysis: Analysis, info: SlideInfo, readers: Sequence[str] = ()
) -> SlideToExport:
    """Gather the corrected and accepted tiles and the drawn areas of readers.

    Parameters
    ----------
    analysis
        Of the slide.
    info
        The slide.
    readers
        Whose; all that there are if empty.

    Returns
    -------
    SlideToExport
        With the classifier's map and model; the patient is for the caller to fill in.

    Raises
    ------
    ReviewError
        If a reader is named who left nothing, or whose corrections cannot be read.
    """
    scheme = analysis.tissue_map.scheme
    maps: list[ReviewedMap] = []
    areas: list[Areas] = []
    notes: list[str] = []
    for name, place in _places(analysis.folder, readers):
        review = open_review(analysis, load_risk_model(), name)
        if review.problem:
            raise ReviewError(review.problem)
        notes.extend(f"{name}: {note}" for note in review.notes)
        if review.touched.any():
            maps.append(reviewed_map(review))
        drawn = place / ANNOTATIONS_GEOJSON
        if drawn.is_file():
            areas.append(read_areas(drawn, info, scheme, annotator=name))
    model = analysis.run.get("model", {})
    return SlideToExport(
        path=info.path,
        areas=Areas(
            tuple(area for each in areas for area in each.areas),
            (*notes, *(note for each in areas for note in each.notes)),
        ),
        reviews=tuple(maps),
        mpp=(analysis.run.get("options") or {}).get("mpp"),
        predicted=analysis.tissue_map,
        model_name=str(model.get("name", "")),
        model_sha256=str(model.get("sha256", "")),
    )


def _places(folder: Path, readers: Sequence[str]) -> list[tuple[str, Path]]:
    """Return name and folder of the readers."""
    known = {reader.folder: reader.name for reader in list_readers(folder)}
    drawn = sorted((folder / READERS).glob(f"*/{ANNOTATIONS_GEOJSON}"))
    known = {path.parent: path.parent.name for path in drawn} | known
    if not readers:
        return sorted((name, place) for place, name in known.items())
    found = []
    for reader in readers:
        place = reader_folder(folder, reader)
        if place not in known:
            names = ", ".join(sorted(known.values())) or "nobody"
            raise ReviewError(
                f"{reader} has corrected and drawn nothing on {folder.name}; something is there "
                f"by: {names}."
            )
        found.append((display_name(reader), place))
    return found
