"""The tissue map of a run: taken from a finished one, resumed, or classified now."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from contextlib import closing
from functools import partial
from typing import Any

import numpy as np

from napari_crlm_spa.core.classifier.inference import classify_tiles
from napari_crlm_spa.core.pipeline.job import Job, begin_record, why_afresh
from napari_crlm_spa.core.pipeline.precision import (
    begun_precision,
    keep_precision,
    precision_notes,
    precision_record,
    readable_tile,
    sample_tiles,
)
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.stain import StainMatrix, StainNormalizer, estimate_slide_matrix
from napari_crlm_spa.core.store import (
    TILES_JOURNAL,
    TileJournal,
    load_analysis,
)
from napari_crlm_spa.core.tiles import TileState, blank_fraction
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import DamagedAnalysis

#: So large a share of one class on a slide is more likely a wrong pixel size or stain than truth.
SUSPICIOUS_SHARE = 0.99


def make_tissue_map(job: Job) -> Generator[Progress, None, tuple[TissueMap, dict[str, Any], bool]]:
    """Return the map and the record so far: from the finished run, or classified now."""
    identity = job.identity()
    earlier = job.folder.read_run()
    if earlier and earlier.get("identity") == identity and not job.options.fresh:
        try:
            stored = load_analysis(job.folder.path)
        except DamagedAnalysis:
            why = "the earlier results are damaged"
        else:
            yield Progress("Classifying tiles", 1, 1, changed=None)
            return stored.tissue_map, stored.run, True
    else:
        why = why_afresh(earlier, job)
    run = begin_record(job, identity, why)
    tissue_map = TissueMap.empty(job.grid, job.card.scheme)
    yield from _classify(job, run, tissue_map)
    return tissue_map, run, False


def _classify(
    job: Job, run: dict[str, Any], tissue_map: TissueMap
) -> Generator[Progress, None, None]:
    """Fill `tissue_map`; what an interrupted run had finished comes from its journal."""
    header = {"identity": run["identity"], "slide": run["slide"]}
    yield Progress("Loading the model", 0, 1)
    with job.clock.time("loading the model"):
        # torch takes seconds to import and is not needed before this moment.
        from napari_crlm_spa.core.classifier.runtime import load_classifier

        begun = begun_precision(job, run["identity"])
        going_on = keep_precision(job.options.classify, begun)
        classifier = load_classifier(job.model_dir, going_on)
    yield Progress("Loading the model", 1, 1)
    with job.clock.time("estimating the stain"):
        matrix = _slide_stain(job)
    normalizer = StainNormalizer(job.options.stain, matrix)
    run["stain"] = None if matrix is None else matrix.as_dict()
    run["device"] = str(classifier.device)
    if classifier.unsettled:
        yield Progress("Checking the number format", 0, 1)
        with job.clock.time("checking the number format"):
            classifier.settle(partial(sample_tiles, job, normalizer))
        yield Progress("Checking the number format", 1, 1)
    run["precision"] = precision_record(job, classifier.precision, begun)
    header["precision"] = classifier.precision.used
    total = len(job.grid.pending())
    fallbacks = 0
    with (
        job.clock.time("classifying"),
        TileJournal(
            job.folder.file(TILES_JOURNAL), header, tissue_map.scheme, fresh=job.options.fresh
        ) as journal,
    ):
        job.folder.discard_run()
        if journal.finished is not None:
            tissue_map.add(journal.finished)
            fallbacks += int(journal.finished.stain_fallback.sum())
            run["resumed_tiles"] = len(journal.finished)
        done = total - int(np.count_nonzero(~tissue_map.done))
        yield Progress("Classifying tiles", done, total, "tiles", journal.finished)
        rest = dataclasses.replace(job.grid, state=tissue_map.state.copy())
        batches = classify_tiles(
            job.slide,
            rest,
            classifier,
            normalizer,
            job.options.tiling,
            job.options.classify.reader_threads,
        )
        with closing(batches):
            for scores in batches:
                journal.append(scores)
                tissue_map.add(scores)
                fallbacks += int(scores.stain_fallback.sum())
                done += len(scores)
                yield Progress("Classifying tiles", done, total, "tiles", scores)
    run["batch_size"] = classifier.batch_size
    run["tiles"] = {**_count_states(tissue_map), "stain_fallback": fallbacks}
    run["notes"] = [
        *(job.regions.notes if job.regions else ()),
        *precision_notes(run),
        *_notes(tissue_map),
    ]


def _slide_stain(job: Job) -> StainMatrix | None:
    """Estimate the slide's stain from a seeded sample of its tissue tiles."""
    stain = job.options.stain
    if stain.method == "none":
        return None
    pending = job.grid.pending()
    chosen = np.random.default_rng(stain.seed).permutation(len(pending))[: stain.sample_tiles]
    tiles = [
        tile
        for row, col in pending[np.sort(chosen)]
        if (tile := readable_tile(job, int(row), int(col))) is not None
    ]
    job.forget_pixels()
    if not tiles:
        return None
    kept = np.stack(tiles)
    kept = kept[blank_fraction(kept, job.options.tiling) <= job.options.tiling.blank_max]
    return estimate_slide_matrix(kept, stain) if len(kept) else None


def _count_states(tissue_map: TissueMap) -> dict[str, int]:
    counted = np.bincount(tissue_map.state.ravel(), minlength=len(TileState))
    counts = {state.name.lower(): int(counted[state]) for state in TileState}
    return {**counts, "edge": int(np.count_nonzero(tissue_map.edge & (tissue_map.classes > 0)))}


def _notes(tissue_map: TissueMap) -> list[str]:
    """Say what a careful reader would want to check."""
    notes = []
    counts = tissue_map.counts()
    total = sum(counts.values())
    name = max(counts, key=lambda key: counts[key])
    if total and counts[name] / total > SUSPICIOUS_SHARE:
        notes.append(
            f"{counts[name] / total:.1%} of the tiles are {tissue_map.scheme[name].title}: check "
            "the pixel size and look at the slide before trusting the map."
        )
    unreadable = int(np.count_nonzero(tissue_map.state == TileState.UNREADABLE))
    if unreadable:
        notes.append(f"{unreadable} tiles could not be read: the file is damaged there.")
    return notes
