"""What may be chosen about a sample of slides for readers."""

from __future__ import annotations

from dataclasses import dataclass

from napari_crlm_spa.core.hgp.columns import INTERACTION_PAPER
from napari_crlm_spa.core.options import Options, option

HOWS = ("all", "stratified", "extremes")


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleOptions(Options):
    """Which slides are reviewed, and in which order."""

    how: str = option(
        "all",
        "all slides, a random sample stratified by columns and by parts of the score, or the "
        "extremes: highest and lowest score, as in the paper",
        choices=HOWS,
        label="Slides",
    )
    n_slides: int = option(
        100, "Slides of a stratified sample", min=1, max=100_000, label="Sample size"
    )
    strata: str = option(
        "",
        "Columns to stratify by, separated by commas, for instance chemo",
        label="Stratify by",
    )
    score: str = option(
        INTERACTION_PAPER,
        "Column of the score, for extremes and for strata of the score",
        label="Score",
    )
    score_parts: int = option(
        4,
        "Equal parts of the score's range of ranks to stratify by; 1: not by the score (a "
        "heuristic of ours)",
        min=1,
        max=20,
        label="Parts of the score",
    )
    k_extremes: int = option(
        15, "Slides at each end; the paper has 15", min=1, max=10_000, label="Slides at each end"
    )
    repeats_pct: float = option(
        15.0,
        "Share of slides that come twice, 10-20 % (a heuristic of ours)",
        min=0.0,
        max=50.0,
        unit="%",
        label="Repeated slides",
    )
    show_names: bool = option(
        False,
        "Write the slides' names into the list too, for readers who open slides by hand",
        label="Show the slides' names",
    )
    seed: int = option(0, "Start of the random numbers", min=0, max=2**31 - 1, label="Seed")
