"""The chain of steps."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from napari_crlm_spa.core.classifier.card import load_card, model_folder
from napari_crlm_spa.core.memory import give_back_memory
from napari_crlm_spa.core.pipeline.ahead import Ahead
from napari_crlm_spa.core.pipeline.classify import make_tissue_map
from napari_crlm_spa.core.pipeline.job import Clock, Job
from napari_crlm_spa.core.pipeline.options import Analysis, AnalysisOptions, settle
from napari_crlm_spa.core.pipeline.write import Results, write_results
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.risk import assess_risk, load_risk_model
from napari_crlm_spa.core.sentinel import watch_slide
from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.core.spatial import load_mixture_model, spatial_features
from napari_crlm_spa.core.store import AnalysisFolder
from napari_crlm_spa.core.tiles import read_regions


def analyze_to_end(
    slide: str | Path, out_dir: str | Path, options: AnalysisOptions | None = None
) -> Analysis:
    """Run `analyze_slide` without looking at its progress and return the result."""
    work = analyze_slide(slide, out_dir, options)
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: Analysis = end.value
            return result


def analyze_slide(
    slide: str | Path,
    out_dir: str | Path,
    options: AnalysisOptions | None = None,
    ahead: Ahead | None = None,
) -> Generator[Progress, None, Analysis]:
    """Analyze one slide.

    Parameters
    ----------
    slide
        Slide file, or folder of a DICOM slide.
    out_dir
        The results go into a folder below it that is named after the slide. Nothing is written
        before the slide, the model and the grid have proved usable.
    options
        Choices; the defaults are those of the paper where it states them.
    ahead
        What was made before anybody asked for the run, if anything; it changes no result.

    Yields
    ------
    Progress
        `changed` is a `TileGrid` once the grid is planned, and `TileScores` whenever tiles have
        been classified (first those of an earlier, interrupted run).

    Returns
    -------
    Analysis
        Through ``StopIteration.value`` (or use `analyze_to_end`).

    Raises
    ------
    CrlmSpaError
        Whatever the user can mend. Closing the generator cancels the run within one batch;
        finished tiles are kept and the next run goes on from there.
    """
    options, ahead = options or AnalysisOptions(), ahead or Ahead()
    path = Path(slide)
    clock = Clock()
    yield Progress("Opening the slide", 0, 1)
    with open_slide(path, mpp=options.mpp, decoder=options.decoder) as opened:
        opened.info.known_pixel_size()
        model_dir = model_folder(options.model)
        card = load_card(model_dir)
        options = settle(options, card)
        risk_model = load_risk_model(options.risk_model)
        mixture = load_mixture_model(options.mixture) if options.mixture else None
        corner_xy0 = opened.info.bounds_xy0[:2]
        regions = read_regions(options.regions, corner_xy0) if options.regions else None
        yield Progress("Opening the slide", 1, 1)
        yield Progress("Finding tissue", 0, 1)
        with clock.time("finding tissue"):
            grid = ahead.plan(opened, options.tiling, regions)
            give_back_memory()
        yield Progress("Finding tissue", 1, 1, changed=grid)
        folder = AnalysisFolder.for_slide(Path(out_dir), path, opened.info.fingerprint)
        job = Job(opened, card, model_dir, options, regions, grid, folder, clock)
        with folder.lock():
            tissue_map, run, reused = yield from make_tissue_map(job)
            job.forget_pixels()  # the report needs memory, and a thumbnail only
            yield Progress("Computing spatial features", 0, 1)
            with clock.time("spatial features"):
                features = spatial_features(tissue_map, options.spatial, mixture)
            risk = None if features.refusal else assess_risk(features, risk_model)
            yield Progress("Computing spatial features", 1, 1)
            sentinel = watch_slide(tissue_map, options.sentinel)
            results = Results(tissue_map, features, risk, sentinel, risk_model, mixture)
            yield from write_results(job, results, run)
    return Analysis(folder.path, tissue_map, features, risk, sentinel, run, reused)
