"""From slides to lesions and patients, reviewed and measured.

Strict: a patient is desmoplastic if all lesions are. The other rules go by the share of the whole
interface, each slide weighted with its length where that was measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.core.cohort.columns import PATIENT, SLIDE
from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.hgp.agree_options import AgreeOptions
from napari_crlm_spa.core.hgp.columns import (
    ASSESSABLE_MM,
    CHEMO,
    INTERACTION_BORDER,
    INTERACTION_PAPER,
    INTERFACE_MM,
    LESION,
    N_BLOCKS,
    PCT_D,
    PCT_N,
    PCT_NON_D,
    RIM_MEDIAN_UM,
    TUMOR_TILES,
)
from napari_crlm_spa.core.hgp.consensus import called, majority, reviewed
from napari_crlm_spa.core.hgp.rules import RULES, Rule, desmoplastic

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")
WORST = "worst_lesion_pct_D"
FEW_BLOCKS = "few_blocks"
N_LESIONS, N_SLIDES = "n_lesions", "n_slides"
_BY_TUMOR = (INTERACTION_PAPER, INTERACTION_BORDER)


def patient_table(slides: pd.DataFrame, options: AgreeOptions) -> pd.DataFrame:
    """Return one row per patient.

    Parameters
    ----------
    slides
        Of `Compared.slides`.
    options
        Rules and the number of blocks.

    Returns
    -------
    DataFrame
        ``patient, n_slides, n_lesions, few_blocks`` (1: some lesion has fewer blocks than wanted;
        each slide is one if the number is not told), ``chemo``; reviewed and measured shares,
        worst lesion and calls; interaction scores, weighted with the tumor tiles.
    """
    import pandas as pd

    rows = [
        _patient(str(name), group, options) for name, group in slides.groupby(PATIENT, sort=False)
    ]
    return pd.DataFrame(rows)


def _patient(name: str, slides: pd.DataFrame, options: AgreeOptions) -> dict[str, Any]:
    lesions = _lesions(slides)
    length = _weights(slides, ASSESSABLE_MM, INTERFACE_MM)
    tumor = _weights(slides, TUMOR_TILES)
    row: dict[str, Any] = {
        PATIENT: name,
        N_SLIDES: len(slides),
        N_LESIONS: len(set(lesions)),
        FEW_BLOCKS: float(_fewest_blocks(slides, lesions) < options.min_blocks),
        CHEMO: majority(slides[CHEMO].to_numpy(float)),
    }
    for spell in (reviewed, str):
        share = slides[spell(PCT_D)].to_numpy(float)
        row[spell(PCT_D)] = weighted_mean(share, length)
        row[spell(PCT_NON_D)] = 100 - row[spell(PCT_D)]
        by_lesion = [
            weighted_mean(share[lesions == each], length[lesions == each])
            for each in dict.fromkeys(lesions)
        ]
        known = [each for each in by_lesion if not np.isnan(each)]
        row[spell(WORST)] = min(known) if known else NAN
        for rule in RULES:
            row[spell(called(rule))] = _call(
                slides, spell(called(rule)), row[spell(PCT_D)], rule, options
            )
    row[PCT_N] = weighted_mean(slides[PCT_N].to_numpy(float), length)
    for column in _BY_TUMOR:
        row[column] = weighted_mean(slides[column].to_numpy(float), tumor)
    row[RIM_MEDIAN_UM] = weighted_mean(slides[RIM_MEDIAN_UM].to_numpy(float), length)
    return row


def _call(
    slides: pd.DataFrame, column: str, pct_d: float, rule: Rule, options: AgreeOptions
) -> float:
    if rule != "strict":
        return float(desmoplastic(pct_d, rule, tolerance_pct=options.tolerance_pct))
    calls = slides[column].to_numpy(float)
    if (calls == 0).any():
        return 0.0
    return NAN if np.isnan(calls).any() or not len(calls) else 1.0


def weighted_mean(values: Floats, weights: Floats) -> float:
    """Return the mean of what is known; equal weights where one of them is not."""
    known = np.isfinite(values)
    if not known.any():
        return NAN
    chosen = weights[known]
    if not np.isfinite(chosen).all() or chosen.sum() <= 0:
        chosen = np.ones(int(known.sum()))
    return float(np.average(values[known], weights=chosen))


def _weights(slides: pd.DataFrame, *columns: str) -> Floats:
    """Return the first of some columns that all slides have."""
    for column in columns:
        values = slides[column].to_numpy(float)
        if np.isfinite(values).all():
            return values
    return np.ones(len(slides))


def _lesions(slides: pd.DataFrame) -> np.ndarray[Any, np.dtype[Any]]:
    """Name lesions; a slide whose lesion is not told is one of its own."""
    named = slides[LESION].to_numpy(object)
    return np.where(named == "", [f"slide {name}" for name in slides[SLIDE]], named)


def _fewest_blocks(slides: pd.DataFrame, lesions: np.ndarray[Any, np.dtype[Any]]) -> float:
    told = slides[N_BLOCKS].to_numpy(float)
    fewest = np.inf
    for each in dict.fromkeys(lesions):
        mine = told[lesions == each]
        blocks = np.nanmax(mine) if np.isfinite(mine).any() else float(len(mine))
        fewest = min(fewest, float(blocks))
    return fewest
