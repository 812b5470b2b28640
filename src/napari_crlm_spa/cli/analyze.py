"""``crlm-spa analyze``: the main job, for one slide or for many."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from napari_crlm_spa.cli.flags import Decoder, with_options
from napari_crlm_spa.cli.progress import console, run_with_progress
from napari_crlm_spa.cli.risk import show_assessment
from napari_crlm_spa.core.classifier.inference import ClassifyOptions
from napari_crlm_spa.core.pipeline import (
    Analysis,
    AnalysisOptions,
    analyze_slide,
)
from napari_crlm_spa.core.risk import DEFAULT_PRESET, RESEARCH_USE_ONLY
from napari_crlm_spa.core.sentinel import SentinelOptions
from napari_crlm_spa.core.spatial import FEATURES, SpatialOptions, TumorRegionOptions, ZoneOptions
from napari_crlm_spa.core.stain import StainOptions
from napari_crlm_spa.core.store import REPORT_HTML, TISSUE_MAP_PNG
from napari_crlm_spa.core.tiles import TilingOptions
from napari_crlm_spa.errors import CrlmSpaError, DiskFull, FolderNotWritable


@with_options("zones", ZoneOptions, prefix="zone")
@with_options("tumor_regions", TumorRegionOptions, prefix="region")
@with_options("spatial", SpatialOptions)
@with_options("stain", StainOptions, rename={"method": "stain"}, prefix="stain")
@with_options("tiling", TilingOptions, rename={"mpp": "tile_mpp", "region_rule": "roi_rule"})
@with_options("classify", ClassifyOptions)
@with_options("sentinel", SentinelOptions)
def analyze(
    slides: Annotated[list[Path], typer.Argument(help="Slide files, or folders of DICOM slides")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the results, one folder per slide")
    ] = Path("crlm-spa-results"),
    mpp: Annotated[
        float | None,
        typer.Option(
            help="Pixel size of the slide in µm/px; without it the file is asked",
            min=0.05,
            max=10.0,
        ),
    ] = None,
    decoder: Decoder = "auto",
    model: Annotated[str, typer.Option(help="Name or folder of the classifier")] = "default",
    roi: Annotated[
        Path | None,
        typer.Option(help="GeoJSON with regions of interest and exclusions (as QuPath exports)"),
    ] = None,
    risk_model: Annotated[
        str, typer.Option(help="Preset or file of the risk model")
    ] = DEFAULT_PRESET,
    mixture: Annotated[
        Path | None,
        typer.Option(help="Distance thresholds from 'crlm-spa mixture'; none fits each slide"),
    ] = None,
    geojson: Annotated[bool, typer.Option(help="Also write every tile for QuPath")] = False,
    fresh: Annotated[bool, typer.Option(help="Start anew, ignore earlier results")] = False,
    *,
    tiling: TilingOptions,
    stain: StainOptions,
    classify: ClassifyOptions,
    sentinel: SentinelOptions,
    spatial: SpatialOptions,
    tumor_regions: TumorRegionOptions,
    zones: ZoneOptions,
) -> None:
    """Make tissue map, spatial features and risk of slides.

    Ctrl-C stops; the same command goes on from there. A slide that cannot be used is named at
    the end and does not stop the others; the exit code is then 2.
    """
    options = AnalysisOptions(
        mpp=mpp,
        decoder=decoder,
        model=model,
        regions=roi,
        risk_model=risk_model,
        mixture=mixture,
        geojson=geojson,
        fresh=fresh,
        tiling=tiling,
        stain=stain,
        classify=classify,
        sentinel=sentinel,
        spatial=dataclasses.replace(spatial, regions=tumor_regions, zones=zones),
    )
    failed = [slide for slide in slides if not _analyze_one(slide, out, options)]
    if failed:
        if len(slides) > 1:
            names = ", ".join(slide.name for slide in failed)
            console.print(f"{len(slides) - len(failed)} of {len(slides)} slides done; not: {names}")
        raise typer.Exit(2)


def _analyze_one(slide: Path, out: Path, options: AnalysisOptions) -> bool:
    try:
        analysis = run_with_progress(analyze_slide(slide, out, options))
    except (DiskFull, FolderNotWritable):
        raise  # a full disk or a read-only folder would fail every other slide too
    except CrlmSpaError as error:
        console.print(
            f"[bold red]crlm-spa:[/] {escape(str(error))}", highlight=False, soft_wrap=True
        )
        return False
    show(analysis)
    return True


def show(analysis: Analysis) -> None:
    """Print counts, features, risk and where the files are."""
    output = Console()
    output.print(_counts_table(analysis))
    output.print(_features_table(analysis))
    for note in (*analysis.run.get("notes", ()), *analysis.features.notes):
        output.print(f"[yellow]Note:[/] {escape(note)}", highlight=False)
    if analysis.risk is None:
        output.print(escape(str(analysis.features.refusal)), highlight=False)
        output.print(f"[bold]{RESEARCH_USE_ONLY}[/]")
    else:
        show_assessment(analysis.risk)
    mark = "[bold yellow]Warning:[/]" if analysis.sentinel.warns else "Strangeness:"
    output.print(f"{mark} {escape(analysis.sentinel.sentence)}", highlight=False)
    output.print(f"Tissue map: {analysis.folder / TISSUE_MAP_PNG}", soft_wrap=True)
    output.print(f"Report:     {analysis.folder / REPORT_HTML}", soft_wrap=True)


def _counts_table(analysis: Analysis) -> Table:
    tissue_map, features = analysis.tissue_map, analysis.features
    title = "Tissue map" + (" (from an earlier run)" if analysis.reused else "")
    table = Table(title=title, title_justify="left")
    table.add_column("Tissue")
    for heading in ("tiles", "mm²", "% of tissue"):
        table.add_column(heading, justify="right")
    for tissue in tissue_map.scheme.classes:
        n, share = features.counts[tissue.name], features.overall.get(tissue.name, math.nan)
        table.add_row(
            f"[{tissue.color}]■[/] {tissue.title}",
            f"{n}",
            f"{tissue_map.area_mm2(n):.2f}",
            "-" if math.isnan(share) else f"{100 * share:.1f}",
        )
    return table


def _features_table(analysis: Analysis) -> Table:
    table = Table(title="Spatial organization features", title_justify="left")
    table.add_column("Feature", no_wrap=True)
    table.add_column("0-1", justify="right", no_wrap=True)
    table.add_column("in words")
    for column, value in analysis.features.values.items():
        text = "-" if math.isnan(value) else f"{value:.4f}"
        table.add_row(column, text, FEATURES[column].title)
    return table
