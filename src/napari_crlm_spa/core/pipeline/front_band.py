"""A closer look at the tumor-liver interface: its surroundings again, with overlapping tiles.

Tiles side by side call thin capsules contact: a capsule of 100 µm fills most of no tile of 112 µm
unless it happens to lie in the middle of one. Around the interface that the coarse map shows,
tiles of the same size are read at a smaller distance, with the model, stain and pixel size of the
analysis; elsewhere the fine map holds what the coarse map has.
"""

from __future__ import annotations

import dataclasses
import platform
import time
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from napari_crlm_spa.core.classifier.inference import ClassifyOptions, classify_tiles
from napari_crlm_spa.core.pipeline.front_plan import FrontBandOptions, FrontPlan, plan_front_band
from napari_crlm_spa.core.pipeline.recorded import Recipe, open_recorded_slide, recorded_model
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.slide import Slide
from napari_crlm_spa.core.spatial.interface import InterfaceOptions
from napari_crlm_spa.core.store import AnalysisFolder, TileJournal, identity_of
from napari_crlm_spa.core.store.front_file import (
    FRONT_VERSION,
    FrontBand,
    load_front,
    write_front,
)
from napari_crlm_spa.core.store.names import FRONT_JOURNAL
from napari_crlm_spa.core.tiles import OverlappingGrid, TileScores, TileState, overlapping_grid
from napari_crlm_spa.core.tissue_map import TissueMap

STAGE = "Looking closely at the interface"


@dataclass(frozen=True, slots=True)
class FrontSource:
    """The analysis whose interface is looked at closely.

    Parameters
    ----------
    folder
        The slide's folder.
    tissue_map
        The coarse map: as classified, or as a reader corrected it.
    run
        The record of the analysis (``run.json``).
    place
        Where the band is written: the folder, or the reader's in it.
    reader
        Whose corrections the map holds; empty for the prediction.
    slide
        The slide file, if it is no longer where it was analyzed.
    model
        Name or folder of the model, if it is no longer where it was.
    """

    folder: Path
    tissue_map: TissueMap
    run: Mapping[str, Any]
    place: Path
    reader: str = ""
    slide: Path | None = None
    model: str | None = None


def classify_front_band(
    source: FrontSource,
    options: FrontBandOptions | None = None,
    interface_options: InterfaceOptions | None = None,
    classify: ClassifyOptions | None = None,
    plan: FrontPlan | None = None,
) -> Generator[Progress, None, FrontBand]:
    """Classify overlapping tiles around the interface and keep the finer map.

    Parameters
    ----------
    source
        The analysis.
    options
        Stride and width of the band.
    interface_options
        How the interface is found on the coarse map.
    classify
        Where the network runs.
    plan
        What `plan_front_band` made of the same map and options, if it was asked before.

    Yields
    ------
    Progress
        `changed` is the `FrontPlan` once, then `TileScores` after each batch (first those of an
        earlier, interrupted run), on the fine grid.

    Returns
    -------
    FrontBand
        Through ``StopIteration.value``; the stored one if it is still of this map and options.

    Raises
    ------
    NoInterface
        If no tumor borders on liver.
    CrlmSpaError
        If slide or model cannot be used, or nothing may be written. Closing the generator cancels;
        finished tiles are kept and the next run goes on from there.
    """
    plan = plan or plan_front_band(source.tissue_map, options, interface_options)
    yield Progress(STAGE, 0, plan.n_tiles, "tiles", plan)
    identity = _identity(source, plan)
    stored = load_front(source.place, identity=identity)
    if stored is not None:
        yield Progress(STAGE, plan.n_tiles, plan.n_tiles, "tiles")
        return stored
    with (
        open_recorded_slide(source.run, source.folder, source.slide) as slide,
        AnalysisFolder(source.folder).lock(),
    ):
        front = yield from _classified(source, plan, identity, slide, classify or ClassifyOptions())
        write_front(source.place, front)
        (source.place / FRONT_JOURNAL).unlink(missing_ok=True)
    return front


def _identity(source: FrontSource, plan: FrontPlan) -> str:
    return identity_of(
        {
            "version": FRONT_VERSION,
            "run": source.run.get("identity"),
            "stride_um": plan.start.stride_um,
            **plan.fingerprint(),
        }
    )


def _classified(
    source: FrontSource,
    plan: FrontPlan,
    identity: str,
    slide: Slide,
    options: ClassifyOptions,
) -> Generator[Progress, None, FrontBand]:
    recipe = Recipe.of(source.run, source.folder)
    card, folder = recorded_model(source.run, source.folder, source.model)
    yield Progress("Loading the model", 0, 1)
    # torch takes seconds to import and is not needed before this moment.
    from napari_crlm_spa.core.classifier.runtime import load_classifier

    classifier = load_classifier(folder, _as_then(options, source.run))
    yield Progress("Loading the model", 1, 1)
    begun, fine = time.perf_counter(), plan.start
    resumed = 0
    header = {"identity": identity}
    with TileJournal(source.place / FRONT_JOURNAL, header, fine.scheme) as journal:
        if journal.finished is not None:
            fine.add(journal.finished)
            resumed = len(journal.finished)
        yield Progress(STAGE, resumed, plan.n_tiles, "tiles", journal.finished)
        batches = classify_tiles(
            slide,
            _grid(plan, slide, card.tile_px, card.mpp),
            classifier,
            recipe.normalizer(),
            dataclasses.replace(recipe.tiling, tile_px=card.tile_px, mpp=card.mpp),
            options.reader_threads,
        )
        yield from _added(batches, journal, plan, resumed)
    record = {
        **_record(source, plan, identity),
        "tile_um": card.tile_px * card.mpp,
        "model": {"name": card.name, "version": card.version, "sha256": card.sha256},
        "device": str(classifier.device),
        "seconds": round(time.perf_counter() - begun, 3),
        "resumed_tiles": resumed,
    }
    return FrontBand(fine, plan.band, record)


def _as_then(options: ClassifyOptions, run: Mapping[str, Any]) -> ClassifyOptions:
    """Compute in the number format that the analysis was settled in, unless asked otherwise."""
    used = (run.get("precision") or {}).get("used")
    if options.precision == "auto" and used in ("fp32", "bf16", "fp16"):
        return dataclasses.replace(options, precision=used)
    return options


def _added(
    batches: Generator[TileScores, None, None], journal: TileJournal, plan: FrontPlan, done: int
) -> Generator[Progress, None, None]:
    with closing(batches):
        for scores in batches:
            journal.append(scores)
            plan.start.add(scores)
            done += len(scores)
            yield Progress(STAGE, done, plan.n_tiles, "tiles", scores)


def _grid(plan: FrontPlan, slide: Slide, tile_px: int, mpp: float) -> OverlappingGrid:
    """Only the band, so that what lies elsewhere does not vouch for a damaged file."""
    fine = plan.start
    grid = overlapping_grid(
        np.where(plan.band, fine.state, TileState.GLASS).astype(np.uint8),
        slide.info,
        tile_px=tile_px,
        mpp=mpp,
        step_um=fine.stride_um,
        origin_um=fine.origin_um,
    )
    fine.edge[plan.band] = grid.edge[plan.band]
    return grid


def _record(source: FrontSource, plan: FrontPlan, identity: str) -> dict[str, Any]:
    states = np.bincount(plan.start.state[plan.band], minlength=len(TileState))
    return {
        "identity": identity,
        "run": source.run.get("identity"),
        "reader": source.reader,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "stride_um": plan.start.stride_um,
        "coarse_stride_um": source.tissue_map.stride_um,
        "interface_mm": plan.interface_mm,
        "tiles": {state.name.lower(): int(states[state]) for state in TileState if states[state]},
        "versions": {
            **{name: version(name) for name in ("napari-crlm-spa", "torch", "numpy")},
            "python": platform.python_version(),
        },
    }
