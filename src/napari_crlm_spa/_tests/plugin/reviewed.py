"""A reviewed slide in a session, without a viewer."""

import numpy as np

from napari_crlm_spa._tests.plugin.conftest import COLS, ROWS, SLIDE_MPP, STRIDE_UM, make_analysis
from napari_crlm_spa.core.slide import ArraySlide
from napari_crlm_spa.plugin.session import Session


def slide_info(name="slide.tif"):
    """Of a slide that the known map covers."""
    side = STRIDE_UM / SLIDE_MPP
    picture = np.zeros((round(ROWS * side), round(COLS * side), 3), np.uint8)
    return ArraySlide(picture, mpp=SLIDE_MPP, path=name).info


def reviewed_slide(folder):
    """The known map under review, as the current slide of a session of its own."""
    session = Session()
    session.add_slide("a", slide_info())
    session.show_analysis(session.current, make_analysis(folder))
    return session.current


def run(work):
    """Drive a generator to its end."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value
