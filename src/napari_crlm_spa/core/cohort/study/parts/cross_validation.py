"""Ways to a score compared on patients who played no part in making it."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from napari_crlm_spa.core.cohort.cox.multivariable import CRS_COLUMNS
from napari_crlm_spa.core.cohort.cox.selection import SelectionOptions
from napari_crlm_spa.core.cohort.cutpoints import CutpointOptions
from napari_crlm_spa.core.cohort.prediction.nested_cv import NOTE, NestedCVOptions, nested_cv
from napari_crlm_spa.core.cohort.score import ScoreOptions
from napari_crlm_spa.core.cohort.study.gather import Gathering
from napari_crlm_spa.core.cohort.study.options import StudyOptions
from napari_crlm_spa.core.cohort.study.parts.models import clinical_columns
from napari_crlm_spa.core.cohort.table import Cohort
from napari_crlm_spa.core.progress import Progress


def add_cross_validation(
    book: Gathering,
    cohort: Cohort,
    features: Sequence[str],
    options: StudyOptions,
    *,
    cutpoints: CutpointOptions,
    selection: SelectionOptions,
    score: ScoreOptions,
) -> Generator[Progress, None, None]:
    """Add stepwise, penalized and clinical models, judged in nested cross-validation."""
    chosen = NestedCVOptions(repeats=options.cv_repeats, folds=options.cv_folds, seed=options.seed)
    clinical = [c for c in clinical_columns(cohort.patients) if c not in CRS_COLUMNS]
    found = yield from nested_cv(
        cohort.patients,
        cohort.survival,
        features,
        chosen,
        clinical=clinical,
        cutpoints=cutpoints,
        selection=selection,
        score=score,
    )
    book.table("nested_cv", "Nested cross-validation, fold by fold", found.folds)
    book.table("nested_cv_summary", "Nested cross-validation", found.summary, NOTE)
    book.warn_all(found.warnings)
    book.facts["nested_cv"] = {
        **chosen.as_dict(),
        "n": found.n,
        "events": found.n_events,
        "n_missing": found.n_missing,
    }
