"""What a reader should know of an interface, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.spatial.interface.clean import cleaning_used
from napari_crlm_spa.core.spatial.interface.detection import detection_words
from napari_crlm_spa.core.spatial.interface.options import InterfaceOptions
from napari_crlm_spa.core.spatial.interface.summary import InterfaceSummary
from napari_crlm_spa.core.spatial.interface.tissue import LIVER, Bodies
from napari_crlm_spa.core.tissue_map import TissueMap

_MOSTLY_LYMPHOCYTES = 0.5


def no_interface(
    tissue_map: TissueMap,
    bodies: Bodies,
    liver: NDArray[np.bool_],
    options: InterfaceOptions,
) -> tuple[str, ...]:
    """Say why there is nothing to measure; empty if there is something."""
    if LIVER not in tissue_map.scheme.names:
        return _one(
            "No call: the classifier does not know liver. Choose a model with liver cells "
            "(class HEP) among its tissues."
        )
    if not len(bodies):
        return _one(
            f"No call: there is no lesion with at least {options.min_tumor_tiles} living tumor "
            "tiles of 112 µm (or as much area). Choose a slide with more tumor."
        )
    if not liver.any():
        return _one(
            f"No call: there is no liver of at least {options.min_liver_mm2:g} mm² on this slide. "
            "Choose a slide that shows the tumor's border with the liver."
        )
    return ()


def notes(
    tissue_map: TissueMap,
    summary: InterfaceSummary,
    bodies: Bodies,
    options: InterfaceOptions,
    *,
    slides_of_patient: int | None,
    pretreated: bool | None,
) -> Iterator[str]:
    """Yield sentences on what the numbers rest on.

    `slides_of_patient` and `pretreated` are what is known of the patient.
    """
    yield detection_words(tissue_map.stride_um)
    how = cleaning_used(tissue_map, options)
    if how == "none":
        yield "Stray tiles were left: single wrong ones then look like contact."
    if bodies.small:
        yield (
            f"{bodies.small} smaller tumor area{'s' * (bodies.small > 1)} with fewer than "
            f"{options.min_tumor_tiles} tiles (of 112 µm) left out."
        )
    if summary.pct_D and summary.rim_lymphocyte_share > _MOSTLY_LYMPHOCYTES:
        yield (
            f"{summary.rim_lymphocyte_share:.0%} of the rim is lymphocytes: without collagen "
            "such a band need not be desmoplastic, so look at it."
        )
    yield from patient_notes(slides_of_patient, pretreated)


def patient_notes(slides_of_patient: int | None, pretreated: bool | None) -> Iterator[str]:
    """Yield what weakens any call of a patient; None is not known and says nothing."""
    if slides_of_patient == 1:
        yield (
            "One slide of this patient: two blocks agree better with the whole lesion "
            "(Höppener et al. 2019)."
        )
    if pretreated:
        yield "Treated before surgery: chemotherapy raises the desmoplastic share."


def _one(sentence: str) -> tuple[str, ...]:
    return (sentence,)
