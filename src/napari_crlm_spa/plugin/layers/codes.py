"""Class-like maps: one uint8 per tile, with the color and the name of each value.

In the tissue map a tile has its grid code; a tile of which the network is not sure has its code
plus the number of classes, so that it can be gray and still say what it may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core import map_colors
from napari_crlm_spa.core.classes import NOT_CLASSIFIED, ClassScheme
from napari_crlm_spa.core.map_colors import MAP_OPACITY, SURE_STATES, UNSURE_COLOR
from napari_crlm_spa.core.quality import QualityMark, TileQuality
from napari_crlm_spa.core.spatial import Zone
from napari_crlm_spa.core.spatial.definitions import NOUNS
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.plugin.layers.frame import (
    TRANSPARENT,
    LayerData,
    grid_transform,
    metadata_of,
)

TISSUE_TITLE = "Tissue map"
ZONE_COLORS = {Zone.NONE: TRANSPARENT, **map_colors.ZONE_COLORS}

#: Okabe and Ito's, told apart in all common forms of color blindness.
MARK_COLORS: dict[QualityMark, str] = {
    QualityMark.BLUR: "#0072b2",
    QualityMark.PEN: "#009e73",
    QualityMark.FOLD: "#d55e00",
    QualityMark.AIR: "#f0e442",
}
SEVERAL_MARKS_COLOR = "#000000"


@dataclass(frozen=True, slots=True, eq=False)
class CodeMap:
    """A class-like map, ready to be shown.

    Parameters
    ----------
    title
        What it shows; the start of the layer's name.
    codes
        Shape (rows, cols), uint8; it may be the tissue map's own array.
    colors
        Of each code.
    words
        Column of the status bar, and the name of each code.
    key
        (color, name) of what is worth a legend of its own.
    """

    title: str
    codes: NDArray[np.uint8]
    colors: dict[int | None, str]
    words: tuple[str, dict[int, str]]
    key: tuple[tuple[str, str], ...] = ()

    @property
    def features(self) -> dict[str, list[Any]]:
        """The table by which napari's status bar names a code."""
        column, names = self.words
        return {"index": list(names), column: list(names.values())}


def code_layer(shown: CodeMap, tissue_map: TissueMap, slide: str, stem: str) -> LayerData:
    """Describe a class-like map as a Labels layer, 1 pixel = 1 tile."""
    kwargs = {
        "name": layer_name(shown.title, stem),
        "opacity": MAP_OPACITY,
        "colormap": shown.colors,
        "features": shown.features,
        **grid_transform(tissue_map),
        "metadata": metadata_of("tissue_map", slide),
    }
    return shown.codes, kwargs, "labels"


def layer_name(title: str, stem: str) -> str:
    """Name a layer; napari cuts a long name in its middle, so what it shows comes first."""
    return f"{title} · {stem}"


def tissue_map_layer(tissue_map: TissueMap, slide: str, stem: str) -> LayerData:
    """Describe the tissue map as one Labels layer.

    The layer shares the map's array: write into the map, refresh the layer.
    """
    return code_layer(tissue_codes(tissue_map, tissue_map.scheme), tissue_map, slide, stem)


def tissue_codes(
    tissue_map: TissueMap,
    scheme: ClassScheme,
    hidden: frozenset[str] = frozenset(),
    unsure: NDArray[np.bool_] | None = None,
) -> CodeMap:
    """Describe the tissue map.

    Parameters
    ----------
    tissue_map
        The map.
    scheme
        Its classes in the palette to be used.
    hidden
        Classes that are transparent.
    unsure
        Shape (rows, cols): tiles that are gray; None if there are none.
    """
    codes = tissue_map.classes
    if unsure is not None and unsure.any():
        codes = codes + unsure * np.uint8(len(scheme))
    names = {NOT_CLASSIFIED: "not classified"}
    for tissue in scheme.classes:
        names[scheme.code(tissue.name)] = tissue.title
    for tissue in scheme.classes:
        names[scheme.code(tissue.name) + len(scheme)] = f"{tissue.title}, unsure"
    colors = class_colors(scheme, hidden)
    return CodeMap(TISSUE_TITLE, codes, colors, ("tissue", names))


def class_colors(
    scheme: ClassScheme, hidden: frozenset[str] = frozenset()
) -> dict[int | None, str]:
    """Color of each code; not classified, unknown and `hidden` classes are transparent."""
    colors: dict[int | None, str] = {None: TRANSPARENT, NOT_CLASSIFIED: TRANSPARENT}
    for tissue in scheme.classes:
        code, shown = scheme.code(tissue.name), tissue.name not in hidden
        colors[code] = tissue.color if shown else TRANSPARENT
        colors[code + len(scheme)] = UNSURE_COLOR if shown else TRANSPARENT
    return colors


def unsure_tiles(
    tissue_map: TissueMap, confidence: NDArray[np.floating], min_probability: float
) -> NDArray[np.bool_]:
    """Tiles whose likeliest class is less probable than that, shape (rows, cols).

    What a reader has corrected or accepted is sure; what is not counted is neither.
    """
    unsure = (confidence < min_probability) & (tissue_map.classes != NOT_CLASSIFIED)
    for state in SURE_STATES:
        unsure &= tissue_map.state != state
    return unsure


def noun(tissue: str) -> str:
    """Name a tissue in a word."""
    return NOUNS[tissue].partition(" (")[0].capitalize()


def zone_codes(zone: NDArray[np.uint8], tissue: str) -> CodeMap:
    """Describe where one tissue infiltrates the tumor, is next to it, or far from it."""
    names = {int(each): each.name.lower() for each in Zone}
    return CodeMap(
        f"{noun(tissue)}, zones",
        zone,
        {None: TRANSPARENT} | {int(each): color for each, color in ZONE_COLORS.items()},
        ("zone", names),
        zone_key(bool((zone == Zone.ADJACENT).any())),
    )


def zone_key(adjacent: bool) -> tuple[tuple[str, str], ...]:
    """Colors and names of the zones; the one in the middle only where it is used."""
    shown: Sequence[Zone] = [each for each in Zone if each != Zone.NONE]
    return tuple(
        (ZONE_COLORS[each], each.name.lower())
        for each in shown
        if adjacent or each != Zone.ADJACENT
    )


def quality_codes(quality: TileQuality) -> CodeMap:
    """Describe which tiles are blurred, penned, folded or empty; the others are clear."""
    names = {0: "no mark"}
    colors: dict[int | None, str] = {None: TRANSPARENT, 0: TRANSPARENT}
    for flags in range(1, 2 * max(QualityMark)):
        mark = QualityMark(flags)
        names[flags] = mark.title
        colors[flags] = MARK_COLORS.get(mark, SEVERAL_MARKS_COLOR)
    return CodeMap("Quality marks", quality.marks, colors, ("quality", names))


def quality_key(quality: TileQuality) -> tuple[tuple[str, str], ...]:
    """Colors and names of the marks, with how many tiles have them."""
    single = [
        (MARK_COLORS[mark], f"{mark.title} {tiles:,}") for mark, tiles in quality.counts().items()
    ]
    n_marks = np.sum([quality.has(mark) for mark in QualityMark], axis=0)
    several = int(np.count_nonzero(n_marks > 1))
    return (*single, (SEVERAL_MARKS_COLOR, f"several {several:,}"))
