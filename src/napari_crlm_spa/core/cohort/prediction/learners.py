"""Ways from patients to a risk score that cross-validation compares: each learns from a part.

A learner sees training patients only and returns a score for any patients. Everything that looks
at the outcome happens inside: cut-offs of features, univariate p values, which of two correlated
features is dropped, stepwise selection, the penalty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import matrix
from napari_crlm_spa.core.cohort.cox.fit import fit_cox
from napari_crlm_spa.core.cohort.cox.penalized import PenaltyOptions, fit_penalized
from napari_crlm_spa.core.cohort.cox.selection import SelectionOptions, select_model
from napari_crlm_spa.core.cohort.cutpoints.cutpoint import CutpointOptions
from napari_crlm_spa.core.cohort.cutpoints.dichotomize import fit_dichotomizer
from napari_crlm_spa.core.cohort.cutpoints.dichotomizer import above
from napari_crlm_spa.core.cohort.cutpoints.search import CutoffSearch
from napari_crlm_spa.core.cohort.survival import Floats, Survival

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned from the training patients.

    Parameters
    ----------
    score
        From a table of patients to their risk score, shape (rows,); higher means earlier death.
    features
        Columns that it uses.
    penalty, l1_ratio
        Of a penalized model, else NaN.
    """

    score: Callable[[pd.DataFrame], Floats]
    features: tuple[str, ...]
    penalty: float = float("nan")
    l1_ratio: float = float("nan")


#: No feature tells patients apart.
NOTHING = Learned(lambda frame: np.zeros(len(frame)), ())


class Learner(Protocol):
    """Learns a score from training patients."""

    @property
    def features(self) -> tuple[str, ...]:
        """Columns that it looks at."""

    def __call__(
        self, frame: pd.DataFrame, survival: Survival, groups: NDArray[np.intp], seed: int
    ) -> Learned:
        """Learn; rows of equal `groups` belong to one patient."""


@dataclass(frozen=True, slots=True)
class StepwiseLearner:
    """The paper's way: dichotomize, univariate p, collinearity, stepwise.

    Parameters
    ----------
    features
        To choose from.
    cutpoints, selection
        How.
    cutoffs
        For fixed cut-offs, by feature.
    """

    features: tuple[str, ...]
    cutpoints: CutpointOptions = field(default_factory=CutpointOptions)
    selection: SelectionOptions = field(default_factory=SelectionOptions)
    cutoffs: Mapping[str, float] | None = None

    def __call__(
        self, frame: pd.DataFrame, survival: Survival, groups: NDArray[np.intp], seed: int
    ) -> Learned:
        """Learn cut-offs and the model; without a significant feature all scores are 0."""
        cutoffs = self.find_cutoffs(frame, survival)
        if not cutoffs:
            return NOTHING
        continuous = frame[list(cutoffs)]
        found = select_model(above(continuous, cutoffs), continuous, survival, self.selection).fit
        if found is None:
            return NOTHING
        used = {name: cutoffs[name] for name in found.columns}
        return Learned(lambda other: found.linear_predictor(above(other, used)), found.columns)

    def find_cutoffs(self, frame: pd.DataFrame, survival: Survival) -> dict[str, float]:
        """Return the cut-offs of features that can be divided.

        They are those of `fit_dichotomizer`, without the p values, which take most of its time.
        """
        method = self.cutpoints.method
        if method == "fixed":
            fixed = fit_dichotomizer(
                frame, survival, self.features, self.cutpoints, cutoffs=self.cutoffs
            )
            return {each.feature: each.cutoff for each in fixed.cutpoints if each.found}
        values = matrix(frame, self.features)
        search = CutoffSearch(values, survival, method, self.cutpoints.minprop)
        found = search.cutoffs(np.ones(len(frame)))
        return {
            name: float(cutoff)
            for name, cutoff in zip(self.features, found, strict=True)
            if np.isfinite(cutoff)
        }


@dataclass(frozen=True, slots=True)
class PenalizedLearner:
    """All features as they were measured, standardized, in a penalized Cox model.

    Parameters
    ----------
    features
        Columns of the model.
    options
        Kind of penalty and how it is chosen, by cross-validation within the training patients.
    """

    features: tuple[str, ...]
    options: PenaltyOptions

    def __call__(
        self, frame: pd.DataFrame, survival: Survival, groups: NDArray[np.intp], seed: int
    ) -> Learned:
        """Learn penalty and coefficients."""
        options = replace(self.options, seed=seed)
        found = fit_penalized(frame, survival, self.features, options, groups=groups)
        return Learned(found.linear_predictor, found.selected, found.penalty, options.l1_ratio)


@dataclass(frozen=True, slots=True)
class PlainLearner:
    """A Cox model of given columns: nothing is selected.

    Parameters
    ----------
    features
        Columns of the model.
    """

    features: tuple[str, ...]

    def __call__(
        self, frame: pd.DataFrame, survival: Survival, groups: NDArray[np.intp], seed: int
    ) -> Learned:
        """Learn the coefficients."""
        found = fit_cox(frame, survival, self.features)
        return Learned(found.linear_predictor, found.columns)
