"""What of a fit is applied, unchanged, to other patients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_crlm_spa.core.cohort.cutpoints import Cutpoint, Dichotomizer
from napari_crlm_spa.core.cohort.prediction.predicted import PredictionModel
from napari_crlm_spa.core.cohort.score import linear_score
from napari_crlm_spa.core.cohort.study.contents import Study
from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.risk import RiskModel
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

#: Where it stands among the facts of a study.
FROZEN = "frozen"


@dataclass(frozen=True, slots=True, eq=False)
class FrozenStudy:
    """Cut-offs, coefficients, the score's cut-off and baseline hazards of a fit.

    Parameters
    ----------
    cohort
        The discovery cohort.
    dichotomizer
        Where features are split; it also knows (by hash) whom it was fitted to.
    coefficients
        Of the score, by feature.
    cutoff
        High risk: score >= cutoff.
    models
        Models that predict survival, by name; empty for a risk model from elsewhere.
    """

    cohort: str
    dichotomizer: Dichotomizer
    coefficients: Mapping[str, float]
    cutoff: float
    models: Mapping[str, PredictionModel]

    def apply(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, Floats]:
        """Return the 0/1 features that the score needs, and each patient's score.

        Raises
        ------
        CohortError
            If a column is missing.
        """
        missing = [each for each in self.coefficients if each not in frame.columns]
        if missing:
            raise CohortError(
                f"The table has no column {missing[0]!r}, which the score of {self.cohort} needs. "
                f"It needs {', '.join(self.coefficients)}."
            )
        binary = self.dichotomizer.apply(frame[list(self.coefficients)])
        return binary, linear_score(binary, self.coefficients)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "cohort": self.cohort,
            "dichotomizer": self.dichotomizer.as_dict(),
            "coefficients": dict(self.coefficients),
            "cutoff": self.cutoff,
            "models": {name: each.as_dict() for name, each in self.models.items()},
        }

    @classmethod
    def of_study(cls, study: Study) -> FrozenStudy:
        """Return what a fit left for other cohorts.

        Raises
        ------
        CohortError
            If the study has no score, or its record is damaged.
        """
        values = study.facts.get(FROZEN)
        if not values:
            raise CohortError(
                f"The study of {study.cohort} has no score that could be validated: no model was "
                "found there, or it is a validation itself. Name the folder of a fit."
            )
        try:
            return cls(
                cohort=str(values["cohort"]),
                dichotomizer=Dichotomizer.from_dict(values["dichotomizer"]),
                coefficients={str(k): float(v) for k, v in values["coefficients"].items()},
                cutoff=float(values["cutoff"]),
                models={k: PredictionModel.from_dict(v) for k, v in values["models"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CohortError(
                f"The record of the study of {study.cohort} is damaged ({error}). Fit the cohort "
                "again."
            ) from error

    @classmethod
    def of_risk_model(cls, model: RiskModel) -> FrozenStudy:
        """Return a risk model, a preset with cut-offs for instance, in this form.

        Raises
        ------
        CohortError
            If it has no cut-offs, or compares otherwise than ``>`` and ``>=``.
        """
        if model.missing_cutoffs:
            raise CohortError(
                f"The risk model {model.name} does not say where to split "
                f"{', '.join(model.missing_cutoffs)}. Take the cut-offs from a cohort: crlm-spa "
                "risk fit-cutoffs."
            )
        if model.comparison != ">=" or any(each.direction != ">" for each in model.features):
            raise CohortError(
                f"The risk model {model.name} does not split features by > and scores by >=; "
                "validate a fitted study, or write the model in that form."
            )
        points = tuple(
            Cutpoint(each.column, "fixed", cutoff=float(each.cutoff or 0.0))
            for each in model.features
        )
        return cls(
            cohort=model.name,
            dichotomizer=Dichotomizer(points, model.name),
            coefficients={each.column: each.coefficient for each in model.features},
            cutoff=model.threshold,
            models={},
        )
