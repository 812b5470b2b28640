"""What lies on the slide in a figure: classes with a legend, or numbers with a color bar."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core import map_colors
from napari_crlm_spa.core.map_colors import SURE_STATES, UNSURE_COLOR, ZONE_COLORS, Scale
from napari_crlm_spa.core.report.contents import BACKGROUND
from napari_crlm_spa.core.report.figure.options import FigureOptions
from napari_crlm_spa.core.report.figure.scales import colormap_of
from napari_crlm_spa.core.report.rasters import rgb_of
from napari_crlm_spa.core.spatial import SpatialFeatures, Zone
from napari_crlm_spa.core.spatial.definitions import NOUNS
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import FeatureError, ReviewError


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """One value of a class-like map: what it means, its color, whether shares count it."""

    code: int
    name: str
    title: str
    color: str
    counted: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class CodeMap:
    """A class-like map.

    Parameters
    ----------
    title
        What it shows.
    codes
        Shape (rows, cols), uint8; values without an entry are clear.
    entries
        In the order of the legend.
    whole
        What the shares are of, in words.
    """

    title: str
    codes: NDArray[np.uint8]
    entries: tuple[CodeEntry, ...]
    whole: str = "tissue"
    warning: str = ""

    def rgba(self) -> NDArray[np.uint8]:
        """Color every tile, shape (rows, cols, 4)."""
        colors = np.zeros((256, 4), np.uint8)
        for entry in self.entries:
            colors[entry.code] = (*rgb_of(entry.color), 255)
        found: NDArray[np.uint8] = colors[self.codes]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """Numbers per tile.

    Parameters
    ----------
    title
        What it shows.
    values
        Shape (rows, cols), float; nan is clear.
    scale
        Their colors.
    """

    title: str
    values: NDArray[np.floating]
    scale: Scale

    @property
    def warning(self) -> str:
        """What has to stand beside it."""
        return self.scale.warning

    def rgba(self) -> NDArray[np.uint8]:
        """Color every tile, shape (rows, cols, 4)."""
        share = (self.values - self.scale.low) / (self.scale.high - self.scale.low)
        known = ~np.isnan(share)
        out = np.zeros((*share.shape, 4), np.uint8)
        out[known] = colormap_of(self.scale)(np.clip(share[known], 0, 1), bytes=True)
        return out


FigureMap = CodeMap | HeatMap


def map_of(
    tissue_map: TissueMap,
    features: SpatialFeatures | None,
    options: FigureOptions,
    hidden: Collection[str] = (),
) -> FigureMap | None:
    """Return the map that the options name; None for the bare slide.

    Parameters
    ----------
    tissue_map
        The classes.
    features
        Needed for the maps zones, interaction and distance.
    options
        Which map, which tissue, which colors.
    hidden
        Names of classes that the tissue map leaves out.

    Raises
    ------
    FeatureError
        If the map needs features and there are none.
    ReviewError
        If `hidden` names no class.
    """
    kind = options.kind
    if kind == "none":
        return None
    if kind == "tissue":
        return _tissue(tissue_map, options, hidden)
    if kind == "confidence":
        return HeatMap("Confidence", tissue_map.confidence(), map_colors.CONFIDENCE)
    if kind == "entropy":
        return HeatMap("Entropy", tissue_map.entropy(), map_colors.ENTROPY)
    if kind == "strangeness":
        values = tissue_map.strangeness.astype(np.float32)
        return HeatMap("Strangeness", values, map_colors.STRANGENESS)
    if features is None:
        raise FeatureError(
            f"The map {kind} needs the spatial features, which this slide has not. Choose the "
            "tissue map, or analyze the slide again."
        )
    noun = NOUNS[options.tissue]
    if kind == "zones":
        return _zones(features, options.tissue)
    if kind == "interaction":
        share = features.interaction_maps()[options.tissue]
        return HeatMap(f"Tumor with {noun}", share, map_colors.INTERACTION)
    far = np.where(tissue_map.classes > 0, features.distance_um / 1000, np.nan)
    far[~np.isfinite(far)] = np.nan
    return HeatMap("Distance to tumor", far, map_colors.DISTANCE)


def _tissue(tissue_map: TissueMap, options: FigureOptions, hidden: Collection[str]) -> CodeMap:
    scheme = tissue_map.scheme.in_palette(options.palette)
    if unknown := [name for name in hidden if name not in scheme.names]:
        raise ReviewError(
            f"There is no class {', '.join(unknown)} to hide; there are {', '.join(scheme.names)}."
        )
    classes = sorted(scheme.classes, key=lambda tissue: tissue.name == BACKGROUND)
    entries = [
        CodeEntry(
            scheme.code(tissue.name),
            tissue.name,
            tissue.title,
            tissue.color,
            counted=tissue.name != BACKGROUND,
        )
        for tissue in classes
        if tissue.name not in hidden
    ]
    codes = tissue_map.classes
    if options.min_probability > 0:
        sure = np.isin(tissue_map.state, SURE_STATES)
        unsure = (codes > 0) & ~sure & ~(tissue_map.confidence() >= options.min_probability)
        unsure &= np.isin(codes, [entry.code for entry in entries])
        codes = np.where(unsure, np.uint8(len(scheme) + 1), codes)
        title = f"Unsure (below {options.min_probability:g})"
        entries.append(CodeEntry(len(scheme) + 1, "unsure", title, UNSURE_COLOR))
    return CodeMap("Tissue", codes, tuple(entries))


def _zones(features: SpatialFeatures, tissue: str) -> CodeMap:
    zones = [Zone.INFILTRATING, Zone.ADJACENT, Zone.DISTAL]
    if features.mixture.components == 2:
        zones.remove(Zone.ADJACENT)
    entries = tuple(
        CodeEntry(zone.value, zone.name.lower(), zone.name.capitalize(), ZONE_COLORS[zone])
        for zone in zones
    )
    noun = NOUNS[tissue]
    title = f"{noun[0].upper()}{noun[1:]}, near and far"
    return replace(CodeMap(title, features.zone_masks()[tissue], entries), whole=f"the {noun}")
