"""Patients whose spatial features are most alike: a neighborhood to look at, not a prediction.

The space is our choice, not the paper's: each feature is brought to the same scale (z scores, or
ranks), and the distance is Euclidean, so that every feature counts the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import PATIENT, SOFS, label_of
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

Z_SCORES, RANKS = "z scores", "ranks"
#: So many names of features or patients are told in a sentence.
_TOLD = 3
#: A spread below this share of the largest value is rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighborOptions(Options):
    """How alike patients are looked for; our choices, each of them."""

    k: int = option(20, "How many patients make a neighborhood", min=1, max=1000, label="Patients")
    scaling: str = option(
        Z_SCORES,
        "How features are made comparable: z scores keep how far apart values are; ranks are not "
        "moved by a few extreme values",
        choices=(Z_SCORES, RANKS),
        label="Scaled by",
    )


@dataclass(frozen=True, slots=True, eq=False)
class Neighborhood:
    """The patients nearest to one.

    Parameters
    ----------
    row
        The patient, as a row of the table.
    rows
        Its neighbors, nearest first, without the patient itself; shape (k,) or fewer if the
        cohort is smaller. Of equal distances the earlier row of the table comes first.
    distances
        Euclidean distance in the scaled features, shape as `rows`; 0 is alike in all of them.
    features
        The features that were compared.
    """

    row: int
    rows: Indices
    distances: Floats
    features: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.rows)


class FeatureSpace:
    """Patients as points whose coordinates are their scaled spatial features.

    Parameters
    ----------
    patients
        One row a patient; columns `patient` and the features. Holes are NaN.
    features
        Columns that are compared; without any, those of the 20 spatial features that are there.
    scaling
        ``"z scores"``: (x - mean) / SD with n - 1. ``"ranks"``: (mean rank - 0.5) / n. Mean, SD
        and ranks are those of the patients that have all of the features.

    Attributes
    ----------
    features
        What is compared.
    constant
        Features that were asked for but are the same in everybody, and so tell nothing.
    rows
        Patients that have all of the features, as rows of the table, shape (m,).
    points
        Their coordinates, shape (m, features).
    n_left_out
        Patients that miss a feature.

    Raises
    ------
    CohortError
        If a feature is not in the table, or nobody has them all.
    """

    def __init__(
        self, patients: pd.DataFrame, features: Sequence[str] = (), scaling: str = Z_SCORES
    ) -> None:
        NeighborOptions(scaling=scaling)
        names = tuple(dict.fromkeys(features)) or tuple(f for f in SOFS if f in patients.columns)
        absent = [name for name in names if name not in patients.columns]
        if absent or not names:
            missing = _some(absent) if absent else "spatial features"
            raise CohortError(
                f"The table of patients has no {missing}, so nobody's neighbors can be found. "
                "Open a cohort that was built from analyses, or choose other features."
            )
        self.n_patients = len(patients)
        self._names = [str(name) for name in patients.get(PATIENT, range(1, len(patients) + 1))]
        values = patients[list(names)].to_numpy(np.float64, na_value=np.nan)
        self._known = np.isfinite(values)
        self._asked = names
        self.rows: Indices = np.flatnonzero(self._known.all(axis=1))
        self.n_left_out = len(patients) - len(self.rows)
        if not len(self.rows):
            raise CohortError(
                f"No patient has all of the {len(names)} features, so nobody's neighbors can be "
                "found. Choose fewer features."
            )
        values = values[self.rows]
        varies = np.ptp(values, axis=0) > _ROUNDING * np.abs(values).max(axis=0)
        self.features = tuple(n for n, v in zip(names, varies, strict=True) if v)
        self.constant = tuple(n for n, v in zip(names, varies, strict=True) if not v)
        scaled = _z_scores if scaling == Z_SCORES else _ranks
        self.points: Floats = scaled(values[:, varies]) if varies.any() else values[:, varies]
        self._at = np.full(len(patients), -1, np.intp)
        self._at[self.rows] = np.arange(len(self.rows))

    def neighbors(self, row: int, k: int) -> Neighborhood:
        """Return the `k` patients nearest to one.

        Raises
        ------
        CohortError
            If the patient misses a feature.
        """
        at = self._at[row]
        if at < 0:
            unknown = [n for n, k_ in zip(self._asked, self._known[row], strict=True) if not k_]
            raise CohortError(
                f"Patient {self._names[row]} has no value of {_some(unknown)}, so its neighbors "
                "cannot be found. Choose features that it has, or analyze its slide."
            )
        # Not by the product of matrices: that rounds, and twins would lie apart.
        squares = ((self.points - self.points[at]) ** 2).sum(axis=1)
        squares[at] = np.inf
        nearest = np.argsort(squares, kind="stable")[: min(k, len(self.rows) - 1)]
        return Neighborhood(row, self.rows[nearest], np.sqrt(squares[nearest]), self.features)


def _z_scores(values: Floats) -> Floats:
    scaled: Floats = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    return scaled


def _ranks(values: Floats) -> Floats:
    from scipy.stats import rankdata

    ranks: Floats = (rankdata(values, axis=0) - 0.5) / len(values)
    return ranks


def _some(columns: Sequence[str]) -> str:
    """Name a few features, and how many more there are."""
    told = [label_of(column) for column in columns[:_TOLD]]
    more = len(columns) - len(told)
    return f"{', '.join(told)} and {more} more" if more else " and ".join(told)
