"""Drawn follow-up with ties, zeros and one-sided data, for properties."""

import numpy as np
from hypothesis import strategies as st

from napari_crlm_spa.core.cohort.survival import Survival


def survivals(min_size=1, max_size=40, latest=12):
    """Few distinct times, so that deaths and censored patients tie; 0 among them."""
    patient = st.tuples(st.integers(0, latest), st.booleans())
    return st.lists(patient, min_size=min_size, max_size=max_size).map(
        lambda rows: Survival.of([t for t, _ in rows], [e for _, e in rows])
    )


def drawn(seed, n=120, groups=2, tied=True):
    """Random follow-up and a group per patient."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n)
    time = rng.exponential(30 / (1 + 0.5 * group))
    time = np.ceil(time / 3) if tied else time
    return Survival.of(time, rng.random(n) < 0.6), group, rng
