"""What a reader should know about a slide's features, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from napari_crlm_spa.core.spatial.definitions import NOUNS, column_name
from napari_crlm_spa.core.spatial.mixture_model import MixtureModel
from napari_crlm_spa.core.spatial.regions import TumorRegionOptions, TumorRegions
from napari_crlm_spa.core.spatial.zones import TISSUES


def refusal(regions: TumorRegions, tumor_tiles: int, min_tumor_tiles: int) -> str | None:
    """Say why a slide gets no risk; None if it may."""
    if tumor_tiles == 0:
        return (
            "No risk for this slide: no tile was classified as tumor. "
            "The tissue map and the overall ratios stand."
        )
    largest = regions.contiguous_tumor_tiles
    if largest < min_tumor_tiles:
        return (
            f"No risk for this slide: its largest contiguous tumor area has {largest} tiles, "
            f"and the paper leaves out slides with fewer than {min_tumor_tiles}. "
            "The tissue map and the overall ratios stand; choose a slide with more tumor."
        )
    if len(regions) == 0:
        return (
            "No risk for this slide: no tumor region is left with these region options. "
            "Choose a smaller least size of a region."
        )
    return None


def notes(
    counts: Mapping[str, int],
    regions: TumorRegions,
    mixture: MixtureModel,
    values: Mapping[str, float],
    options: TumorRegionOptions,
    *,
    fitted_here: bool,
) -> Iterator[str]:
    """Yield sentences on what is missing and on what rests on thin ground.

    `counts` are the tiles of every class that the classifier knows.
    """
    if len(regions) == 0:
        yield (
            f"There is no tumor region of at least {options.min_tiles} tiles, so distances, "
            "infiltrating and distal ratios cannot be computed."
        )
    for tissue in TISSUES:
        noun = NOUNS[tissue]
        if tissue not in counts:
            yield f"The classifier does not know {noun}, so its features are missing."
        elif counts[tissue] == 0:
            yield f"There is no tile of {noun}: its ratios are 0 where they can be computed."
        elif len(regions):
            missing = math.isnan(values[column_name("distal", tissue)])
            share = values[column_name("overall", tissue)]
            yield from _on_split(tissue, mixture, share if missing else None, fitted_here)
    if not fitted_here and mixture.regions and mixture.regions != options.as_dict():
        yield (
            "The distance thresholds were fitted with other options for tumor regions "
            "than this slide's."
        )


def _on_split(
    tissue: str, mixture: MixtureModel, unsplit: float | None, fitted_here: bool
) -> Iterator[str]:
    found = mixture.tissues.get(tissue)
    noun = NOUNS[tissue]
    if unsplit is not None:
        if not fitted_here:
            why = "the mixture model holds no thresholds for it"
        else:
            why = found.reason if found else "it was not fitted"
        yield (
            f"Infiltrating and distal {noun} cannot be told apart on this slide: {why} "
            f"(together they are {unsplit:.2%} of the tissue). "
            "A mixture model that was fitted to several slides can."
        )
    elif found is not None and found.note:
        yield f"Distances of {noun}: {found.note}."
