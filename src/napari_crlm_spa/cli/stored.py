"""A finished analysis as commands take it up again: map, corrections of a reader."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from napari_crlm_spa.cli.progress import console
from napari_crlm_spa.core.store import RISK_JSON
from napari_crlm_spa.errors import CrlmSpaError, ReviewError

if TYPE_CHECKING:
    from napari_crlm_spa.core.pipeline import Analysis
    from napari_crlm_spa.core.review import Review
    from napari_crlm_spa.core.risk import RiskAssessment, RiskModel
    from napari_crlm_spa.core.slide import Slide
    from napari_crlm_spa.core.spatial import SpatialFeatures
    from napari_crlm_spa.core.tile_table import TileSource
    from napari_crlm_spa.core.tissue_map import TissueMap


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A finished analysis, with a reader's corrections if they were asked for."""

    analysis: Analysis
    review: Review | None
    folder: Path

    @property
    def tissue_map(self) -> TissueMap:
        """The map: corrected, or as classified."""
        return self.analysis.tissue_map if self.review is None else self.review.tissue_map

    @property
    def features(self) -> SpatialFeatures:
        """The features of that map."""
        return self.analysis.features if self.review is None else self.review.features

    @property
    def risk(self) -> RiskAssessment | None:
        """The risk of that map."""
        return self.analysis.risk if self.review is None else self.review.risk

    def open_slide(self, moved_to: Path | None) -> Slide:
        """Open the slide that was analyzed, see `core.pipeline.recorded`."""
        from napari_crlm_spa.core.pipeline.recorded import open_recorded_slide

        return open_recorded_slide(self.analysis.run, self.analysis.folder, moved_to)

    def source(self) -> TileSource:
        """Return the tiles as the exports list them."""
        from napari_crlm_spa.core.quality import QualityMark
        from napari_crlm_spa.core.review.reports import quality_of
        from napari_crlm_spa.core.tile_table import TileSource

        quality = quality_of(self.analysis)
        return TileSource(
            tissue_map=self.tissue_map,
            features=self.features,
            predicted=None if self.review is None else self.review.predicted,
            reader="" if self.review is None else self.review.reader,
            marks={} if quality is None else {m.title: quality.has(m) for m in QualityMark},
        )


def open_stored(folder: Path, reader: str | None) -> Stored:
    """Take a finished analysis up again.

    Raises
    ------
    DamagedAnalysis
        If the folder holds no finished analysis.
    ReviewError
        If there is no such reader, or the corrections cannot be read.
    """
    from napari_crlm_spa.core.pipeline import reopen_folder

    model = _risk_model(folder)
    analysis = reopen_folder(folder, model)
    if reader is None:
        return Stored(analysis, None, folder)
    from napari_crlm_spa.core.review import list_readers, open_review, reader_folder

    place = reader_folder(folder, reader)
    if not place.is_dir():
        names = ", ".join(each.name for each in list_readers(folder)) or "nobody"
        raise ReviewError(
            f"{reader} has corrected nothing in {folder.name}; corrections are there by: {names}. "
            "Name one of them, or leave --reader out for the map as classified."
        )
    review = open_review(analysis, model, reader)
    if review.problem:
        raise ReviewError(review.problem)
    for note in review.notes:
        console.print(f"[yellow]Note:[/] {escape(note)}", highlight=False, soft_wrap=True)
    return Stored(analysis, review, place)


def _risk_model(folder: Path) -> RiskModel:
    """Return the risk model that the analysis was made with, or the default one."""
    from napari_crlm_spa.core.risk import RiskModel, load_risk_model

    try:
        return RiskModel.model_validate(
            json.loads((folder / RISK_JSON).read_text("utf-8"))["model"]
        )
    except (OSError, ValueError, KeyError, TypeError, CrlmSpaError):
        return load_risk_model()
