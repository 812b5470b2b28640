"""Lymphocytes: dense tissue with vessels and paler centers, and follicles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_crlm_spa.core.sample import cellular
from napari_crlm_spa.core.sample.style import Amounts, ramp
from napari_crlm_spa.core.sample.varied.sheets import Nuclei, Sheet, draw_sheet
from napari_crlm_spa.core.sample.varied.style import varied_style
from napari_crlm_spa.core.sample.window import Window


def lymphoid(window: Window, rng: np.random.Generator) -> Amounts:
    """Small round dark nuclei shoulder to shoulder; gaps, vessels, paler centers."""
    radius = rng.uniform(2.1, 3.1)
    look = Nuclei(
        radius_um=radius,
        spread=rng.uniform(0.06, 0.2),
        elongation=rng.uniform(1.0, 1.2),
        strength=rng.uniform(0.85, 1.5),
        strength_spread=rng.uniform(0.1, 0.3),
        hollow=rng.uniform(0.0, 0.25),
        chromatin=rng.uniform(0.1, 0.4),
    )
    sheet = Sheet(
        spacing_um=radius * rng.uniform(2.0, 2.7),
        jitter=rng.uniform(0.7, 1.0),
        nuclei=look,
        filled=rng.uniform(0.75, 1.0),
        off_center=rng.uniform(0.0, 0.2),
        eosin=rng.uniform(0.08, 0.5),
        basophilia=rng.uniform(0.05, 0.35),
        granules=rng.uniform(0.02, 0.1),
        membrane=rng.choice([0.0, 0.0, 0.1]),
        gaps=rng.uniform(0.0, 0.6),
        gap_um=rng.uniform(0.4, 1.3),
    )
    hematoxylin, eosin = draw_sheet(window, sheet, 440)
    if rng.random() < 0.3:
        pale = draw_sheet(
            window,
            replace(
                sheet,
                spacing_um=8.5,
                nuclei=replace(look, radius_um=3.6, strength=0.6, hollow=0.4, nucleolus=0.8),
            ),
            441,
        )
        share = 0.8 * ramp(window.noise(40.0, 442), 0.2, 0.9)
        hematoxylin = hematoxylin * (1 - share) + pale[0] * share
        eosin = eosin * (1 - share) + pale[1] * share
    if rng.random() < 0.5:
        height = np.abs(window.noise(rng.uniform(25.0, 60.0), 443))
        wall, lumen = ramp(height, 0.16, 0.1), ramp(height, 0.07, 0.03)
        hematoxylin = hematoxylin * (1 - wall)
        eosin = (eosin * (1 - wall) + 0.45 * wall) * (1 - 0.9 * lumen)
    return hematoxylin, eosin


def lymph_follicle(window: Window, rng: np.random.Generator) -> Amounts:
    """As on the sample slide: a follicle's lymphocytes."""
    return cellular.lymphocytes(window, varied_style(rng))
