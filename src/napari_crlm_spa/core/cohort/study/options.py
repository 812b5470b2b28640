"""What may be chosen about the analysis of a cohort."""

from __future__ import annotations

import math
from dataclasses import dataclass

from napari_crlm_spa.core.cohort.prediction.times import PAPER_TIMES_MONTHS
from napari_crlm_spa.core.options import Options, option


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeOptions(Options):
    """How a score is judged, in the patients it was fitted to and in others."""

    times_months: str = option(
        ",".join(f"{months:g}" for months in PAPER_TIMES_MONTHS),
        "Times at which ROC, calibration and Brier score are computed (the paper: 5 and 8 years)",
        unit="months",
        label="Prediction times",
    )
    adjust_for: str = option(
        "",
        "Clinical columns of the multivariable model, separated by commas; empty: those with "
        "p < 0.05 by themselves, as in the paper's table S5",
        label="Adjust for",
    )

    def times(self) -> tuple[float, ...]:
        """Return the prediction times in months.

        Raises
        ------
        CohortError
            If the text is not a list of positive numbers.
        """
        from napari_crlm_spa.errors import CohortError

        try:
            found = tuple(float(part) for part in self.times_months.split(",") if part.strip())
        except ValueError:
            found = ()
        if not found or not all(0 < time < math.inf for time in found):
            raise CohortError(
                f"The prediction times are {self.times_months!r}; give months separated by commas, "
                "for instance 60,96."
            )
        return tuple(sorted(set(found)))

    def adjusting(self) -> tuple[str, ...]:
        """Return the clinical columns that were named."""
        parts = (part.strip() for part in self.adjust_for.split(","))
        return tuple(dict.fromkeys(part for part in parts if part))


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOptions(JudgeOptions):
    """How much is computed of a fit, and what all its parts share."""

    stability_resamples: int = option(
        0,
        "Bootstrap resamples of each cut-off, to see how stable it is; 0: none",
        min=0,
        max=100_000,
        label="Cut-off resamples",
    )
    calibration_resamples: int = option(
        0,
        "Bootstrap resamples of the calibration (the paper: 1000); 0: apparent calibration only",
        min=0,
        max=100_000,
        label="Calibration resamples",
    )
    cv_repeats: int = option(
        0,
        "Repeats of the nested cross-validation of stepwise, ridge, elastic net and lasso; 0: none",
        min=0,
        max=1000,
        label="Cross-validation repeats",
    )
    cv_folds: int = option(
        5,
        "Folds of the nested cross-validation",
        min=2,
        max=50,
        label="Cross-validation folds",
        advanced=True,
    )
    seed: int = option(
        1,
        "Seed of resamples and folds; stored with the results",
        min=0,
        max=2**31 - 1,
        advanced=True,
    )
