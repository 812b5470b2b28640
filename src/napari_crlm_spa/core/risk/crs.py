"""The clinical risk score of Fong et al. (Ann Surg 1999;230:309): five factors, one point each.

As the paper uses it: node-positive primary, disease-free interval under 12 months, more than one
metastasis, largest metastasis over 5 cm, CEA over 200 ng/mL; 0-2 points low, 3-5 high.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.errors import CrlmSpaError, RiskError

Group = Literal["low", "high"]
#: Points from which the score counts as high.
HIGH_FROM = 3
SOURCE = "Fong et al., Ann Surg 1999;230:309-318, as used by Qi et al. 2023"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicalFactors(Options):
    """What the clinical risk score needs; None means unknown, which is not zero."""

    node_positive: bool | None = option(None, "Lymph nodes of the primary tumor contain tumor")
    disease_free_interval_months: float | None = option(
        None,
        "From the primary tumor to the liver metastases; 0 if found together",
        min=0.0,
        max=600.0,
        unit="months",
    )
    n_metastases: int | None = option(None, "Liver metastases", min=1, max=1000)
    largest_metastasis_cm: float | None = option(
        None, "Diameter of the largest liver metastasis", min=0.0, max=50.0, unit="cm"
    )
    cea_ng_ml: float | None = option(
        None, "Preoperative CEA", min=0.0, max=1_000_000.0, unit="ng/mL"
    )

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, float) and math.isnan(value):
                object.__setattr__(self, name, None)
        try:
            Options.__post_init__(self)
        except CrlmSpaError as error:
            raise RiskError(str(error)) from error


@dataclass(frozen=True, slots=True)
class CrsFactor:
    """One factor: what it asks, the patient's value in words, and its point (None: unknown)."""

    name: str
    rule: str
    value: str
    point: int | None


@dataclass(frozen=True, slots=True)
class ClinicalRiskScore:
    """The score with its range.

    Parameters
    ----------
    factors
        The five factors.
    lowest, highest
        The score if every unknown factor were absent, or present.
    """

    factors: tuple[CrsFactor, ...]
    lowest: int
    highest: int

    @property
    def score(self) -> int | None:
        """0-5; None while a factor is unknown."""
        return self.lowest if self.lowest == self.highest else None

    @property
    def group(self) -> Group | None:
        """``"low"`` (0-2), ``"high"`` (3-5), or None if the unknown factors can change it."""
        if self.lowest >= HIGH_FROM:
            return "high"
        return "low" if self.highest < HIGH_FROM else None

    @property
    def unknown(self) -> tuple[str, ...]:
        """Factors that are not known."""
        return tuple(factor.name for factor in self.factors if factor.point is None)

    @property
    def sentence(self) -> str:
        """The result in words."""
        points = str(self.lowest) if self.score is not None else f"{self.lowest} to {self.highest}"
        if self.group is None:
            return (
                f"Clinical risk score {points} of 5: undecided, "
                f"since {', '.join(self.unknown)} {_is(self.unknown)} unknown."
            )
        known = "" if self.score is not None else f" whatever {', '.join(self.unknown)} may be"
        return f"Clinical risk score {points} of 5: {self.group}{known}."


def clinical_risk_score(factors: ClinicalFactors) -> ClinicalRiskScore:
    """Count the points of the clinical risk score; unknown factors widen its range."""
    asked: tuple[tuple[str, str, float | None, str, Callable[[float], bool]], ...] = (
        ("nodal status", "node-positive primary", factors.node_positive, "", bool),
        (
            "disease-free interval",
            "disease-free interval < 12 months",
            factors.disease_free_interval_months,
            "months",
            lambda months: months < 12,
        ),
        ("number of metastases", "> 1 metastasis", factors.n_metastases, "", lambda n: n > 1),
        (
            "largest metastasis",
            "largest metastasis > 5 cm",
            factors.largest_metastasis_cm,
            "cm",
            lambda cm: cm > 5,
        ),
        ("CEA", "CEA > 200 ng/mL", factors.cea_ng_ml, "ng/mL", lambda cea: cea > 200),
    )
    rows = tuple(
        CrsFactor(
            name=name,
            rule=rule,
            value=_in_words(value, unit),
            point=None if value is None else int(met(value)),
        )
        for name, rule, value, unit, met in asked
    )
    lowest = sum(row.point or 0 for row in rows)
    return ClinicalRiskScore(rows, lowest, lowest + sum(row.point is None for row in rows))


def _in_words(value: float | None, unit: str) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g} {unit}".strip()


def _is(names: tuple[str, ...]) -> str:
    return "is" if len(names) == 1 else "are"
