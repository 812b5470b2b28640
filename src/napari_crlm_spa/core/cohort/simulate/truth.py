"""The truth behind a simulated cohort: coefficients, cut-points, and how long patients live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.core.cohort.columns import CRS_SCORE, SOFS
from napari_crlm_spa.core.cohort.curves.grouped import FIVE_YEARS_MONTHS
from napari_crlm_spa.core.cohort.cutpoints.dichotomizer import above
from napari_crlm_spa.core.cohort.simulate.clinical import MARGINALS, draw_clinical
from napari_crlm_spa.core.cohort.simulate.options import SimulateOptions
from napari_crlm_spa.core.cohort.simulate.tissue import count_tiles, draw_tissue, features_of
from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.risk import RiskFeature, RiskModel, load_risk_model
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

#: Stands in every file of a simulated cohort.
SIMULATED = (
    "SIMULATED. These patients do not exist; they were drawn by crlm-spa cohort simulate to try "
    "and test the software. Nothing can be learned from them about real patients."
)
#: Effects of clinical columns. SYSUCC: multivariable models in the authors' knitted analysis.
CLINICAL_EFFECTS: Mapping[str, float] = {
    CRS_SCORE: 0.2804,
    "Preoperative_chemotherapy": 0.4035,
    "Adjuvant_chemotherapy": -0.3052,
}
CLINICAL_SOURCE = (
    "CRS_score: 0.2804 per point beside the SOF score; chemotherapy: logs of the hazard ratios "
    "1.497 and 0.737 of table S5 (authors' knitted analysis, 2022). That these add up is assumed."
)
#: The population of which cut-points and baseline hazard are taken; its seed never changes.
POPULATION, POPULATION_SEED = 6000, 20230727
#: Follow-up of the living ends at ``low + (high - low) z`` with P(z > x) = (1 - x^a)^b
#: (Kumaraswamy's distribution): a and b were chosen so that the numbers at risk resemble the
#: paper's from month 12 to month 96.
CENSORING_SHAPES = (1.3, 1.7)


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is true of all cohorts that are drawn with the same options but seed and size.

    Parameters
    ----------
    sof_coefficients
        Log hazard ratio of "feature above its cut-point", by feature.
    clinical_coefficients
        Log hazard ratio per unit of a clinical column.
    cutpoints
        Of all 20 features: medians of the simulated population. Above them is 1.
    scale_months, shape
        ``S(t) = exp(-(t / scale)^shape exp(x b))``: Weibull, proportional hazards.
    censoring_months
        Follow-up ends between these two, if death doesn't come before.
    risk_model
        Where the coefficients of the features come from.
    effect_size
        What they were multiplied with.
    sources
        Where coefficients come from, in words.
    """

    sof_coefficients: Mapping[str, float]
    clinical_coefficients: Mapping[str, float]
    cutpoints: Mapping[str, float]
    scale_months: float
    shape: float
    censoring_months: tuple[float, float]
    risk_model: str
    effect_size: float
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def coefficients(self) -> dict[str, float]:
        """Features (as 0/1) first, then clinical columns."""
        return {**self.sof_coefficients, **self.clinical_coefficients}

    def dichotomize(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return features that have a coefficient as 0/1 at the true cut-points (holes stay)."""
        return above(frame, {name: self.cutpoints[name] for name in self.sof_coefficients})

    def design(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the columns of the true model, in the order of `coefficients`."""
        return self.dichotomize(frame).join(frame[list(self.clinical_coefficients)])

    def linear_predictor(self, frame: pd.DataFrame) -> Floats:
        """Return ``x b`` of patients without holes, shape (n,)."""
        weights = np.array(list(self.coefficients.values()))
        return np.asarray(self.design(frame).to_numpy(np.float64) @ weights)

    def survival_at(self, months: float, predictor: Floats) -> Floats:
        """Return the true probability of being alive, shape (n,)."""
        return np.asarray(np.exp(-((months / self.scale_months) ** self.shape) * np.exp(predictor)))

    @property
    def has_risk_model(self) -> bool:
        """Whether the coefficients of features are a preset's, and not 0."""
        return bool(self.effect_size and self.risk_model)

    def censoring_at(self, share: Floats) -> Floats:
        """Return the month at which the follow-up of this share of the living has ended."""
        (low, high), (a, b) = self.censoring_months, CENSORING_SHAPES
        return np.asarray(low + (high - low) * (1 - (1 - share) ** (1 / b)) ** (1 / a))

    def true_risk_model(self) -> RiskModel:
        """Return the truth as a risk model, with its cut-points.

        Raises
        ------
        CohortError
            If no feature has an effect, or the coefficients are no preset's.
        """
        if not self.has_risk_model:
            raise CohortError(
                "The simulated truth is no preset's risk model; simulate with one of them "
                "(effects) and an effect size above 0."
            )
        preset = load_risk_model(self.risk_model)
        features = tuple(
            RiskFeature(
                column=name,
                coefficient=value,
                cutoff=self.cutpoints[name],
                cutoff_source="true cut-point of the simulated population (its median)",
            )
            for name, value in self.sof_coefficients.items()
        )
        return RiskModel(
            name="simulated-truth",
            title="Truth of a simulated cohort",
            features=features,
            threshold=preset.threshold * self.effect_size,
            comparison=preset.comparison,
            source=f"{SIMULATED} Coefficients of {preset.name} times {self.effect_size:g}.",
        )

    def as_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        model = {
            "formula": "S(t) = exp(-(t / scale_months)^shape * exp(x b)); x b: features above "
            "their cut-point (1) or not (0), and clinical columns as they are",
            "sof_coefficients": dict(self.sof_coefficients),
            "clinical_coefficients": dict(self.clinical_coefficients),
            "cutpoints": dict(self.cutpoints),
            "cutpoint_direction": ">",
            "scale_months": self.scale_months,
            "shape": self.shape,
            "censoring_months": list(self.censoring_months),
            "censoring_shapes": list(CENSORING_SHAPES),
            "risk_model": self.risk_model,
            "effect_size": self.effect_size,
            "sources": dict(self.sources),
            "marginals": [asdict(each) for each in MARGINALS],
        }
        return {"simulated": True, "statement": SIMULATED, **model}


def true_model(
    options: SimulateOptions,
    *,
    sof_coefficients: Mapping[str, float] | None = None,
    clinical_coefficients: Mapping[str, float] | None = None,
) -> Truth:
    """Return the truth that these options stand for.

    Parameters
    ----------
    options
        Seed and number of patients play no part.
    sof_coefficients, clinical_coefficients
        Instead of the risk model's, and of `CLINICAL_EFFECTS`.

    Raises
    ------
    CohortError
        If a coefficient belongs to no simulated column, or censoring ends before it begins.
    """
    low, high = options.shortest_follow_up_months, options.longest_follow_up_months
    if not low < high:
        raise CohortError(
            f"The longest follow-up is {high:g} months and the shortest {low:g}; the longest must "
            "be longer."
        )
    preset = load_risk_model(options.effects)
    sof = (
        {each.column: each.coefficient for each in preset.features}
        if sof_coefficients is None
        else dict(sof_coefficients)
    )
    clinical = dict(CLINICAL_EFFECTS if clinical_coefficients is None else clinical_coefficients)
    population = _population()
    unknown = [c for c in sof if c not in SOFS] + [c for c in clinical if c not in population]
    if unknown:
        raise CohortError(
            f"{unknown[0]} is no simulated column, so it can't have a coefficient. Take one of the "
            "20 spatial features or of the clinical columns."
        )
    size = options.effect_size
    truth = Truth(
        {name: value * size for name, value in sof.items()},
        {name: value * size for name, value in clinical.items()},
        {name: float(np.median(population[name])) for name in SOFS},
        1.0,
        options.weibull_shape,
        (low, high),
        options.effects if sof_coefficients is None else "",
        size,
        {
            "sof": preset.source if sof_coefficients is None else "given by the caller",
            "clinical": CLINICAL_SOURCE if clinical_coefficients is None else "given by the caller",
        },
    )
    scale = _scale(truth.linear_predictor(population), options.survival_5y, truth.shape)
    return replace(truth, scale_months=scale)


def _scale(predictor: Floats, survival_5y: float, shape: float) -> float:
    """Find the scale at which this share of the population lives for five years."""
    hazard = np.exp(predictor)
    low, high = 0.0, 1.0  # cumulative baseline hazard at five years
    while np.exp(-high * hazard).mean() > survival_5y:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if np.exp(-middle * hazard).mean() > survival_5y:
            low = middle
        else:
            high = middle
    return float(FIVE_YEARS_MONTHS / ((low + high) / 2) ** (1 / shape))


@lru_cache(maxsize=1)
def _population() -> pd.DataFrame:
    rng = np.random.default_rng(POPULATION_SEED)
    tissue = draw_tissue(rng, POPULATION)
    features = features_of(count_tiles(rng, tissue), tissue.not_tumor)
    return draw_clinical(rng, tissue.debris, tissue.lymphocytes)[0].join(features)
