"""The masks that the interface lies between: lesion bodies and the liver that is kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_crlm_spa.core.classes import ClassScheme
from napari_crlm_spa.core.spatial.interface.options import PAPER_TILE_UM, InterfaceOptions
from napari_crlm_spa.core.spatial.regions import EIGHT, FOUR, TUMOR

#: What a lesion is made of: living tumor, and what tumor leaves behind.
LESION = (TUMOR, "MUC", "DEB")
LIVER = "HEP"
RIM = ("STR", "LYM")


@dataclass(frozen=True, slots=True, eq=False)
class Bodies:
    """Lesion bodies, the largest first.

    Parameters
    ----------
    labels
        Shape (rows, cols), int32: 0 outside, k in the k-th lesion.
    tumor_tiles
        Living tumor tiles of each, shape (n,).
    small
        How many lesions were left out for having too few.
    """

    labels: NDArray[np.int32]
    tumor_tiles: NDArray[np.int64]
    small: int

    def __len__(self) -> int:
        return len(self.tumor_tiles)


def mask_of(classes: NDArray[np.uint8], scheme: ClassScheme, *names: str) -> NDArray[np.bool_]:
    """Tiles of any of the named classes, shape (rows, cols); unknown classes have none."""
    codes = [scheme.code(name) for name in names if name in scheme.names]
    return np.isin(classes, codes)


def retained_liver(
    hepatocytes: NDArray[np.bool_], stride_um: float, options: InterfaceOptions
) -> NDArray[np.bool_]:
    """Drop specks of liver: hepatocytes in areas of at least `min_liver_mm2`."""
    labels, n_labels = _label(hepatocytes, EIGHT)
    sizes = np.bincount(labels.ravel(), minlength=n_labels + 1)
    keep = sizes * (stride_um / 1000) ** 2 >= options.min_liver_mm2
    keep[0] = False
    return keep[labels]


def filled_liver(
    liver: NDArray[np.bool_],
    bodies: NDArray[np.bool_],
    stride_um: float,
    options: InterfaceOptions,
) -> NDArray[np.bool_]:
    """Fill the small holes of the liver: a portal field or a vein is no capsule.

    A gap between liver and a lesion is no hole, however small: it hangs together with the lesion.
    """
    labels, n_labels = _label(~liver, FOUR)
    sizes = np.bincount(labels.ravel(), minlength=n_labels + 1)
    fill = sizes * (stride_um / 1000) ** 2 < options.fill_liver_mm2
    fill[0] = False
    fill[np.unique(labels[bodies])] = False
    return liver | fill[labels]


def lesion_bodies(
    classes: NDArray[np.uint8],
    scheme: ClassScheme,
    liver: NDArray[np.bool_],
    stride_um: float,
    options: InterfaceOptions,
) -> Bodies:
    """Join tumor, mucus and debris to lesions.

    Gaps are closed and holes filled unless liver is kept in them; the closing doesn't swallow kept
    liver either, so two lesions with liver between them stay two.

    Parameters
    ----------
    classes, scheme
        Cleaned codes, shape (rows, cols), and what they mean.
    liver
        What `retained_liver` returns.
    stride_um
        Distance of neighboring tiles in micrometers.
    options
        Closing radius, smallest lesion.
    """
    tumor = mask_of(classes, scheme, TUMOR)
    mask = _closed(mask_of(classes, scheme, *LESION), options.closing_um / stride_um) & ~liver
    mask = _without_empty_holes(mask, liver)
    labels, n_labels = _label(mask, EIGHT)
    tumor_tiles = np.bincount(labels[tumor & mask], minlength=n_labels + 1)[1:]
    least = options.min_tumor_tiles * (PAPER_TILE_UM / stride_um) ** 2
    kept = np.flatnonzero(tumor_tiles >= least)
    kept = kept[np.argsort(-tumor_tiles[kept], kind="stable")]
    renumber = np.zeros(n_labels + 1, np.int32)
    renumber[kept + 1] = np.arange(1, len(kept) + 1, dtype=np.int32)
    small = int(np.count_nonzero(tumor_tiles)) - len(kept)
    return Bodies(renumber[labels], tumor_tiles[kept].astype(np.int64), small)


def _closed(mask: NDArray[np.bool_], radius_tiles: float) -> NDArray[np.bool_]:
    """Close with a disc; nothing beyond the grid's border is tissue."""
    if radius_tiles < 1 or not mask.any():
        return mask
    beside = 2 * int(radius_tiles) + 1
    grown = _grown(np.pad(mask, beside), radius_tiles)
    # A tile stays if no tile outside is within the radius.
    shrunk = ~_grown(~grown, radius_tiles)
    return shrunk[beside:-beside, beside:-beside] | mask


def _grown(mask: NDArray[np.bool_], radius_tiles: float) -> NDArray[np.bool_]:
    """Dilate with a disc: rows of the disc, the shortest first, each moved to its place."""
    reach = int(radius_tiles)
    wide, width = mask.copy(), 0
    out = np.zeros_like(mask)
    for row in range(reach, -1, -1):
        while (width + 1) ** 2 + row**2 <= radius_tiles**2:
            width += 1
            wide[:, width:] |= mask[:, :-width]
            wide[:, :-width] |= mask[:, width:]
        out[row:] |= wide[: len(wide) - row]
        out[: len(out) - row] |= wide[row:]
    return out


def _without_empty_holes(mask: NDArray[np.bool_], liver: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if not mask.any():
        return mask
    labels, n_labels = _label(~mask, FOUR)
    keep = np.zeros(n_labels + 1, bool)
    for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        keep[side] = True
    keep[labels[liver]] = True
    keep[0] = False
    return ~keep[labels]


def _label(mask: NDArray[np.bool_], structure: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    labels = np.zeros(mask.shape, np.int32)
    n_labels = ndimage.label(mask, structure, output=labels)
    return labels, int(n_labels)
