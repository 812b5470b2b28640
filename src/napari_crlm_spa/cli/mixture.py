"""``crlm-spa mixture``: distance thresholds from several slides, for the next one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from napari_crlm_spa.cli.flags import with_options
from napari_crlm_spa.cli.progress import console
from napari_crlm_spa.core.spatial import TISSUES, MixtureModel, TumorRegionOptions, ZoneOptions
from napari_crlm_spa.errors import FeatureError


@with_options("zones", ZoneOptions, prefix="zone")
@with_options("tumor_regions", TumorRegionOptions, prefix="region")
def mixture(
    results: Annotated[list[Path], typer.Argument(help="Result folders of analyzed slides")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write")] = Path(
        "mixture.json"
    ),
    fraction: Annotated[
        float, typer.Option(help="Share of all distances that enters the fit", min=0.001, max=1.0)
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of that sample")] = 10,
    *,
    tumor_regions: TumorRegionOptions,
    zones: ZoneOptions,
) -> None:
    """Fit infiltrating/distal thresholds to several slides together.

    Use the file with 'crlm-spa analyze --mixture FILE': new slides are then split by the same
    thresholds. Slides with too little tumor (the paper's exclusion) take no part.
    """
    from napari_crlm_spa.core.spatial import (
        SpatialOptions,
        fit_pooled,
        fitted_distances,
        save_mixture_model,
    )
    from napari_crlm_spa.core.spatial import tumor_regions as find_regions
    from napari_crlm_spa.core.store import load_analysis

    distances = []
    for folder in results:
        tissue_map = load_analysis(folder).tissue_map
        found = find_regions(tissue_map, tumor_regions)
        if found.contiguous_tumor_tiles < SpatialOptions().min_tumor_tiles:
            console.print(f"Left out: {escape(folder.name)}, too little tumor.", highlight=False)
            continue
        distances.append(fitted_distances(tissue_map, found, zones, slide=folder.name))
    model = fit_pooled(distances, zones, tumor_regions, fraction=fraction, seed=seed)
    if all(found.near_tiles is None for found in model.tissues.values()):
        raise FeatureError(
            f"No tissue of these {len(distances)} slides has enough tiles outside of the tumor to "
            "be split. Name more slides."
        )
    save_mixture_model(model, out)
    Console().print(_table(model))
    Console().print(f"Wrote {out}")


def _table(model: MixtureModel) -> Table:
    slides = f"{len(model.slides)} slide{'' if len(model.slides) == 1 else 's'}"
    table = Table(title=f"Thresholds from {slides}", title_justify="left")
    for heading in ("tissue", "tiles", "infiltrating up to [µm]", "distal beyond [µm]", ""):
        table.add_column(heading)
    for tissue in TISSUES:
        found = model.tissues[tissue]
        near = "-" if found.near_um is None else f"{found.near_um:.0f}"
        far = "-" if found.far_um is None else f"{found.far_um:.0f}"
        table.add_row(tissue, str(found.n), near, far, found.reason or found.note)
    return table
