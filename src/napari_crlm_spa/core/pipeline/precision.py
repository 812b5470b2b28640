"""In which number format a run classifies: settled on its slide, kept on resuming, recorded."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classifier.inference import ClassifyOptions
from napari_crlm_spa.core.pipeline.job import Job
from napari_crlm_spa.core.stain import StainNormalizer
from napari_crlm_spa.core.store import TILES_JOURNAL, read_journal_header
from napari_crlm_spa.core.tiles import blank_fraction, read_tile
from napari_crlm_spa.errors import UnreadableSlide

if TYPE_CHECKING:
    from napari_crlm_spa.core.classifier.precision import Precision

#: Draws the tiles on which a number format is settled.
_SAMPLE_SEED = 0
#: So many times as many tiles as are wanted may be looked at; the others are blank.
_MOST_READ = 4


def begun_precision(job: Job, identity: str) -> str | None:
    """Return the number format of the interrupted run that will go on, if it is known."""
    old = None if job.options.fresh else read_journal_header(job.folder.file(TILES_JOURNAL))
    if old is None or old.get("identity") != identity:
        return None
    begun = old.get("precision")
    return begun if isinstance(begun, str) else None


def keep_precision(options: ClassifyOptions, begun: str | None) -> ClassifyOptions:
    """Return options that go on in the number format in which a run began, not in two."""
    # 8 bits are settled on the same tiles again, with the same result.
    if begun is None or options.precision == "int8":
        return options
    return dataclasses.replace(options, precision=begun)


def precision_record(job: Job, precision: Precision, begun: str | None) -> dict[str, Any]:
    """Return what ``run.json`` keeps of the number format and of what computed in it."""
    asked = job.options.classify.precision
    record = {**precision.as_dict(), "asked": asked, "begun": begun or precision.used}
    if precision.used == begun != asked and not precision.fell_back:
        record["why"] = "The interrupted run that goes on began in it."
    return record


def precision_notes(run: dict[str, Any]) -> list[str]:
    """Say in words what a user did not ask for."""
    precision = run["precision"]
    notes = [each["why"] for each in (precision, precision["engine"]) if each["fell_back"]]
    if precision["begun"] != precision["used"]:
        notes.append(
            f"{run.get('resumed_tiles', 0)} tiles were classified in {precision['begun']} before "
            f"the run was interrupted, the rest in {precision['used']}."
        )
    return notes


def sample_tiles(job: Job, normalizer: StainNormalizer, n: int) -> NDArray[np.uint8]:
    """Return at most `n` normalized tissue tiles, in a random order that is always the same."""
    tiling = job.options.tiling
    pending = np.random.default_rng(_SAMPLE_SEED).permutation(job.grid.pending())
    tiles: list[NDArray[np.uint8]] = []
    for row, col in pending[: _MOST_READ * n]:
        tile = readable_tile(job, int(row), int(col))
        if tile is None or blank_fraction(tile[None], tiling)[0] > tiling.blank_max:
            continue
        tiles.append(tile)
        if len(tiles) == n:
            break
    job.forget_pixels()
    side = job.grid.tile_px
    kept = np.stack(tiles) if tiles else np.empty((0, side, side, 3), np.uint8)
    return normalizer.normalize(kept)[0]


def readable_tile(job: Job, row: int, col: int) -> NDArray[np.uint8] | None:
    """Read a tile; None where the file cannot deliver it."""
    try:
        return read_tile(job.slide, job.grid, row, col)
    except UnreadableSlide:
        return None
