"""A closer look at a slide's interface: `hgp measure --front-band` for the dock."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.review import Review, reader_folder
from napari_crlm_spa.core.spatial.interface import InterfaceOptions
from napari_crlm_spa.plugin import engine

if TYPE_CHECKING:
    from napari_crlm_spa.core.pipeline.front_band import FrontSource
    from napari_crlm_spa.core.pipeline.front_plan import FrontBandOptions
    from napari_crlm_spa.core.store.front_file import FrontBand
    from napari_crlm_spa.plugin.session import OpenSlide


def look_closely(
    slide: OpenSlide, review: Review, options: FrontBandOptions, interface: InterfaceOptions
) -> Generator[Progress, None, FrontBand]:
    """Classify the surroundings of the interface; the stored band, if it is still of this map.

    Parameters
    ----------
    slide
        The slide.
    review
        Of it; nobody changes it meanwhile (see `still`).
    options
        Stride and width of the band.
    interface
        How the interface is found.

    Raises
    ------
    CrlmSpaError
        As `classify_front_band`.
    """
    return (yield from engine.look_closely(front_source(slide, review), options, interface))


def front_source(slide: OpenSlide, review: Review) -> FrontSource:
    """Say what is looked at; the band of a corrected map is kept in its reader's folder."""
    from napari_crlm_spa.core.pipeline.front_band import FrontSource

    folder, seen, predicted = review.analysis.folder, review.tissue_map, review.predicted
    as_classified = np.array_equal(seen.classes, predicted.classes) and np.array_equal(
        seen.state, predicted.state
    )
    return FrontSource(
        folder=folder,
        tissue_map=seen,
        run=review.analysis.run,
        place=folder if as_classified else reader_folder(folder, review.reader),
        reader="" if as_classified else review.reader,
        slide=slide.path,
    )
