"""What holds hardly a living cell: debris, mucus, glass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_crlm_spa.core.sample import acellular
from napari_crlm_spa.core.sample.style import Amounts
from napari_crlm_spa.core.sample.varied import matter
from napari_crlm_spa.core.sample.varied.sheets import Sheet, draw_sheet
from napari_crlm_spa.core.sample.varied.style import varied_style
from napari_crlm_spa.core.sample.varied.tumor import tumor_nuclei
from napari_crlm_spa.core.sample.window import Floats, Window


def granular_debris(window: Window, rng: np.random.Generator) -> Amounts:
    """Grainy matter strewn with fragments of nuclei."""
    hematoxylin, eosin = matter.granular(window, rng)
    specks = matter.dust(window, rng, rng.uniform(0.06, 0.4))
    return np.maximum(hematoxylin, specks), eosin


def ghosts(window: Window, rng: np.random.Generator) -> Amounts:
    """Cells that have lost their nuclei: outlines, faded nuclei, a few shrunken dark ones."""
    fade = rng.uniform(0.0, 0.22)
    look = replace(
        tumor_nuclei(rng), strength=fade, strength_spread=0.5 * fade, nucleolus=0.0, hollow=0.3
    )
    sheet = Sheet(
        spacing_um=rng.uniform(9.0, 20.0),
        jitter=rng.uniform(0.6, 1.0),
        nuclei=look,
        filled=rng.uniform(0.0, 0.8),
        eosin=rng.uniform(0.45, 0.9),
        basophilia=rng.uniform(0.03, 0.25),
        granules=rng.uniform(0.06, 0.2),
        granule_um=rng.uniform(0.8, 2.5),
        clear=rng.uniform(0.0, 0.4),
        membrane=rng.uniform(0.0, 0.25),
        gaps=rng.uniform(0.0, 0.6),
        gap_um=rng.uniform(0.8, 3.0),
    )
    hematoxylin, eosin = draw_sheet(window, sheet, 460)
    specks = matter.dust(window, rng, rng.uniform(0.02, 0.3))
    return np.maximum(hematoxylin, specks), eosin


def fibrin_debris(window: Window, rng: np.random.Generator) -> Amounts:
    """Fibrin strewn with fragments of nuclei."""
    hematoxylin, eosin = matter.fibrin(window, rng)
    specks = matter.dust(window, rng, rng.uniform(0.05, 0.4))
    return np.maximum(hematoxylin, specks), eosin


def plain_debris(window: Window, rng: np.random.Generator) -> Amounts:
    """As on the sample slide."""
    return acellular.debris(window, varied_style(rng))


def mucus_pool(window: Window, rng: np.random.Generator) -> Amounts:
    """Mucus, mostly with a few cells afloat."""
    hematoxylin, eosin = matter.pool(window, rng)
    if rng.random() < 0.6:
        share = rng.uniform(0.01, 0.1)
        cells = matter.round_cells(window, rng, 11.0, share, radius_um=rng.uniform(1.0, 2.8))
        hematoxylin = np.maximum(hematoxylin, cells)
    return hematoxylin, eosin


def plain_mucus(window: Window, rng: np.random.Generator) -> Amounts:
    """As on the sample slide."""
    return acellular.mucus(window, varied_style(rng))


def glass(window: Window, rng: np.random.Generator) -> Amounts:
    """Nothing, at times under a haze."""
    hematoxylin, eosin = acellular.glass(window, varied_style(rng))
    if rng.random() < 0.3:
        haze: Floats = rng.uniform(0.0, 0.03) * (1 + window.noise(rng.uniform(10.0, 80.0), 471))
        hematoxylin, eosin = hematoxylin + haze, eosin + rng.uniform(0, 1) * haze
    return hematoxylin, eosin
