"""The liver's tissue: cells with one round nucleus, plates of them, cells full of glycogen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_crlm_spa.core.sample import cellular
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


def liver(window: Window, rng: np.random.Generator) -> Amounts:
    """Hepatocytes: one round nucleus in much cytoplasm, sinusoids; fat, glycogen or neither."""
    kind = rng.random()
    clear = rng.uniform(0.6, 1.0) if kind < 0.25 else rng.uniform(0.0, 0.45)
    fat = rng.uniform(0.1, 1.2) if 0.25 <= kind < 0.45 else 0.0
    look = Nuclei(
        radius_um=rng.uniform(2.6, 4.1),
        spread=rng.uniform(0.05, 0.2),
        elongation=rng.uniform(1.0, 1.15),
        strength=rng.uniform(0.45, 1.0),
        hollow=rng.uniform(0.1, 0.6),
        nucleolus=rng.choice([0.0, 0.7, 1.0]),
        chromatin=rng.uniform(0.05, 0.25),
    )
    sheet = Sheet(
        spacing_um=rng.uniform(15.0, 25.0),
        jitter=rng.uniform(0.5, 0.9),
        nuclei=look,
        filled=rng.uniform(0.55, 0.92),
        off_center=rng.uniform(0.05, 0.3),
        eosin=rng.uniform(0.35, 0.8),
        basophilia=rng.uniform(0.04, 0.22),
        granules=rng.uniform(0.03, 0.2),
        granule_um=rng.uniform(0.8, 2.5),
        clear=clear,
        clear_um=rng.uniform(3.0, 15.0),
        foam=rng.choice([0.0, 1.0, 1.0]) * rng.uniform(0.2, 1.0),
        foam_um=rng.uniform(0.9, 2.2),
        membrane=rng.uniform(0.0, 0.35),
        membrane_um=rng.uniform(0.6, 1.6),
        gaps=rng.uniform(0.0, 0.7),
        gap_um=rng.uniform(0.8, 3.0),
        vacuoles=fat,
        vacuole_um=rng.uniform(1.0, 6.0),
    )
    hematoxylin, eosin = draw_sheet(window, sheet, 410)
    lining = Nuclei(radius_um=1.9, elongation=2.6, strength=0.95, spread=0.2)
    few = Spindle(spacing_um=rng.uniform(14.0, 30.0), nuclei=lining, eosin=0.0, contrast=0.0)
    flat = draw_spindle(window, replace(few, angle=rng.uniform(0, np.pi), wave_um=40.0), 411)[0]
    return np.maximum(hematoxylin, flat * (flat > 0.3)), eosin


def clear_liver(window: Window, rng: np.random.Generator) -> Amounts:
    """Swollen hepatocytes full of glycogen: white cells, pink borders, small round nuclei."""
    look = Nuclei(
        radius_um=rng.uniform(2.2, 3.3),
        spread=rng.uniform(0.08, 0.2),
        strength=rng.uniform(0.7, 1.2),
        hollow=rng.uniform(0.0, 0.4),
    )
    sheet = Sheet(
        spacing_um=rng.uniform(17.0, 30.0),
        jitter=rng.uniform(0.6, 1.0),
        nuclei=look,
        filled=rng.uniform(0.4, 0.85),
        off_center=rng.uniform(0.05, 0.35),
        eosin=rng.uniform(0.3, 0.6),
        granules=rng.uniform(0.03, 0.12),
        clear=rng.uniform(0.8, 1.1),
        clear_um=rng.uniform(2.0, 8.0),
        foam=rng.uniform(0.0, 0.9),
        foam_um=rng.uniform(1.0, 3.0),
        membrane=rng.uniform(0.25, 0.7),
        membrane_um=rng.uniform(0.7, 1.8),
    )
    return draw_sheet(window, sheet, 412)


def liver_plates(window: Window, rng: np.random.Generator) -> Amounts:
    """As on the sample slide: plates of hepatocytes."""
    return cellular.hepatocytes(window, varied_style(rng))
