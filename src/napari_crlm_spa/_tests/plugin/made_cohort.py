"""Patients that nobody has treated: features, clinical columns and follow-up, drawn at random."""

from pathlib import Path

import numpy as np
import pandas as pd

from napari_crlm_spa.core.cohort.columns import SOFS
from napari_crlm_spa.core.cohort.table.contents import Cohort, FlowStep, Problem

#: The paper's weights and made-up cut-offs, so that groups differ.
WEIGHTS = {
    "Overall_Debris_ratio": 0.31,
    "Overall_Lymphocyte_ratio": -0.41,
    "Distal_Hepatocyte_ratio": -0.31,
    "TUM_HEP_interaction": 0.29,
}


def made_patients(n=60, seed=1, holes=0.02):
    """One row a patient, with score and groups as a study would have them."""
    rng = np.random.default_rng(seed)
    sofs = pd.DataFrame({name: rng.beta(2, 8, n) for name in SOFS})
    high = {name: (sofs[name] > sofs[name].median()).astype(float) for name in WEIGHTS}
    score = sum(weight * high[name] for name, weight in WEIGHTS.items())
    crs = rng.binomial(5, 0.42, n).astype(float)
    hazard = 0.012 * np.exp(1.4 * score + 0.25 * (crs - 2))
    died, gone = rng.exponential(1 / hazard), rng.uniform(20, 120, n)
    frame = pd.DataFrame({"patient": [f"P{at + 1:03}" for at in range(n)]})
    frame["os.time"] = np.minimum(died, gone).round(1)
    frame["os.event"] = (died <= gone).astype(float)
    frame["Age"] = rng.normal(60, 10, n).round()
    frame["Gender"] = rng.integers(0, 2, n).astype(float)
    frame["Pathological_Nstage"] = rng.integers(0, 2, n).astype(float)
    frame["CRS_score"] = crs
    frame = pd.concat([frame, sofs.mask(rng.random(sofs.shape) < holes)], axis=1)
    for name in WEIGHTS:
        frame[f"{name}_high"] = high[name]
    frame["score"] = score
    frame["sof_group"] = np.where(score >= -0.1, "high", "low")
    return frame


def made_cohort(n=60, seed=1, slides=None, name="Made up"):
    """The patients as a cohort; `slides` names files, one for each of the first patients."""
    patients = made_patients(n, seed)
    table = None
    if slides is not None:
        rows = [
            {
                "patient": patients["patient"][at],
                "slide": Path(path).stem,
                "slide_path": str(path),
                "analysis_folder": str(folder),
                "reader": "",
                "left_out": "",
            }
            for at, (path, folder) in enumerate(slides)
        ]
        table = pd.DataFrame(rows)
    flow = (
        FlowStep("In the clinical table", "patients", n + 4, n + 4),
        FlowStep("Without a slide", "patients", n + 4, n, "No analysis was found."),
    )
    problems = (
        Problem("error", 7, "P099", "slide", "", "No slide.", "Name its slide.", "clinical.csv"),
        Problem("warning", 9, "P008", "Age", "200", "Age is 200.", "Correct it.", "clinical.csv"),
    )
    return Cohort(name, patients, flow, problems, table)
