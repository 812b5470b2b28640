"""Tissue of simulated slides: counts of tiles, and the 20 spatial features made of them.

The composition of a slide is logistic-normal, its tiles multinomial: features are shares of whole
tiles, so that rare tissues have ties and zeros as on real slides. All numbers of this file are
our assumptions. They were chosen so that overall and distal debris, and overall and distal
lymphocytes, correlate above 0.7 and the features that the paper keeps below, and that infiltrating
and distal tiles of a tissue add up to all of it, as the definition with two distance groups has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import SOFS
from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.spatial.definitions import column_name

if TYPE_CHECKING:
    import pandas as pd

#: Tissues in the paper's order of columns: stroma, debris, lymphocytes, hepatocytes, mucus.
TISSUES = ("STR", "DEB", "LYM", "HEP", "MUC")
#: Of each tissue: infiltrating, distal and touching amount relative to tumor (medians of log-normal
#: amounts), their spreads (sd of the log), and how far infiltrating goes with distal amount, and
#: touching with infiltrating amount (correlations of the logs).
INFILTRATING = np.array([0.50, 0.12, 0.07, 0.20, 0.05])
DISTAL = np.array([0.35, 0.26, 0.11, 0.55, 0.03])
TOUCHING = np.array([0.50, 0.15, 0.06, 0.20, 0.06])
INFILTRATING_SPREAD = np.array([0.5, 0.8, 0.7, 0.7, 1.3])
DISTAL_SPREAD = np.array([0.6, 0.95, 0.85, 0.8, 1.3])
TOUCHING_SPREAD = np.array([0.5, 0.9, 0.9, 0.9, 1.3])
INFILTRATING_WITH_DISTAL = np.array([0.3, 0.3, 0.35, 0.2, 0.5])
TOUCHING_WITH_INFILTRATING = np.array([0.6, 0.6, 0.6, 0.6, 0.7])
#: Nine tiles of which the one in the middle is tumor: at most 8/9 of a neighborhood is not.
MOST_NOT_TUMOR = 8 / 9
#: Tiles of a slide (log-normal), and how alike the slides of one patient are (Dirichlet).
MEDIAN_TILES, TILES_SPREAD, FEWEST_TILES = 4000.0, 0.5, 600
LIKENESS = 80.0
#: Share of the tumor tiles that lie in the largest region.
CONTIGUOUS = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Tissue:
    """What the slides of n patients are made of.

    Parameters
    ----------
    shares
        Tumor, then infiltrating and distal part of each tissue, shape (n, 11), rows add up to 1.
    not_tumor
        Share of a tumor tile's neighborhood that each tissue has, shape (n, 5).
    debris, lymphocytes
        Normal scores, shape (n,): clinical columns may go with them.
    """

    shares: Floats
    not_tumor: Floats
    debris: Floats
    lymphocytes: Floats


def draw_tissue(rng: np.random.Generator, n: int) -> Tissue:
    """Draw the composition of n patients' slides."""
    far = rng.normal(size=(n, 5))
    near = _with(rng, far, INFILTRATING_WITH_DISTAL)
    touch = _with(rng, near, TOUCHING_WITH_INFILTRATING)
    infiltrating = INFILTRATING * np.exp(INFILTRATING_SPREAD * near)
    distal = DISTAL * np.exp(DISTAL_SPREAD * far)
    parts = np.concatenate([np.ones((n, 1)), infiltrating, distal], axis=1)
    touching = TOUCHING * np.exp(TOUCHING_SPREAD * touch)
    not_tumor = MOST_NOT_TUMOR * touching / (1.0 + 1.5 * touching.sum(axis=1, keepdims=True))
    return Tissue(parts / parts.sum(axis=1, keepdims=True), not_tumor, far[:, 1], far[:, 2])


def _with(rng: np.random.Generator, scores: Floats, correlation: Floats) -> Floats:
    """Draw normal scores that correlate with others, column by column."""
    other = rng.normal(size=scores.shape)
    return np.asarray(correlation * scores + np.sqrt(1 - correlation**2) * other)


def count_tiles(rng: np.random.Generator, tissue: Tissue) -> NDArray[np.int64]:
    """Draw how many tiles of each part one slide of each patient has, shape (n, 11)."""
    n = len(tissue.shares)
    tiles = np.exp(np.log(MEDIAN_TILES) + TILES_SPREAD * rng.normal(size=n))
    total = np.maximum(np.round(tiles), FEWEST_TILES).astype(np.int64)
    return np.asarray(rng.multinomial(total, tissue.shares), np.int64)


def vary(rng: np.random.Generator, tissue: Tissue) -> Tissue:
    """Return another slide of each patient: alike, not equal."""
    gamma = rng.gamma(np.maximum(tissue.shares * LIKENESS, 1e-3))
    shares = gamma / gamma.sum(axis=1, keepdims=True)
    wobble = np.exp(0.1 * rng.normal(size=tissue.not_tumor.shape))
    return Tissue(shares, tissue.not_tumor * wobble, tissue.debris, tissue.lymphocytes)


def features_of(counts: NDArray[np.int64], not_tumor: Floats) -> pd.DataFrame:
    """Return the paper's 20 columns of slides with these tiles.

    Parameters
    ----------
    counts
        Tumor, infiltrating, distal tiles, shape (n, 11).
    not_tumor
        Share of tumor tiles' neighborhoods, shape (n, 5).
    """
    import pandas as pd

    total = counts.sum(axis=1, keepdims=True)
    infiltrating, distal = counts[:, 1:6], counts[:, 6:11]
    families = {
        "distal": distal / total,
        "infiltrating": infiltrating / total,
        "interaction": not_tumor,
        "overall": (infiltrating + distal) / total,
    }
    columns = {
        column_name(family, tissue): values[:, k]
        for family, values in families.items()
        for k, tissue in enumerate(TISSUES)
    }
    return pd.DataFrame({name: columns[name] for name in SOFS})


def contiguous_tumor_tiles(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the size of each slide's largest tumor region, shape (n,)."""
    return np.asarray(np.round(CONTIGUOUS * counts[:, 0]), np.int64)
