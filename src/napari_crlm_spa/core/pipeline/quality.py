"""Checking the quality of an analyzed slide's tiles, and keeping the marks beside its results."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.quality import QualityOptions, TileQuality, mark_quality
from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.core.store import load_analysis
from napari_crlm_spa.core.store.quality_file import write_quality
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import ReviewError

#: How a run's record calls a pixel size that was entered by hand: by the command line, the panel.
_BY_HAND = ("user", "entered by hand")


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
    recorded: Mapping[str, Any] = run.get("slide", {})
    path = _slide_path(slide, recorded)
    with open_slide(path, mpp=_entered_mpp(recorded)) as opened:
        known = recorded.get("fingerprint")
        if known is not None and known != opened.info.fingerprint:
            raise ReviewError(
                f"{path.name} is not the slide that was analyzed into {folder}: its content "
                "differs. Name the right file, or analyze this one."
            )
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


def _slide_path(slide: Path | None, recorded: Mapping[str, Any]) -> Path:
    if slide is None and not recorded.get("path"):
        raise ReviewError(
            "The record of the run does not name the slide. Say where it is with --slide."
        )
    path = Path(recorded["path"]) if slide is None else slide
    if not path.exists():
        raise ReviewError(
            f"The slide {path} is not there. If it was moved, say where it is with --slide (or "
            "open it from there in the viewer)."
        )
    return path


def _entered_mpp(recorded: Mapping[str, Any]) -> float | None:
    if recorded.get("pixel_size_source") not in _BY_HAND:
        return None
    x_um, y_um = recorded["pixel_size_um"]
    return float((x_um * y_um) ** 0.5)
