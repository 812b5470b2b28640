"""Cohorts drawn with a known truth, and how to run a generator to its end."""

import numpy as np
import pandas as pd

from napari_crlm_spa.core.cohort.survival import Survival


def drawn_cohort(seed, n=300, log_hr=(0.8, -0.5), months=90.0, tied=False, censored=True):
    """Patients with two covariates (one 0/1), exponential survival, uniform censoring."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.integers(0, 2, n).astype(float), "b": rng.normal(size=n)})
    died = rng.exponential(months * np.exp(-frame.to_numpy() @ np.array(log_hr)))
    left = rng.uniform(10, 140, n) if censored else np.full(n, np.inf)
    time = np.minimum(died, left)
    if tied:
        time = np.ceil(time / 4) * 4
    return frame, Survival.of(time, died <= left)


def result_of(generator):
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value
