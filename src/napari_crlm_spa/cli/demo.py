"""``crlm-spa demo``: the main job on the slide that the package draws."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from napari_crlm_spa.cli.analyze import show
from napari_crlm_spa.cli.progress import console, run_with_progress
from napari_crlm_spa.core.pipeline import AnalysisOptions, analyze_slide
from napari_crlm_spa.core.tissue_map import TissueMap


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write into")] = Path(
        "demo-output"
    ),
) -> None:
    """Draw a sample slide with known tissue, analyze it, and name the report.

    The slide is drawn, not scanned: it shows what the program does, not how well it does on
    real tissue.
    """
    from napari_crlm_spa.core.sample import SAMPLE_NAME, write_sample_slide

    slide = out / SAMPLE_NAME
    if not slide.exists():
        run_with_progress(write_sample_slide(slide))
    analysis = run_with_progress(analyze_slide(slide, out, AnalysisOptions(geojson=True)))
    show(analysis)
    right, pure = agreement(analysis.tissue_map)
    console.print(
        f"Of {pure} tiles that were drawn wholly in one tissue, {right / pure:.1%} are called so."
    )


def agreement(tissue_map: TissueMap) -> tuple[int, int]:
    """Return how many tiles drawn wholly in one tissue are called that tissue, and of how many."""
    from napari_crlm_spa.core.sample import truth_on_grid

    truth, pure = truth_on_grid(tissue_map.as_grid())
    counted = pure & (tissue_map.classes > 0)
    return int(np.count_nonzero(counted & (truth == tissue_map.classes))), int(counted.sum())
