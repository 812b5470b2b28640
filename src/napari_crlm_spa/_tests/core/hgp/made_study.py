"""A growth-pattern study with a known truth: patients, lesions, readers, measurements, survival."""

from pathlib import Path

import numpy as np
import pandas as pd

from napari_crlm_spa.core.cohort.table import Cohort
from napari_crlm_spa.core.cohort.table.plain_csv import to_csv
from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.hgp.columns import REVIEW_COLUMNS
from napari_crlm_spa.core.hgp.measures import Measures, read_measures
from napari_crlm_spa.core.hgp.reviews import Reviews, review_frame

#: Log hazard of 100 % non-D, and of one unit (SD) of an interaction that the readers do not see.
NON_D_EFFECT, HIDDEN_EFFECT = 0.9, 0.5


def made_truth(n_patients=60, seed=1) -> pd.DataFrame:
    """One row per slide: the true share of D, of contact, size and chemotherapy."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(n_patients):
        chemo = float(rng.random() < 0.4)
        desmoplastic = rng.random() < (0.45 if chemo else 0.2)
        for lesion in range(int(rng.integers(1, 4))):
            pct_d = 100.0 if desmoplastic else float(np.round(100 * rng.beta(1.0, 1.5)))
            tiles = int(rng.integers(200, 20_000))
            rows.append(
                {
                    "patient": f"P{number:03d}",
                    "lesion": f"L{lesion + 1}",
                    "slide": f"slide-{number:03d}-{lesion + 1}",
                    "pct_D": pct_d,
                    "chemo": chemo,
                    "tumor_tiles": tiles,
                    "hidden": rng.normal(),
                }
            )
    return pd.DataFrame(rows)


def made_reviews(truth, raters=("Ada", "Ben"), noise=4.0, repeats=8, seed=2) -> Reviews:
    """Readers see the truth with some noise, but 100 % for what it is."""
    rng = np.random.default_rng(seed)
    rows = []
    for rater in raters:
        for at, slide in enumerate(truth.itertuples()):
            for number in (1, 2) if at < repeats else (1,):
                seen = slide.pct_D
                if seen < 100:
                    seen = float(np.clip(np.round(seen + rng.normal(0, noise)), 0, 99))
                pushing = np.round((100 - seen) * 0.2)
                row = dict.fromkeys(REVIEW_COLUMNS, np.nan)
                row |= {
                    "patient": slide.patient,
                    "lesion": slide.lesion,
                    "slide": slide.slide,
                    "rater": rater,
                    "round": float(number),
                    "pct_D": seen,
                    "pct_R": 100 - seen - pushing,
                    "pct_P": pushing,
                    "pct_other": 0.0,
                    "assessable_pct": 90.0,
                    "viable": 1.0,
                    "chemo": slide.chemo,
                    "n_blocks": 2.0,
                    "comment": "",
                }
                rows.append(row)
    return Reviews(review_frame(rows))


def measured_frame(truth, noise=5.0, seed=3) -> pd.DataFrame:
    """The interface as measured: noisy, interaction confounded by size as in the paper's form."""
    rng = np.random.default_rng(seed)
    n = len(truth)
    pct_d = np.clip(truth["pct_D"] + rng.normal(0, noise, n) * (truth["pct_D"] < 100), 0, 100)
    mm2 = truth["tumor_tiles"] * 0.112**2
    mm = 2 * np.sqrt(np.pi * mm2)
    hidden = truth["hidden"]
    return pd.DataFrame(
        {
            "slide": truth["slide"] + ".svs",
            "patient": truth["patient"],
            "pct_D": pct_d,
            "pct_N": 100 - pct_d,
            "pct_O": 0.0,
            "interface_mm": mm,
            "assessable_mm": mm * 0.9,
            "assessable_fraction": 0.9,
            "tumor_tiles": truth["tumor_tiles"],
            "tumor_mm2": mm2,
            "interaction_border": (100 - pct_d) / 100 + 0.05 * hidden,
            "interaction_paper": (100 - pct_d) / 100 * mm / mm2 * 0.1 + 0.01 * hidden,
            "rim_median_um": np.where(pct_d > 1, 150 + 2 * pct_d + rng.normal(0, 30, n), np.nan),
        }
    )


def made_measures(folder: Path, truth, **how) -> Measures:
    """The same, through the file that ``hgp measure`` writes."""
    path = folder / "interfaces.csv"
    write_text(path, to_csv(measured_frame(truth, **how)))
    return read_measures(path)


def made_cohort(truth, seed=4) -> Cohort:
    """Follow-up whose hazard depends on the share of non-D and on what readers do not see."""
    rng = np.random.default_rng(seed)
    by_patient = truth.groupby("patient")
    non_d = 1 - by_patient["pct_D"].mean().to_numpy() / 100
    hidden = by_patient["hidden"].mean().to_numpy()
    rate = 0.015 * np.exp(NON_D_EFFECT * non_d + HIDDEN_EFFECT * hidden)
    died, left = rng.exponential(1 / rate), rng.uniform(12, 100, len(rate))
    return Cohort(
        "made",
        pd.DataFrame(
            {
                "patient": list(by_patient.groups),
                "os.time": np.minimum(died, left),
                "os.event": (died <= left).astype(float),
                "Preoperative_chemotherapy": by_patient["chemo"].first().to_numpy(),
                "CRS_score": rng.integers(0, 6, len(rate)).astype(float),
            }
        ),
    )
