"""What an outline is judged by: the cleaned map, its lesions and its liver."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

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
from napari_crlm_spa.core.spatial.regions import TUMOR
from napari_crlm_spa.core.tissue_map import TissueMap


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What outlines are judged by; all arrays have shape (rows, cols).

    Parameters
    ----------
    bodies
        The lesions.
    body, liver, tumor
        All lesions; kept liver with its holes filled; living tumor inside lesions.
    off_tissue
        Tiles without a class, or of background.
    rim
        Stroma and lymphocytes by class name.
    nearest_liver, nearest_tumor
        Find the nearest tile within the options' reach.
    """

    bodies: Bodies
    body: NDArray[np.bool_]
    liver: NDArray[np.bool_]
    tumor: NDArray[np.bool_]
    off_tissue: NDArray[np.bool_]
    rim: dict[str, NDArray[np.bool_]] = field(repr=False)
    nearest_liver: NearestTile
    nearest_tumor: NearestTile

    def mask(self, name: str) -> NDArray[np.bool_]:
        """Tiles of a class of the rim."""
        return self.rim[name]


def prepare(tissue_map: TissueMap, options: InterfaceOptions) -> Ground:
    """Clean a map and find lesions and liver on it.

    Raises
    ------
    ModelError
        If the class scheme has no tumor class.
    """
    stride, scheme = tissue_map.stride_um, tissue_map.scheme
    scheme.code(TUMOR)
    classes = cleaned(tissue_map, options)
    liver = retained_liver(mask_of(classes, scheme, LIVER), stride, options)
    bodies = lesion_bodies(classes, scheme, liver, stride, options)
    body = bodies.labels > 0
    liver = filled_liver(liver, body, stride, options)
    tumor = mask_of(classes, scheme, TUMOR) & body
    return Ground(
        bodies=bodies,
        body=body,
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
