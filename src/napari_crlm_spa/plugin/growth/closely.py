"""What a closer look at a slide's interface looks at, as `hgp measure --front-band` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_crlm_spa.core.review import Review, reader_folder

if TYPE_CHECKING:
    from napari_crlm_spa.core.pipeline.front_band import FrontSource
    from napari_crlm_spa.plugin.session import OpenSlide


def front_source(slide: OpenSlide, review: Review) -> FrontSource:
    """Say what is looked at; the band of a corrected map is kept in its reader's folder.

    Parameters
    ----------
    slide
        The slide.
    review
        Of it; nobody changes it meanwhile (see `still`).
    """
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
