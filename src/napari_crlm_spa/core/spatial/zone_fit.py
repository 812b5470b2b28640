"""Infiltrating, adjacent and distal: a Gaussian mixture splits the distances to the tumor.

"We classified all the assigned tissue patches for each tissue type based on the Gaussian mixture
modeling" (Qi et al. 2023). The thresholds follow the authors' later public code: a zone ends at
the largest distance that its component still claims.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.spatial.mixture import Mixture, fit_mixture
from napari_crlm_spa.core.spatial.mixture_model import (
    FittedSlide,
    MixtureModel,
    TissueThresholds,
)
from napari_crlm_spa.core.spatial.regions import TumorRegionOptions, TumorRegions
from napari_crlm_spa.core.spatial.zones import SLACK, TISSUES, ZoneOptions, measured_distances
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import FeatureError

#: Squared distances up to this are counted in one array.
LARGEST_COUNTED = 2**24


@dataclass(frozen=True, slots=True, eq=False)
class SlideDistances:
    """The distances of one slide's tiles, by tissue: what a mixture is fitted to.

    Parameters
    ----------
    slide
        Its name.
    stride_um
        Side of a tile.
    tiles
        Distances in tiles, by tissue, each of shape (n,), as `fitted_distances` gives them.
    """

    slide: str
    stride_um: float
    tiles: Mapping[str, NDArray[np.float64]]


def fitted_distances(
    tissue_map: TissueMap,
    regions: TumorRegions,
    options: ZoneOptions | None = None,
    *,
    slide: str = "",
    distances: NDArray[np.float64] | None = None,
) -> SlideDistances:
    """Collect the distances of a slide's tiles that enter the fit.

    Parameters
    ----------
    tissue_map, regions
        The map and its tumor regions.
    options
        Whether tiles inside a region take part.
    slide
        Name of the slide.
    distances
        `measured_distances`, if they are there already.
    """
    options = options or ZoneOptions()
    if distances is None:
        distances = measured_distances(regions, options)
    usable = np.isfinite(distances) & (tissue_map.classes > 0)
    if options.inside == "infiltrating":
        usable &= regions.labels == 0
    codes, far = tissue_map.classes[usable], distances[usable]
    found = {
        tissue: far[codes == tissue_map.scheme.code(tissue)]
        for tissue in TISSUES
        if tissue in tissue_map.scheme.names
    }
    return SlideDistances(slide=slide, stride_um=tissue_map.stride_um, tiles=found)


def fit_zones(
    distances: SlideDistances,
    options: ZoneOptions | None = None,
    region_options: TumorRegionOptions | None = None,
) -> MixtureModel:
    """Fit the thresholds to one slide.

    Raises
    ------
    FeatureError
        If the options make no sense.
    """
    return fit_pooled([distances], options, region_options)


def fit_pooled(
    slides: list[SlideDistances],
    options: ZoneOptions | None = None,
    region_options: TumorRegionOptions | None = None,
    *,
    fraction: float = 1.0,
    seed: int = 10,
) -> MixtureModel:
    """Fit the thresholds to several slides together, each tissue on its own.

    Parameters
    ----------
    slides
        Distances of each slide.
    options, region_options
        How they were measured and how they are split; both are kept in the model.
    fraction
        Share of each tissue's distances, drawn at random, that enters the fit. The authors' later
        code draws 0.1 with seed 10 (R's generator, so their sample cannot be drawn here).
    seed
        Seed of the sample.

    Raises
    ------
    FeatureError
        If there is no slide, the slides' tiles differ in size, or the fraction isn't in (0, 1].
    """
    options = options or ZoneOptions()
    stride_um = _common_stride(slides)
    if not 0 < fraction <= 1:
        raise FeatureError(f"The sampled fraction is {fraction}; it must lie within 0 to 1.")
    rng = np.random.default_rng(seed)
    tissues = {}
    for tissue in TISSUES:
        parts = [slide.tiles[tissue] for slide in slides if tissue in slide.tiles]
        pooled = np.concatenate(parts) if parts else np.empty(0)
        if fraction < 1:
            pooled = rng.choice(pooled, int(len(pooled) * fraction), replace=False)
        tissues[tissue] = _thresholds(pooled, stride_um, options)
    return MixtureModel(
        components=options.components,
        variances=options.variances,
        inside=options.inside,
        regions=(region_options or TumorRegionOptions()).as_dict(),
        stride_um=stride_um,
        fraction=fraction,
        seed=seed if fraction < 1 else None,
        tissues=tissues,
        slides=[
            FittedSlide(name=slide.slide, tiles={k: len(v) for k, v in slide.tiles.items()})
            for slide in slides
        ],
    )


def _common_stride(slides: list[SlideDistances]) -> float:
    if not slides:
        raise FeatureError("There is no slide to fit the distance thresholds to.")
    first = slides[0]
    for slide in slides[1:]:
        if abs(slide.stride_um - first.stride_um) > SLACK * first.stride_um:
            raise FeatureError(
                f"Tiles of {slide.slide} are {slide.stride_um:g} µm wide, those of {first.slide} "
                f"{first.stride_um:g} µm. Pool slides that were cut with the same tile size."
            )
    return first.stride_um


def _thresholds(
    distances: NDArray[np.float64], stride_um: float, options: ZoneOptions
) -> TissueThresholds:
    """Fit one tissue; without a usable mixture the thresholds are None and the reason is kept."""
    n = len(distances)
    if n < options.min_fit_tiles:
        few = f"only {n} tile{'s' * (n > 1)} to fit, {options.min_fit_tiles} are needed"
        return TissueThresholds(n=n, reason=few if n else "no tile to fit")
    counted = _counted(distances)
    model: Literal["E", "V", "auto"] = options.variances  # type: ignore[assignment]
    mixture = fit_mixture(counted[0], options.components, model, counted[1])
    note = ""
    if mixture is None and model == "V":
        mixture = fit_mixture(counted[0], options.components, "E", counted[1])
        note = "a variance of model V collapsed (many equal distances), so E was fitted"
    if mixture is None:
        return TissueThresholds(n=n, reason="the distances take too few different values")
    return _described(mixture, fit_mixture(counted[0], 1, "E", counted[1]), stride_um, note)


def _counted(distances: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distinct distances and their counts.

    On a grid the squares are whole numbers, which can be counted instead of sorted.
    """
    squares = np.rint(distances**2)
    countable = distances.min() >= 0 and squares.max() < LARGEST_COUNTED
    if not countable or not np.array_equal(np.sqrt(squares), distances):
        values, counts = np.unique(distances, return_counts=True)
        return values, counts.astype(np.int64)
    counts = np.bincount(squares.astype(np.int64))
    found = np.flatnonzero(counts)
    return np.sqrt(found), counts[found].astype(np.int64)


def _described(
    mixture: Mixture, single: Mixture | None, stride_um: float, note: str
) -> TissueThresholds:
    order = np.argsort(mixture.means, kind="stable")
    ends = zone_ends(mixture)
    notes = [note] if note else []
    if single is not None and single.bic >= mixture.bic:
        notes.append("one group describes the distances as well as several")
    if len(ends) < len(order) - 1:
        notes.append("a component claims no tile")
    described = TissueThresholds(
        n=mixture.n,
        model=mixture.model,
        means_tiles=[float(mixture.means[i]) for i in order],
        sds_tiles=[float(np.sqrt(mixture.variances[i])) for i in order],
        proportions=[float(mixture.proportions[i]) for i in order],
        loglik=mixture.loglik,
        bic=mixture.bic,
        bic_one_component=None if single is None else single.bic,
        note="; ".join(notes),
    )
    if not ends:
        return described.model_copy(update={"reason": "all distances form one group"})
    return described.model_copy(
        update={
            "near_tiles": ends[0],
            "far_tiles": ends[-1],
            "near_um": ends[0] * stride_um,
            "far_um": ends[-1] * stride_um,
        }
    )


def zone_ends(mixture: Mixture) -> list[float]:
    """Where each component but the last ends, components taken in the order of their means.

    The authors' code takes the largest distance of the class. A wide component can claim the far
    tail too, so only distances below the next component's mean are looked at; where the classes
    lie one after the other this changes nothing. Components that claim no tile are passed over.
    """
    order = [i for i in np.argsort(mixture.means, kind="stable") if mixture.class_counts[i]]
    ends: list[float] = []
    for position, following in enumerate(order[1:], start=1):
        nearer = np.isin(mixture.classes, order[:position])
        below = nearer & (mixture.values < mixture.means[following])
        if below.any():
            ends.append(float(mixture.values[below].max()))
    return ends
