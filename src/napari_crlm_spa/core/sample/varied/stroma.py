"""Stroma: collagen and muscle, along and across, dense and loose."""

from __future__ import annotations

import numpy as np

from napari_crlm_spa.core.sample import acellular
from napari_crlm_spa.core.sample.style import Amounts
from napari_crlm_spa.core.sample.varied.sheets import (
    Nuclei,
    Sheet,
    Spindle,
    draw_sheet,
    draw_spindle,
)
from napari_crlm_spa.core.sample.varied.style import varied_style
from napari_crlm_spa.core.sample.window import Window


def stroma_fibers(window: Window, rng: np.random.Generator) -> Amounts:
    """As on the sample slide: wavy collagen."""
    return acellular.stroma(window, varied_style(rng))


def stroma_cells(window: Window, rng: np.random.Generator) -> Amounts:
    """Collagen or muscle: from nearly bare to rich in slender nuclei, dense to loose."""
    look = Nuclei(
        radius_um=rng.uniform(1.9, 3.0),
        spread=rng.uniform(0.1, 0.3),
        elongation=rng.uniform(1.8, 4.5),
        disorder=rng.uniform(0.2, 1.2),
        strength=rng.uniform(0.55, 1.1),
        strength_spread=rng.uniform(0.1, 0.3),
        hollow=rng.uniform(0.0, 0.35),
        chromatin=rng.uniform(0.05, 0.3),
    )
    spindle = Spindle(
        spacing_um=rng.uniform(11.0, 34.0),
        nuclei=look,
        angle=rng.uniform(0, np.pi),
        wave_um=rng.uniform(2.0, 30.0),
        bend_um=rng.uniform(30.0, 150.0),
        eosin=rng.uniform(0.25, 0.85),
        basophilia=rng.uniform(0.02, 0.14),
        fiber_um=rng.uniform(1.0, 4.5),
        contrast=rng.uniform(0.04, 0.22),
        clefts=rng.uniform(0.0, 0.8),
    )
    return draw_spindle(window, spindle, 450)


def loose_stroma(window: Window, rng: np.random.Generator) -> Amounts:
    """Edematous: torn wavy fibers far apart, slender and stellate nuclei."""
    look = Nuclei(radius_um=rng.uniform(1.8, 2.7), elongation=rng.uniform(1.2, 3.5), spread=0.2)
    spindle = Spindle(
        spacing_um=rng.uniform(12.0, 26.0),
        nuclei=look,
        angle=rng.uniform(0, np.pi),
        wave_um=rng.uniform(10.0, 40.0),
        bend_um=rng.uniform(20.0, 60.0),
        eosin=rng.uniform(0.25, 0.6),
        fiber_um=rng.uniform(0.8, 2.0),
        contrast=rng.uniform(0.1, 0.3),
        clefts=rng.uniform(0.7, 1.1),
    )
    return draw_spindle(window, spindle, 451)


def muscle_across(window: Window, rng: np.random.Generator) -> Amounts:
    """Fibers cut across: small pink polygons with pale borders, few nuclei among them."""
    look = Nuclei(radius_um=rng.uniform(1.2, 2.2), spread=0.25, strength=rng.uniform(0.6, 1.0))
    sheet = Sheet(
        spacing_um=rng.uniform(3.0, 6.5),
        jitter=rng.uniform(0.7, 1.0),
        nuclei=look,
        filled=rng.uniform(0.03, 0.12),
        eosin=rng.uniform(0.35, 0.75),
        basophilia=rng.uniform(0.03, 0.12),
        membrane=0.0,
        gaps=rng.uniform(0.5, 1.0),
        gap_um=rng.uniform(0.4, 1.1),
    )
    return draw_sheet(window, sheet, 452)
