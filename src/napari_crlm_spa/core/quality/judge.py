"""From measured numbers to marks: each tile beside the tiles of its own class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED
from napari_crlm_spa.core.quality.marks import QualityMark, TileQuality
from napari_crlm_spa.core.quality.options import QualityOptions
from napari_crlm_spa.core.quality.pixels import Measured
from napari_crlm_spa.core.spatial.interaction import BACKGROUND
from napari_crlm_spa.core.tissue_map import TissueMap

Floats = NDArray[np.float32]

#: A normal distribution's standard deviation over its median absolute deviation.
_NORMAL = 1.4826
#: Spreads below this would make a mark of nothing.
_LEAST_SPREAD = 0.01
#: Optical densities below this are glass.
_LEAST_DENSITY = 0.01


def judge_tiles(found: Measured, tissue_map: TissueMap, options: QualityOptions) -> TileQuality:
    """Set the marks.

    Stroma and mucus look blurred by nature, and lymphocytes dark: blur and fold are therefore
    relative to the tiles of the same class on the same slide. Background is no tissue: it is
    judged for ink only.
    """
    tissue = np.isfinite(found.pen) & ~tissue_map.mask(BACKGROUND)
    sharpness = np.where(tissue, found.sharpness, np.nan).astype(np.float32)
    blur, loss, medians = _blur(sharpness, tissue_map, options)
    fold, beyond = _fold(found.darkness, tissue, tissue_map, options)
    # A tile that reaches beyond the slide was filled up with white, which is no air.
    inside = tissue & ~tissue_map.edge
    pen, air = found.pen, np.where(inside, found.air, np.nan).astype(np.float32)
    signs = {
        QualityMark.BLUR: (blur > options.blur_deviations) & (loss > options.blur_loss),
        QualityMark.PEN: pen > options.pen_share,
        QualityMark.FOLD: (fold > options.fold_ratio) & (beyond > options.fold_deviations),
        QualityMark.AIR: air > options.air_share,
    }
    # Ink is dark, too; one reason is enough.
    signs[QualityMark.FOLD] &= ~signs[QualityMark.PEN]
    marks = np.zeros(tissue_map.shape, np.uint8)
    for mark, there in signs.items():
        marks[there] |= np.uint8(mark)
    return TileQuality(
        marks=marks,
        measured=np.isfinite(found.pen),
        sharpness=sharpness,
        blur=blur,
        pen=pen,
        fold=fold,
        air=air,
        options=options,
        medians=medians,
    )


def _blur(
    sharpness: Floats, tissue_map: TissueMap, options: QualityOptions
) -> tuple[Floats, Floats, dict[str, float]]:
    """Return deviations below the class, log10 loss against it, and the classes' medians.

    The spread is that of the sharper half: a blurred area does not hide itself by widening it.
    """
    deviations, loss = np.full_like(sharpness, np.nan), np.full_like(sharpness, np.nan)
    medians = {}
    everything = sharpness[np.isfinite(sharpness)]
    for name, here in _classes(sharpness, tissue_map):
        own = sharpness[here]
        enough = len(own) >= options.class_tiles_min
        reference = own if enough else everything
        if len(reference) < options.class_tiles_min:
            continue
        median = float(np.median(reference))
        if enough:
            medians[name] = median
        sharper = reference[reference > median] - median
        spread = _NORMAL * float(np.median(sharper)) if sharper.size else 0.0
        loss[here] = median - own
        deviations[here] = loss[here] / max(spread, _LEAST_SPREAD)
    return deviations, loss, medians


def _fold(
    darkness: Floats, tissue: NDArray[np.bool_], tissue_map: TissueMap, options: QualityOptions
) -> tuple[Floats, Floats]:
    """Return the darkness over the class's median, and its deviations (of the logarithm).

    Of the three colors the one that exceeds its usual value least: tissue that lies double
    absorbs twice as much of each, dense nuclei absorb red and spare blue.
    """
    ratio = np.full(tissue.shape, np.nan, np.float32)
    deviations = ratio.copy()
    known = np.where(tissue, darkness[..., 0], np.nan)
    for _, here in _classes(known, tissue_map):
        own = np.log(np.maximum(darkness[here], _LEAST_DENSITY))
        if len(own) < options.class_tiles_min:
            continue
        above = own - np.median(own, axis=0)
        # Of the paler half, for the same reason as in `_blur`.
        spread = _NORMAL * np.nanmedian(np.where(above <= 0, -above, np.nan), axis=0)
        ratio[here] = np.exp(above.min(axis=1))
        deviations[here] = (above / np.maximum(spread, _LEAST_SPREAD)).min(axis=1)
    return ratio, deviations


def _classes(
    values: NDArray[np.floating], tissue_map: TissueMap
) -> list[tuple[str, NDArray[np.bool_]]]:
    """Each class with its tiles of known value."""
    known = np.isfinite(values) & (tissue_map.classes != NOT_CLASSIFIED)
    found = [(name, known & tissue_map.mask(name)) for name in tissue_map.scheme.names]
    return [(name, here) for name, here in found if here.any()]
