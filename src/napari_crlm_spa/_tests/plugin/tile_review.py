"""A session with a slide under review, for tests of the tile table and of the tabs."""

from pathlib import Path

import numpy as np

from napari_crlm_spa._tests.plugin.conftest import make_analysis
from napari_crlm_spa.core.quality import QualityMark, QualityOptions, TileQuality
from napari_crlm_spa.core.slide import SlideInfo, SlideLevel
from napari_crlm_spa.plugin.session import Session


def reviewed(folder, name="slide", session=None):
    """A session whose current slide carries the known map."""
    session = session or Session()
    analysis = make_analysis(Path(folder) / name)
    info = SlideInfo(
        path=Path(f"{name}.tif"),
        vendor="drawn",
        decoder="none",
        levels=(SlideLevel(700, 600, 1.0),),
        pixel_size=None,
        bounds_xy0=(0, 0, 700, 600),
        objective_power=None,
        icc_profile=False,
        associated_images=(),
        fingerprint="f",
    )
    session.add_slide(name, info)
    session.show_analysis(session.current, analysis)
    return session


def quality_with(marks):
    """Quality of the known map with these marks, every number its tile's place."""
    marks = np.asarray(marks, np.uint8)
    numbers = [np.arange(marks.size, dtype=np.float32).reshape(marks.shape) + k for k in range(5)]
    return TileQuality(marks, np.ones(marks.shape, bool), *numbers, QualityOptions(), {})


def some_marks(shape):
    """Marks at known tiles: two blurred tumor tiles, one of them penned; one of air in liver."""
    marks = np.zeros(shape, np.uint8)
    marks[6, 7] = QualityMark.BLUR
    marks[6, 8] = QualityMark.BLUR | QualityMark.PEN
    marks[0, 0] = QualityMark.AIR
    return marks
