"""What the folds of a cross-validation come to: mean, spread, an interval that fits overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.core.cohort.survival import Floats

if TYPE_CHECKING:
    import pandas as pd


def summary_of(part: pd.DataFrame, folds: int) -> dict[str, Any]:
    """Sum one method up: its concordance over folds, and what a reader should know.

    Parameters
    ----------
    part
        Its rows of the table ``nested_cv``.
    folds
        How many folds each repeat has.
    """
    values = part["concordance"].to_numpy(np.float64)
    known = values[np.isfinite(values)]
    mean, deviation, lower, upper = corrected_interval(known, 1 / (folds - 1))
    effect = part["log_hr_high_low"].to_numpy(np.float64)
    shown = effect[np.isfinite(effect)]
    notes = []
    if len(shown):
        notes.append(
            "high against low group of held-out patients: hazard ratio "
            f"{np.exp(np.median(shown)):.3g} (median of {len(shown)} folds)"
        )
    empty = int((part["n_features"] == 0).sum())
    if empty:
        notes.append(f"no feature was chosen in {empty} of {len(part)} folds (concordance 0.5)")
    return {
        "concordance": mean,
        "concordance_sd": deviation,
        "lower95": lower,
        "upper95": upper,
        "n_features_median": float(part["n_features"].median()),
        "note": "; ".join(notes),
    }


def corrected_interval(values: Floats, test_to_train: float) -> tuple[float, float, float, float]:
    """Return mean, standard deviation and 95 % interval of a quantity over folds.

    Parameters
    ----------
    values
        One per fold and repeat, shape (J,).
    test_to_train
        Patients in a fold over those who taught: 1 / (folds - 1).

    Returns
    -------
    tuple of float
        The variance of the mean is ``(1/J + test/train) s^2`` and not ``s^2 / J``, with a t
        distribution of J - 1 degrees of freedom (Nadeau and Bengio, Mach Learn 2003;52:239). The
        interval ends at 0 and 1. NaN for what fewer than two values can't say.
    """
    from scipy.special import stdtrit

    nan = float("nan")
    if len(values) < 2:
        return (float(values[0]) if len(values) else nan), nan, nan, nan
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    half = float(stdtrit(len(values) - 1, 0.975))
    half *= deviation * np.sqrt(1 / len(values) + test_to_train)
    return mean, deviation, float(max(0.0, mean - half)), float(min(1.0, mean + half))
