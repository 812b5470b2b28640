"""What may be chosen about a simulated cohort."""

from __future__ import annotations

from dataclasses import dataclass

from napari_crlm_spa.core.options import Options, option

#: The seed whose patients have the plain names SIM-0001, SIM-0002, ...
PLAIN_SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulateOptions(Options):
    """How many simulated patients there are, and what decides about their lives."""

    n_patients: int = option(
        433,
        "Patients (the paper's discovery cohort has 433, its validation cohort 404)",
        min=10,
        max=100_000,
        label="Patients",
    )
    seed: int = option(
        PLAIN_SEED,
        "Start of the random numbers: another seed, other patients from the same truth",
        min=0,
        max=2**31 - 1,
        label="Seed",
    )
    effects: str = option(
        "repo_2022",
        "Risk model whose coefficients are the truth",
        choices=("repo_2022", "paper_eq1"),
        label="True coefficients",
    )
    effect_size: float = option(
        1.0,
        "All true coefficients times this; 0: nothing has an effect",
        min=0.0,
        max=5.0,
        label="Effect size",
    )
    slides_per_patient: int = option(
        1, "Slides of each patient; the first has most tumor", min=1, max=20, label="Slides"
    )
    survival_5y: float = option(
        0.515,
        "Share alive at 5 years (the paper's discovery cohort: 51.5 %)",
        min=0.05,
        max=0.95,
        advanced=True,
    )
    weibull_shape: float = option(
        1.15,
        "Shape of the Weibull survival times; 1: the hazard stays the same (our assumption)",
        min=0.3,
        max=5.0,
        advanced=True,
    )
    shortest_follow_up_months: float = option(
        12.0,
        "Who lives is followed for at least this long",
        min=0.0,
        max=120.0,
        unit="months",
        advanced=True,
    )
    longest_follow_up_months: float = option(
        104.0,
        "Nobody is followed for longer; 12 to 104 months give the paper's median of 51.6 months",
        min=1.0,
        max=600.0,
        unit="months",
        advanced=True,
    )
