"""``crlm-spa demo``: the main job on the slide that the package draws."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_crlm_spa.cli.analyze import show
from napari_crlm_spa.cli.progress import console, run_with_progress
from napari_crlm_spa.core.pipeline import AnalysisOptions, analyze_slide


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write into")] = Path(
        "demo-output"
    ),
) -> None:
    """Draw a sample slide with known tissue, analyze it, and name the report.

    The slide is drawn, not scanned: it shows what the program does, not how well it does on
    real tissue.
    """
    from napari_crlm_spa.core.sample import SAMPLE_NAME, agreement_with_truth, write_sample_slide

    slide = out / SAMPLE_NAME
    if not slide.exists():
        run_with_progress(write_sample_slide(slide))
    analysis = run_with_progress(analyze_slide(slide, out, AnalysisOptions(geojson=True)))
    show(analysis)
    share, tiles = agreement_with_truth(analysis.tissue_map)
    console.print(
        f"Of {tiles} tiles that were drawn wholly in one tissue, {share:.1%} are called that tissue."
    )
