"""The mixture lens: where the line between infiltrating and distal lies, and moving it by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_crlm_spa.core.spatial import (
    TISSUES,
    MixtureModel,
    SpatialFeatures,
    ZoneOptions,
    fitted_distances,
)
from napari_crlm_spa.core.spatial.distance import signed_distance_tiles
from napari_crlm_spa.core.spatial.mixture_model import TissueThresholds
from napari_crlm_spa.errors import ReviewError

MOVED = "moved by hand"
#: Points of a curve per bin of the histogram.
POINTS_PER_BIN = 4


@dataclass(frozen=True, slots=True, eq=False)
class LensData:
    """The distances of a tissue's tiles, and the mixture that splits them.

    Parameters
    ----------
    tissue
        Short class name.
    edges_um
        Bin edges, shape (bins + 1,).
    counts
        Tiles per bin, shape (bins,).
    curve_um
        Where the curves are given, shape (m,).
    curves
        Density of each component, nearest first, in tiles per bin, shape (components, m); no
        component if none was fitted.
    near_um, far_um
        The thresholds in use; None where none is known.
    n_tiles
        Tiles in the histogram.
    inside_tiles
        Tiles in the tumor regions, which are infiltrating anyway and not in the histogram.
    note
        What is to be known of the thresholds: moved by hand, or why there are none.
    """

    tissue: str
    edges_um: NDArray[np.float64]
    counts: NDArray[np.int64]
    curve_um: NDArray[np.float64]
    curves: NDArray[np.float64]
    near_um: float | None
    far_um: float | None
    n_tiles: int
    inside_tiles: int
    note: str

    def as_frame(self) -> pd.DataFrame:
        """Return one row per bin: its edges in µm, tiles, and each component's tiles."""
        centers = (self.edges_um[:-1] + self.edges_um[1:]) / 2
        table = {"from_um": self.edges_um[:-1], "to_um": self.edges_um[1:], "tiles": self.counts}
        for number, curve in enumerate(self.curves, start=1):
            table[f"component_{number}"] = np.interp(centers, self.curve_um, curve)
        return pd.DataFrame(table)


def lens_data(features: SpatialFeatures, tissue: str, bin_um: float | None = None) -> LensData:
    """Gather what the lens shows of one tissue.

    Parameters
    ----------
    features
        The SOFs under the thresholds in use.
    tissue
        One of `TISSUES`.
    bin_um
        Width of a bin; the side of a tile if None.

    Raises
    ------
    ReviewError
        If it isn't one of the five tissues, or the width isn't positive.
    """
    _require_tissue(tissue)
    tissue_map, mixture = features.tissue_map, features.mixture
    width = tissue_map.stride_um if bin_um is None else bin_um
    if not (math.isfinite(width) and width > 0):
        raise ReviewError(f"A bin of {width} µm cannot be drawn; choose a width above 0.")
    rule = ZoneOptions(inside=mixture.inside)
    measured = (
        signed_distance_tiles(features.regions)
        if mixture.inside == "signed"
        else features.distance_tiles
    )
    found = fitted_distances(tissue_map, features.regions, rule, distances=measured).tiles
    distances = found.get(tissue, np.empty(0)) * tissue_map.stride_um
    inside = 0
    if mixture.inside == "infiltrating" and tissue in tissue_map.scheme.names:
        inside = int(np.count_nonzero(features.regions.mask & tissue_map.mask(tissue)))
    edges = _edges(distances, width)
    curve_um = np.linspace(edges[0], edges[-1], POINTS_PER_BIN * (len(edges) - 1) + 1)
    thresholds = mixture.tissues.get(tissue) or TissueThresholds(n=0, reason="it was not fitted")
    near, far = (
        limit * tissue_map.stride_um for limit in mixture.limits(tissue, tissue_map.stride_um)
    )
    return LensData(
        tissue=tissue,
        edges_um=edges,
        counts=np.histogram(distances, edges)[0].astype(np.int64),
        curve_um=curve_um,
        curves=_curves(thresholds, mixture.stride_um, curve_um, len(distances) * width),
        near_um=None if math.isnan(near) else near,
        far_um=None if math.isnan(far) else far,
        n_tiles=len(distances),
        inside_tiles=inside,
        note="; ".join(text for text in (thresholds.note, thresholds.reason) if text),
    )


def moved_threshold(
    mixture: MixtureModel, tissue: str, near_um: float, far_um: float | None = None
) -> MixtureModel:
    """Return the thresholds with one tissue's moved by hand; the note of the tissue says so.

    Parameters
    ----------
    mixture
        The thresholds in use.
    tissue
        One of `TISSUES`.
    near_um
        The largest distance that is to be infiltrating.
    far_um
        The largest that is not to be distal. Ignored with two groups, where both are the same;
        with three, as it was (but not below `near_um`) if None.

    Raises
    ------
    ReviewError
        If the tissue or a threshold makes no sense.
    """
    _require_tissue(tissue)
    before = mixture.tissues.get(tissue) or TissueThresholds(n=0)
    far = near_um if mixture.components == 2 else far_um
    if far is None:
        far = max(near_um, near_um if before.far_um is None else before.far_um)
    lowest = -math.inf if mixture.inside == "signed" else 0.0
    if not (math.isfinite(near_um) and math.isfinite(far) and lowest <= near_um <= far):
        raise ReviewError(
            f"{tissue} cannot be split at {near_um:g} and {far:g} µm: a distance is at least 0, "
            "and the near threshold is not beyond the far one. Move the line within the figure."
        )
    was = "none" if before.near_um is None else f"{before.near_um:g} µm"
    old_note = before.note.split(f"{MOVED} from ")
    if len(old_note) > 1:  # moved before: what it was first still counts
        was = old_note[1].split(" to ")[0]
    first = old_note[0].rstrip("; ")
    note = "; ".join(part for part in (first, f"{MOVED} from {was} to {near_um:g} µm") if part)
    changed = before.model_copy(
        update={
            "near_um": near_um,
            "far_um": far,
            "near_tiles": near_um / mixture.stride_um,
            "far_tiles": far / mixture.stride_um,
            "note": note,
            "reason": "",
        }
    )
    return _with(mixture, tissue, changed)


def snapped_back(mixture: MixtureModel, fitted: MixtureModel, tissue: str) -> MixtureModel:
    """Return the thresholds with one tissue's as they were fitted.

    Parameters
    ----------
    mixture
        The thresholds in use.
    fitted
        Those of the analysis.
    tissue
        One of `TISSUES`.
    """
    _require_tissue(tissue)
    return _with(mixture, tissue, fitted.tissues.get(tissue))


def is_moved(mixture: MixtureModel, tissue: str | None = None) -> bool:
    """Whether a tissue's threshold, or any, was moved by hand."""
    found = mixture.tissues.values() if tissue is None else [mixture.tissues.get(tissue)]
    return any(each is not None and MOVED in each.note for each in found)


def _with(mixture: MixtureModel, tissue: str, changed: TissueThresholds | None) -> MixtureModel:
    tissues = {name: each for name, each in mixture.tissues.items() if name != tissue}
    if changed is not None:
        tissues[tissue] = changed
    order = [*TISSUES, *mixture.tissues]
    ordered = {name: tissues[name] for name in dict.fromkeys(order) if name in tissues}
    return mixture.model_copy(update={"tissues": ordered})


def _require_tissue(tissue: str) -> None:
    if tissue not in TISSUES:
        raise ReviewError(
            f"{tissue} is not split by its distance to the tumor; {', '.join(TISSUES)} are."
        )


def _edges(distances: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Bin edges at half widths, so that whole numbers of tiles lie in the middle of a bin."""
    low, high = (distances.min(), distances.max()) if len(distances) else (0.0, width)
    first, last = math.floor(low / width + 0.5), math.floor(high / width + 0.5)
    return (np.arange(first, last + 2) - 0.5) * width


def _curves(
    thresholds: TissueThresholds, stride_um: float, at_um: NDArray[np.float64], scale: float
) -> NDArray[np.float64]:
    """Give normal densities x proportion x `scale` (tiles x bin width in µm), per component."""
    means = np.array(thresholds.means_tiles) * stride_um
    sds = np.array(thresholds.sds_tiles) * stride_um
    shares = np.array(thresholds.proportions)
    if not len(means):
        return np.empty((0, len(at_um)))
    z = (at_um[None] - means[:, None]) / sds[:, None]
    density = np.exp(-0.5 * z**2) / (sds[:, None] * math.sqrt(2 * math.pi))
    curves: NDArray[np.float64] = shares[:, None] * density * scale
    return curves
