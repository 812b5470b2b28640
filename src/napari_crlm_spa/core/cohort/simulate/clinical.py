"""Clinical columns of simulated patients, and where their distributions come from.

Nothing here is a finding about patients. What the paper reports is used as it is; what can be read
off the width of its confidence intervals is "inferred" (a 0/1 column with share q has a standard
error of about ``1 / sqrt(deaths q (1 - q))``, a number one of ``1 / (sd sqrt(deaths))``; 179
deaths); the rest is "assumed" so that the columns look like those of a real table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import CLINICAL, CRS_GROUP, CRS_SCORE
from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.risk.crs import HIGH_FROM, ClinicalFactors, clinical_risk_score

if TYPE_CHECKING:
    import pandas as pd

Origin = Literal["paper", "inferred", "assumed"]


@dataclass(frozen=True, slots=True)
class Marginal:
    """How one column was drawn.

    Parameters
    ----------
    column
        Its name.
    distribution
        In words.
    origin
        ``"paper"``, ``"inferred"`` from the paper's intervals, or ``"assumed"`` by us.
    """

    column: str
    distribution: str
    origin: Origin


#: Shares of 1 in columns of 0 and 1.
SHARES = {
    "Gender": 0.70,
    "Primary_tumor_location": 0.23,
    "Pathological_Tstage": 0.90,
    "Pathological_Nstage": 0.60,
    "Preoperative_chemotherapy": 274 / 433,
    "Resection_margin": 0.14,
    "Concomitant_ablation": 0.15,
}
#: Adjuvant chemotherapy without and with pretreatment: the paper's numbers at risk at month 0.
ADJUVANT_SHARES = (106 / 138, 203 / 252)
ADJUVANT_UNKNOWN = 29 / 433
SYNCHRONOUS = 0.60

MARGINALS = (
    Marginal("Age", "normal, mean 58, sd 11, within 22 to 85, whole years", "assumed"),
    Marginal("Gender", "70 % male; which of the codes is which assumed", "inferred"),
    Marginal("Primary_tumor_location", "23 % right; which is which assumed", "inferred"),
    Marginal("Pathological_Tstage", "90 % T3-4; which is which assumed", "inferred"),
    Marginal("Pathological_Nstage", "60 % node-positive", "inferred"),
    Marginal("Preoperative_chemotherapy", "63.3 % yes (274 of 433)", "paper"),
    Marginal("Preoperative_CEA", "log-normal, median 14 ng/mL, sd of the log 1.7", "assumed"),
    Marginal(
        "Synchronous_liver_metastases",
        "months from primary tumor to metastases: 60 % 0, the rest exponential with mean 16",
        "assumed",
    ),
    Marginal("Number_of_LM", "1 + negative binomial, mean 3.6; sd about 4", "inferred"),
    Marginal(
        "Largest_diameter_of_CRLM",
        "log-normal, median 2.8 cm, sd about 2.2 cm; rises with debris (the paper: r = 0.22) and "
        "falls with lymphocytes (r = -0.12)",
        "inferred",
    ),
    Marginal("Resection_margin", "14 % R1", "inferred"),
    Marginal("Concomitant_ablation", "15 % yes", "inferred"),
    Marginal(CRS_SCORE, "counted from the five factors (Fong 1999); about 38 % high", "paper"),
    Marginal(CRS_GROUP, "0-2 low, 3-5 high (the paper: 269 and 164)", "paper"),
    Marginal(
        "Adjuvant_chemotherapy",
        "77 % yes without and 81 % with pretreatment; unknown in 29 of 433, at random (assumed)",
        "paper",
    ),
)


def draw_clinical(
    rng: np.random.Generator, debris: Floats, lymphocytes: Floats
) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Draw clinical columns.

    Parameters
    ----------
    rng
        Where chance comes from.
    debris, lymphocytes
        Normal scores of each patient's tissue, shape (n,), for the size of the metastasis.

    Returns
    -------
    tuple
        All columns of `columns.CLINICAL` without holes, and whose adjuvant chemotherapy is not
        recorded, shape (n,).
    """
    import pandas as pd

    n = len(debris)
    columns: dict[str, NDArray[np.float64]] = {
        name: (rng.random(n) < share).astype(np.float64) for name, share in SHARES.items()
    }
    columns["Age"] = np.clip(np.round(rng.normal(58, 11, n)), 22, 85)
    cea = 14 * np.exp(1.7 * rng.normal(size=n))
    columns["Preoperative_CEA"] = np.maximum(np.round(cea, 1), 0.2)
    later = np.ceil(rng.exponential(16, n))
    columns["Synchronous_liver_metastases"] = np.where(rng.random(n) < SYNCHRONOUS, 0.0, later)
    more = rng.negative_binomial(0.5, 0.5 / 3.1, n)
    columns["Number_of_LM"] = np.asarray(1 + more, np.float64)
    size = 0.27 * debris - 0.14 * lymphocytes + np.sqrt(1 - 0.27**2 - 0.14**2) * rng.normal(size=n)
    columns["Largest_diameter_of_CRLM"] = np.clip(np.round(2.8 * np.exp(0.6 * size), 1), 0.3, 20)
    pretreated = columns["Preoperative_chemotherapy"].astype(int)
    adjuvant = rng.random(n) < np.array(ADJUVANT_SHARES)[pretreated]
    columns["Adjuvant_chemotherapy"] = adjuvant.astype(np.float64)
    columns[CRS_SCORE] = _points(columns)
    columns[CRS_GROUP] = (columns[CRS_SCORE] >= HIGH_FROM).astype(np.float64)
    unknown = rng.random(n) < ADJUVANT_UNKNOWN
    return pd.DataFrame({name: columns[name] for name in CLINICAL}), unknown


def _points(columns: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    rows = zip(
        columns["Pathological_Nstage"],
        columns["Synchronous_liver_metastases"],
        columns["Number_of_LM"],
        columns["Largest_diameter_of_CRLM"],
        columns["Preoperative_CEA"],
        strict=True,
    )
    scores = [
        clinical_risk_score(
            ClinicalFactors(
                node_positive=bool(node),
                disease_free_interval_months=float(interval),
                n_metastases=int(number),
                largest_metastasis_cm=float(size),
                cea_ng_ml=float(cea),
            )
        ).lowest
        for node, interval, number, size, cea in rows
    ]
    return np.array(scores, np.float64)
