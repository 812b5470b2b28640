"""Small cohorts drawn at random, and likelihoods written out the slow way."""

import numpy as np
import pandas as pd

from napari_crlm_spa.core.cohort.survival import Survival


def draw(seed, n=80, p=3, *, digits=1, censored=0.4):
    """Patients with ties (times rounded), a 0/1 column, and effects of 0.8, -0.5, 0, ..."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    x[:, -1] = x[:, -1] > 0.3
    effect = np.zeros(p)
    effect[: min(2, p)] = (0.8, -0.5)[: min(2, p)]
    life = rng.exponential(np.exp(-x @ effect) * 5)
    end = rng.exponential(5 / max(censored, 1e-3), n)
    time = np.round(np.minimum(life, end), digits)
    event = life <= end
    event[np.argmin(time)] = True
    return Survival.of(time, event), pd.DataFrame(x, columns=[f"x{i}" for i in range(p)])


def slow_loglik(survival, x, coef, *, ties="efron", theta=None, g=None):
    """Efron's or Breslow's log partial likelihood by loops; `theta` times g(t) x may be added."""
    total = 0.0
    for time in np.unique(survival.time[survival.event]):
        now = x @ (coef if theta is None else coef + theta * g(time))
        dead = (survival.time == time) & survival.event
        risk = np.exp(now[survival.time >= time]).sum()
        tied = np.exp(now[dead]).sum()
        count = int(dead.sum())
        total += now[dead].sum()
        for place in range(count):
            share = place / count if ties == "efron" else 0.0
            total -= np.log(risk - share * tied)
    return total


def gradient(function, at, step=1e-5):
    """Central differences."""
    at = np.asarray(at, float)
    units = np.eye(len(at)) * step
    return np.array([(function(at + u) - function(at - u)) / (2 * step) for u in units])


def hessian(function, at, step=1e-3):
    """Central differences of second order."""
    at = np.asarray(at, float)
    units = np.eye(len(at)) * step
    return np.array(
        [
            [
                (
                    function(at + a + b)
                    - function(at + a - b)
                    - function(at - a + b)
                    + function(at - a - b)
                )
                / (4 * step * step)
                for b in units
            ]
            for a in units
        ]
    )
