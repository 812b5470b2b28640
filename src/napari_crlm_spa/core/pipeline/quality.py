"""Checking the quality of an analyzed slide's tiles, and keeping the marks beside its results."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from napari_crlm_spa.core.pipeline.recorded import open_recorded_slide
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.quality import QualityOptions, TileQuality, mark_quality
from napari_crlm_spa.core.store import load_analysis
from napari_crlm_spa.core.store.quality_file import write_quality
from napari_crlm_spa.core.tissue_map import TissueMap


def check_quality(
    folder: Path,
    tissue_map: TissueMap,
    run: Mapping[str, Any],
    *,
    slide: Path | None = None,
    options: QualityOptions | None = None,
) -> Generator[Progress, None, TileQuality]:
    """Mark the tiles of an analyzed slide and write ``quality.zarr`` into its folder.

    Parameters
    ----------
    folder
        The slide's folder.
    tissue_map
        As the classifier made it.
    run
        The record of the run (``run.json``).
    slide
        The slide file, if it is no longer where it was analyzed.
    options
        The limits of the marks.

    Yields
    ------
    Progress
        After each block of tiles; closing the generator cancels and writes nothing. The last one
        carries the `TileQuality` that is going to be written.

    Returns
    -------
    TileQuality
        Through ``StopIteration.value``.

    Raises
    ------
    ReviewError
        If the slide is absent, or another one than was analyzed.
    SlideError
        If it cannot be opened.
    StoreError
        If the folder cannot be written.
    """
    with open_recorded_slide(run, folder, slide) as opened:
        quality = yield from mark_quality(opened, tissue_map, options)
    # Where nothing may be written, a viewer can show the marks all the same.
    yield Progress("Keeping the marks", 0, 1, changed=quality)
    write_quality(folder, quality, str(run.get("identity", "")))
    return quality


def check_stored_quality(
    folder: str | Path, *, slide: Path | None = None, options: QualityOptions | None = None
) -> Generator[Progress, None, tuple[TissueMap, TileQuality]]:
    """Do `check_quality` for a result folder; return the tissue map, too.

    Raises
    ------
    DamagedAnalysis
        If the folder holds no finished analysis.
    """
    stored = load_analysis(folder)
    quality = yield from check_quality(
        Path(folder), stored.tissue_map, stored.run, slide=slide, options=options
    )
    return stored.tissue_map, quality
