"""What a run needs first, made while nobody waits for it: the model in memory, the grid planned."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Hashable
from concurrent.futures import Future
from pathlib import Path
from threading import Lock

import numpy as np

from napari_crlm_spa.core.classifier.card import load_card, model_folder
from napari_crlm_spa.core.pipeline.options import AnalysisOptions, settle
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.slide import Slide, open_slide
from napari_crlm_spa.core.stain import StainNormalizer, StainOptions, estimate_slide_matrix
from napari_crlm_spa.core.tiles import (
    RegionsOfInterest,
    TileGrid,
    TilingOptions,
    plan_tiles,
    read_regions,
)


class Ahead:
    """Keeps the grid that was planned last, for a run that plans the same.

    Safe to use from several threads: who asks for a grid that is being planned waits for it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._key: Hashable = None
        self._grid: Future[TileGrid] = Future()
        self._loaded: set[Hashable] = set()

    def plan(
        self, slide: Slide, tiling: TilingOptions, regions: RegionsOfInterest | None
    ) -> TileGrid:
        """Return what `plan_tiles` returns, without looking at the slide a second time.

        Raises
        ------
        CrlmSpaError
            As `plan_tiles`; the next call tries again.
        """
        key = _key(slide, tiling, regions)
        with self._lock:
            mine = key != self._key
            if mine:
                self._key, self._grid = key, Future()
            planned = self._grid
        if mine:
            try:
                planned.set_result(plan_tiles(slide, tiling, regions))
            except BaseException as error:
                with self._lock:
                    if self._grid is planned:
                        self._key = None
                planned.set_exception(error)
                raise
        grid = planned.result()
        return dataclasses.replace(grid, state=grid.state.copy(), edge=grid.edge.copy())

    def get_ready(
        self, slide: str | Path, options: AnalysisOptions
    ) -> Generator[Progress, None, None]:
        """Do what `analyze_slide` with this object will then do sooner; nothing is written.

        A model is loaded once and let go: what is slow about it is the first time.

        Raises
        ------
        CrlmSpaError
            What the run will say as well.
        """
        model_dir = model_folder(options.model)
        card = load_card(model_dir)
        options = settle(options, card)
        if (model := (card.sha256, options.classify)) not in self._loaded:
            yield Progress("Loading the model", 0, 1)
            from napari_crlm_spa.core.classifier.runtime import load_classifier

            load_classifier(model_dir, options.classify)
            _make_machine_code(options.stain)
            self._loaded.add(model)
        yield Progress("Finding tissue", 0, 1)
        with open_slide(slide, mpp=options.mpp, decoder=options.decoder) as opened:
            corner_xy0 = opened.info.bounds_xy0[:2]
            regions = read_regions(options.regions, corner_xy0) if options.regions else None
            self.plan(opened, options.tiling, regions)
        yield Progress("Finding tissue", 1, 1)


def _make_machine_code(options: StainOptions) -> None:
    """Do to a tile of glass what is done to tissue: the first time on a machine takes seconds."""
    glass = np.full((1, 8, 8, 3), 243, np.uint8)
    StainNormalizer(options, estimate_slide_matrix(glass, options)).normalize(glass)


def _key(slide: Slide, tiling: TilingOptions, regions: RegionsOfInterest | None) -> Hashable:
    """Tell apart what is planned differently; a file that was mended has another date."""
    info, size = slide.info, slide.info.known_pixel_size()
    changed_ns = info.path.stat().st_mtime_ns if info.path.exists() else 0
    return (
        info.fingerprint,
        info.decoder,
        changed_ns,
        (size.x_um, size.y_um),
        tiling,
        regions.fingerprint if regions else None,
    )
