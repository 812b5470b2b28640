"""The HTML report of an analysis, as classified or with a reader's corrections."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import STANDARD_PALETTE
from napari_crlm_spa.core.classifier.card import ModelCard, load_card
from napari_crlm_spa.core.pipeline import Analysis
from napari_crlm_spa.core.pipeline.write import THUMBNAIL_PX
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.quality import MARK_SENTENCES, QualityMark, TileQuality
from napari_crlm_spa.core.report import MarkCount, ReviewSummary, SlideReport, write_report
from napari_crlm_spa.core.review.review import Review
from napari_crlm_spa.core.slide import Slide
from napari_crlm_spa.core.store.quality_file import load_quality
from napari_crlm_spa.errors import CrlmSpaError, StoreError


def export_report(
    path: Path,
    analysis: Analysis,
    slide: Slide,
    review: Review | None = None,
    *,
    palette: str = STANDARD_PALETTE,
) -> Generator[Progress, None, Path]:
    """Write the report of an analysis anew.

    Parameters
    ----------
    path
        The HTML file; it is replaced when the new one is complete.
    analysis
        A finished analysis.
    slide
        Its open slide, for the picture.
    review
        A reader's corrections: maps, features and risk are then the corrected ones, and what
        was corrected is listed.
    palette
        One of `core.classes.PALETTES`.

    Yields
    ------
    Progress
        Closing the generator leaves no file.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    stage = "Writing the report"
    yield Progress(stage, 0, 2)
    report = report_of(analysis, slide, review).in_palette(palette)
    yield Progress(stage, 1, 2)
    write_report(path, report)
    yield Progress(stage, 2, 2)
    return path


def report_of(analysis: Analysis, slide: Slide, review: Review | None = None) -> SlideReport:
    """Gather what the report shows, the marks of quality in the folder included."""
    now = analysis if review is None else review
    notes, marks = list(analysis.run.get("notes") or ()), None
    try:
        quality = quality_of(analysis)
        marks = None if quality is None else _mark_counts(quality, now.tissue_map.classes > 0)
    except StoreError as error:
        notes.append(str(error))
    return SlideReport(
        info=slide.info,
        tissue_map=now.tissue_map,
        thumbnail=slide.thumbnail(THUMBNAIL_PX),
        features=now.features,
        risk=now.risk,
        sentinel=analysis.sentinel,
        card=_card(analysis.run),
        run={**analysis.run, "notes": notes},
        review=None if review is None else _summary(review),
        marks=marks,
    )


def quality_of(analysis: Analysis) -> TileQuality | None:
    """Return the marks of quality that lie in the folder; None if nobody looked.

    Raises
    ------
    StoreError
        If the file is damaged.
    """
    identity = str(analysis.run.get("identity", ""))
    return load_quality(analysis.folder, identity, analysis.tissue_map.shape)


def _mark_counts(quality: TileQuality, counted: NDArray[np.bool_]) -> list[MarkCount]:
    return [
        MarkCount(
            mark.title, int(np.count_nonzero(quality.has(mark) & counted)), MARK_SENTENCES[mark]
        )
        for mark in QualityMark
    ]


def _summary(review: Review) -> ReviewSummary:
    return ReviewSummary.of(
        review.predicted,
        review.tissue_map,
        review.reader,
        review.predicted_risk,
        review.risk,
        when=review.log[-1].when if review.log else "",
        thresholds_changed=review.mixture != review.analysis.features.mixture,
    )


def _card(run: Mapping[str, Any]) -> ModelCard | None:
    """Return the classifier's card if its folder is still there and still holds that model."""
    recorded = run.get("model") or {}
    try:
        card = load_card(Path(str(recorded["folder"])))
    except (KeyError, OSError, CrlmSpaError):
        return None
    return card if card.sha256 == recorded.get("sha256") else None
