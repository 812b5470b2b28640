"""Tumor as sheets, nests in stroma, glands, and spindle cells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_crlm_spa.core.sample import cellular
from napari_crlm_spa.core.sample.style import Amounts, ramp
from napari_crlm_spa.core.sample.varied.sheets import (
    Nuclei,
    Sheet,
    Spindle,
    draw_sheet,
    draw_spindle,
)
from napari_crlm_spa.core.sample.varied.stroma import stroma_cells
from napari_crlm_spa.core.sample.varied.style import varied_style
from napari_crlm_spa.core.sample.window import Floats, Window


def tumor_nuclei(rng: np.random.Generator) -> Nuclei:
    """Nuclei of a tumor: vesicular with a nucleolus, or dense."""
    vesicular = rng.random() < 0.5
    return Nuclei(
        radius_um=rng.uniform(2.7, 4.6),
        spread=rng.uniform(0.08, 0.32),
        elongation=rng.uniform(1.0, 1.8),
        strength=rng.uniform(0.55, 1.0) if vesicular else rng.uniform(0.75, 1.25),
        strength_spread=rng.uniform(0.1, 0.35),
        hollow=rng.uniform(0.4, 0.75) if vesicular else rng.uniform(0.0, 0.25),
        nucleolus=rng.uniform(0.8, 1.3) if vesicular else 0.0,
        chromatin=rng.uniform(0.1, 0.35),
    )


def tumor_sheet(window: Window, rng: np.random.Generator) -> Amounts:
    """Crowded large irregular nuclei, little cytoplasm; lumens and gaps here and there."""
    look = tumor_nuclei(rng)
    sheet = Sheet(
        spacing_um=look.radius_um * rng.uniform(2.0, 3.3),
        jitter=rng.uniform(0.7, 1.0),
        nuclei=look,
        filled=rng.uniform(0.8, 1.0),
        off_center=rng.uniform(0.0, 0.3),
        eosin=rng.uniform(0.25, 0.65),
        basophilia=rng.uniform(0.05, 0.28),
        granules=rng.uniform(0.03, 0.18),
        granule_um=rng.uniform(0.8, 2.5),
        clear=rng.uniform(0.0, 0.5),
        foam=rng.choice([0.0, 1.0]) * rng.uniform(0.1, 0.9),
        membrane=rng.uniform(0.0, 0.2),
        gaps=rng.uniform(0.0, 0.5),
        gap_um=rng.uniform(0.8, 4.0),
        vacuoles=rng.choice([0.0, rng.uniform(0.02, 0.25)]),
        vacuole_um=rng.uniform(3.0, 14.0),
    )
    return draw_sheet(window, sheet, 420)


def _about(height: Floats, share: float) -> tuple[float, float]:
    """Limits of a ramp that leaves that share of the heights below it."""
    limit = float(np.quantile(height, share))
    return limit - 0.04, limit + 0.04


def tumor_nests(window: Window, rng: np.random.Generator) -> Amounts:
    """Nests of tumor cells, mostly tumor, in stroma or beside lumens."""
    nest, ground = tumor_sheet(window, rng), stroma_cells(window, rng)
    height = window.noise(rng.uniform(18.0, 45.0), 421)
    share = ramp(height, *_about(height, rng.uniform(0.1, 0.38)))
    hematoxylin = nest[0] * share + ground[0] * (1 - share)
    eosin = nest[1] * share + ground[1] * (1 - share)
    if rng.random() < 0.5:
        lumen = ramp(height, *_about(height, rng.uniform(0.8, 0.95)))
        hematoxylin, eosin = hematoxylin * (1 - lumen), eosin * (1 - 0.95 * lumen)
    return hematoxylin, eosin


def tumor_glands(window: Window, rng: np.random.Generator) -> Amounts:
    """As on the sample slide: glands, small to large."""
    return cellular.tumor(window, replace(varied_style(rng), size=rng.uniform(0.7, 1.5)))


def tumor_spindle(window: Window, rng: np.random.Generator) -> Amounts:
    """Spindle and giant cells: more and larger nuclei than any stroma has."""
    look = replace(
        tumor_nuclei(rng),
        radius_um=rng.uniform(2.9, 4.2),
        elongation=rng.uniform(1.4, 3.0),
        spread=rng.uniform(0.15, 0.45),
        disorder=rng.uniform(0.5, 1.8),
    )
    spindle = Spindle(
        spacing_um=rng.uniform(7.5, 14.0),
        nuclei=look,
        angle=rng.uniform(0, np.pi),
        wave_um=rng.uniform(5.0, 40.0),
        bend_um=rng.uniform(30.0, 90.0),
        eosin=rng.uniform(0.3, 0.6),
        basophilia=rng.uniform(0.06, 0.2),
        fiber_um=rng.uniform(1.2, 3.5),
        contrast=rng.uniform(0.05, 0.15),
        clefts=rng.uniform(0.0, 0.9),
    )
    return draw_spindle(window, spindle, 430)
