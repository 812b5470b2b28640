"""Makes review lists of the slides in the queue. No Qt."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_crlm_spa.core.cohort.columns import PATIENT, SLIDE
from napari_crlm_spa.core.hgp.columns import INTERACTION_PAPER
from napari_crlm_spa.core.hgp.sample import SampleOptions, draw_sample
from napari_crlm_spa.core.hgp.sample_files import list_name, write_sample
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.slide import stem
from napari_crlm_spa.core.store.features_table import read_features
from napari_crlm_spa.errors import CohortError, CrlmSpaError
from napari_crlm_spa.plugin.queue import folder_of
from napari_crlm_spa.plugin.queue_sources import QueuedSlide

if TYPE_CHECKING:
    import pandas as pd

#: The feature that the paper correlates with growth patterns.
PAPER_FEATURE = "TUM_HEP_interaction"
STEP = 10


@dataclass(frozen=True, slots=True)
class MadeList:
    """What was written.

    Parameters
    ----------
    lists
        One per reader.
    warnings
        Sentences for who designs the study.
    n_slides
        How many slides were chosen.
    """

    lists: tuple[Path, ...]
    warnings: tuple[str, ...]
    n_slides: int


@dataclass(frozen=True, slots=True)
class ListOrder:
    """Which lists are wanted.

    Parameters
    ----------
    slides
        To choose from.
    results
        Where their analyses are.
    folder
        Where lists and key are written.
    raters
        The readers.
    options
        How slides are chosen.
    table
        Scores and strata by slide; without it the score is that of the analyses.
    """

    slides: tuple[QueuedSlide, ...]
    results: Path
    folder: Path
    raters: tuple[str, ...]
    options: SampleOptions
    table: Path | None = None


def make_lists(order: ListOrder) -> Generator[Progress, None, MadeList]:
    """Draw a sample of slides and write a list for each reader, and the key.

    Raises
    ------
    CrlmSpaError
        If a table lacks what is needed, or nothing can be written.
    """
    import pandas as pd

    if not order.slides:
        raise CohortError("There are no slides in the queue. Open a folder of slides at the left.")
    frame = pd.DataFrame(
        {
            SLIDE: [stem(each.path) for each in order.slides],
            PATIENT: [each.patient for each in order.slides],
        }
    )
    if order.table is not None:
        frame = _joined(frame, order.table)
    elif _needs_score(order.options):
        frame[INTERACTION_PAPER] = yield from _scores(order.slides, order.results)
    yield Progress("Drawing the sample", 0, 1)
    sample = draw_sample(frame, order.options, order.raters)
    write_sample(order.folder, sample)
    lists = tuple(order.folder / list_name(rater) for rater in sample.lists)
    return MadeList(lists, sample.warnings, int(sample.record["chosen"]))


def _needs_score(options: SampleOptions) -> bool:
    parts = options.how == "stratified" and options.score_parts > 1
    return options.score == INTERACTION_PAPER and (options.how == "extremes" or parts)


def _scores(slides: Sequence[QueuedSlide], results: Path) -> Generator[Progress, None, list[float]]:
    """Read each slide's interaction from its analysis; NaN without one."""
    found = []
    for done, slide in enumerate(slides):
        if done % STEP == 0:
            yield Progress("Reading scores", done, len(slides), "slides")
        folder = folder_of(results, slide.path)
        try:
            features = {} if folder is None else read_features(folder)
        except CrlmSpaError:
            features = {}
        found.append(features.get(PAPER_FEATURE, float("nan")))
    if all(score != score for score in found):
        raise CohortError(
            "None of the slides has a score: its interaction is not known. Analyze them, choose a "
            "table of scores, or take all slides."
        )
    return found


def _joined(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Add the columns of a table to the slides of the queue, by the slides' names."""
    import pandas as pd

    from napari_crlm_spa.core.cohort.table.cells import read_sheet

    sheet = read_sheet(path)
    if SLIDE not in sheet.header:
        raise CohortError(
            f"{path.name} has no column {SLIDE}. Choose a table with a row per slide, as crlm-spa "
            "hgp measure writes it."
        )
    table = pd.DataFrame(list(sheet.rows), columns=list(sheet.header), dtype=object)
    table[SLIDE] = [stem(Path(name)) if Path(name).suffix else name for name in table[SLIDE]]
    own: list[Any] = [name for name in table.columns if name != PATIENT]
    return frame.merge(table[own], on=SLIDE, how="left")
