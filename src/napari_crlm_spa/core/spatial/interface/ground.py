"""What an outline is judged by: the cleaned map, its lesions and its liver."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_crlm_spa.core.classes import NOT_CLASSIFIED, ClassScheme
from napari_crlm_spa.core.spatial.interaction import BACKGROUND
from napari_crlm_spa.core.spatial.interface.clean import cleaned
from napari_crlm_spa.core.spatial.interface.nearest import NearestTile
from napari_crlm_spa.core.spatial.interface.options import InterfaceOptions
from napari_crlm_spa.core.spatial.interface.tissue import (
    LIVER,
    RIM,
    Bodies,
    filled_liver,
    lesion_bodies,
    mask_of,
    retained_liver,
)
from napari_crlm_spa.core.spatial.regions import FOUR, TUMOR
from napari_crlm_spa.core.tissue_map import TissueMap

#: Tiles of nothing on each side of the map.
MARGIN = 1


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What outlines are judged by.

    All arrays have shape (rows + 2, cols + 2): around the map lies a tile of nothing, so what
    leads off the grid leads off the tissue.

    Parameters
    ----------
    bodies
        The lesions.
    body, liver, tumor
        All lesions; kept liver with its holes filled; living tumor inside lesions.
    body_edge
        Tiles of lesions beside other tiles.
    off_tissue
        Tiles without a class, or of background.
    rim
        Stroma and lymphocytes by class name.
    nearest_liver, nearest_tumor
        Find the nearest tile within the options' reach.
    """

    bodies: Bodies
    body: NDArray[np.bool_]
    body_edge: NDArray[np.bool_]
    liver: NDArray[np.bool_]
    tumor: NDArray[np.bool_]
    off_tissue: NDArray[np.bool_]
    rim: dict[str, NDArray[np.bool_]] = field(repr=False)
    nearest_liver: NearestTile
    nearest_tumor: NearestTile


def without_margin(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Cut an array of a ground back to the map's shape."""
    return mask[MARGIN:-MARGIN, MARGIN:-MARGIN]


def prepare(tissue_map: TissueMap, options: InterfaceOptions) -> Ground:
    """Clean a map and find lesions and liver on it.

    Raises
    ------
    ModelError
        If the class scheme has no tumor class.
    """
    stride, scheme = tissue_map.stride_um, tissue_map.scheme
    scheme.code(TUMOR)
    classes = np.pad(cleaned(tissue_map, options), MARGIN, constant_values=NOT_CLASSIFIED)
    liver = retained_liver(mask_of(classes, scheme, LIVER), stride, options)
    bodies = lesion_bodies(classes, scheme, liver, stride, options)
    body = bodies.labels > 0
    liver = filled_liver(liver, body, stride, options)
    tumor = mask_of(classes, scheme, TUMOR) & body
    return Ground(
        bodies=bodies,
        body=body,
        body_edge=body & ~ndimage.binary_erosion(body, FOUR),
        liver=liver,
        tumor=tumor,
        off_tissue=_off_tissue(classes, scheme),
        rim={name: mask_of(classes, scheme, name) for name in RIM},
        nearest_liver=NearestTile(liver, options.max_liver_um / stride),
        nearest_tumor=NearestTile(tumor, options.max_tumor_depth_um / stride),
    )


def _off_tissue(classes: NDArray[np.uint8], scheme: ClassScheme) -> NDArray[np.bool_]:
    off: NDArray[np.bool_] = classes == NOT_CLASSIFIED
    return off | mask_of(classes, scheme, BACKGROUND)
