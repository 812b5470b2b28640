"""Draw a cohort from the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import (
    CLINICAL,
    EVENT,
    N_SLIDES,
    PATIENT,
    SIMULATED_MARK,
    SLIDE,
    SLIDES,
    SOFS,
    TIME,
    TUMOR_TILES,
)
from napari_crlm_spa.core.cohort.simulate.clinical import draw_clinical
from napari_crlm_spa.core.cohort.simulate.options import PLAIN_SEED, SimulateOptions
from napari_crlm_spa.core.cohort.simulate.tissue import (
    Tissue,
    contiguous_tumor_tiles,
    count_tiles,
    draw_tissue,
    features_of,
    vary,
)
from napari_crlm_spa.core.cohort.simulate.truth import SIMULATED, Truth, true_model
from napari_crlm_spa.core.cohort.survival import Floats, Survival
from napari_crlm_spa.core.cohort.table.contents import Cohort, FlowStep

if TYPE_CHECKING:
    import pandas as pd

#: Months are recorded with one decimal, as in a hospital's table: ties happen. Nobody has 0.
MONTH_DECIMALS, SHORTEST_MONTHS = 1, 0.1
TISSUE_TILES = "tissue_tiles"


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedCohort:
    """Patients who do not exist, and the truth that they were drawn from.

    Parameters
    ----------
    frame
        One row per patient: patient, slides, n_slides, follow-up, clinical columns, 20 features,
        and the mark `simulated` = 1. Holes: adjuvant chemotherapy of some.
    slides
        One row per slide: patient, slide, 20 features, tiles. The first slide of a patient has
        the largest tumor region and is the one whose features the patient has.
    truth
        What they were drawn from.
    options
        How.
    """

    frame: pd.DataFrame
    slides: pd.DataFrame
    truth: Truth
    options: SimulateOptions

    @property
    def survival(self) -> Survival:
        """The follow-up of all patients."""
        return Survival.of(self.frame[TIME], self.frame[EVENT])

    @property
    def name(self) -> str:
        """What the cohort is called wherever it is shown."""
        return f"simulated cohort (seed {self.options.seed})"

    def cohort(self) -> Cohort:
        """Return the patients as a cohort that every analysis takes."""
        n = len(self.frame)
        flow = (FlowStep("Simulated patients", "patients", n, n, SIMULATED),)
        return Cohort(self.name, self.frame, flow, record=self.record())

    def record(self) -> dict[str, Any]:
        """Return options and truth, ready for JSON."""
        return {
            **self.truth.as_dict(),
            "seed": self.options.seed,
            "options": self.options.as_dict(),
            "n": len(self.frame),
            "n_events": self.survival.n_events,
            "versions": _versions(),
        }


def simulate_cohort(
    options: SimulateOptions | None = None,
    *,
    sof_coefficients: Mapping[str, float] | None = None,
    clinical_coefficients: Mapping[str, float] | None = None,
) -> SimulatedCohort:
    """Draw a cohort.

    Parameters
    ----------
    options
        Defaults if None: as many patients as the paper's discovery cohort.
    sof_coefficients, clinical_coefficients
        True log hazard ratios instead of the risk model's: by feature (of "above its cut-point"),
        by clinical column (per unit).

    Raises
    ------
    CohortError
        If a coefficient belongs to no simulated column, or censoring ends before it begins.
    """
    chosen = options or SimulateOptions()
    truth = true_model(
        chosen, sof_coefficients=sof_coefficients, clinical_coefficients=clinical_coefficients
    )
    n = chosen.n_patients
    # A stream each: more slides, or other effects, leave the same patients.
    for_tissue, for_clinic, for_life, for_slides = (
        np.random.default_rng(seed) for seed in np.random.SeedSequence(chosen.seed).spawn(4)
    )
    tissue = draw_tissue(for_tissue, n)
    counts = count_tiles(for_tissue, tissue)
    clinical, unknown = draw_clinical(for_clinic, tissue.debris, tissue.lymphocytes)
    frame = clinical.join(features_of(counts, tissue.not_tumor))
    time, event = _live(for_life, truth, truth.linear_predictor(frame))
    frame["Adjuvant_chemotherapy"] = frame["Adjuvant_chemotherapy"].mask(unknown)
    frame[PATIENT], frame[TIME], frame[EVENT] = patient_names(n, chosen.seed), time, event
    slides = _slides(for_slides, tissue, counts, frame[PATIENT], chosen.slides_per_patient)
    frame[SLIDES] = slides.groupby(PATIENT, sort=False)[SLIDE].agg("; ".join).to_numpy()
    frame[N_SLIDES], frame[SIMULATED_MARK] = float(chosen.slides_per_patient), 1.0
    order = [PATIENT, SLIDES, N_SLIDES, TIME, EVENT, *CLINICAL, *SOFS, SIMULATED_MARK]
    return SimulatedCohort(frame[order], slides, truth, chosen)


def patient_names(n: int, seed: int) -> list[str]:
    """Return SIM-0001, SIM-0002, ...; other seeds have other patients, so SIM7-0001, ..."""
    prefix = "SIM" if seed == PLAIN_SEED else f"SIM{seed}"
    return [f"{prefix}-{number:04d}" for number in range(1, n + 1)]


def _live(rng: np.random.Generator, truth: Truth, predictor: Floats) -> tuple[Floats, Floats]:
    """Draw follow-up in months and 1 = died, by inverting both distributions."""
    n = len(predictor)
    death = truth.scale_months * (rng.exponential(size=n) / np.exp(predictor)) ** (1 / truth.shape)
    censored = truth.censoring_at(rng.random(n))
    time = np.round(np.minimum(death, censored), MONTH_DECIMALS)
    return np.maximum(time, SHORTEST_MONTHS), (death <= censored).astype(float)


def _slides(
    rng: np.random.Generator,
    tissue: Tissue,
    counts: NDArray[np.int64],
    patients: pd.Series[str],
    per_patient: int,
) -> pd.DataFrame:
    import pandas as pd

    drawn = [_slide_frame(patients, 1, counts, tissue)]
    most = contiguous_tumor_tiles(counts)
    for number in range(2, per_patient + 1):
        other = vary(rng, tissue)
        frame = _slide_frame(patients, number, count_tiles(rng, other), other)
        frame[TUMOR_TILES] = np.minimum(frame[TUMOR_TILES], np.maximum(most - number, 0))
        drawn.append(frame)
    together = pd.concat(drawn, ignore_index=True)
    return together.sort_values(SLIDE, kind="stable", ignore_index=True)


def _slide_frame(
    patients: pd.Series[str], number: int, counts: NDArray[np.int64], tissue: Tissue
) -> pd.DataFrame:
    names = [f"{patient}-{number:02d}" for patient in patients]
    frame = features_of(counts, tissue.not_tumor)
    frame.insert(0, PATIENT, list(patients))
    frame.insert(1, SLIDE, names)
    frame[TISSUE_TILES] = counts.sum(axis=1)
    frame[TUMOR_TILES] = contiguous_tumor_tiles(counts)
    return frame


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("napari-crlm-spa", "numpy")}
