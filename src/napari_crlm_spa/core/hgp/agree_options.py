"""How reviews are compared with each other and with what was measured."""

from __future__ import annotations

from dataclasses import dataclass

from napari_crlm_spa.core.hgp.rules import TOLERANCE_PCT
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.spatial.interface.options import InterfaceOptions

_INTERFACE = InterfaceOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreeOptions(Options):
    """How reviews are compared with each other and with what was measured."""

    consensus: str = option(
        "mean",
        "What several readers' shares become; a reader called consensus overrules them",
        choices=("mean", "median"),
        label="Consensus",
    )
    consensus_rater: str = option(
        "consensus", "Who speaks for all readers, if there is such a reader", advanced=True
    )
    k_extremes: int = option(
        15, "Slides at each end of the score; the paper has 15", min=1, max=10_000, advanced=True
    )
    resamples: int = option(
        2000,
        "How often patients are drawn again for intervals; 0: none",
        min=0,
        max=100_000,
        label="Bootstrap draws",
    )
    seed: int = option(0, "Start of the random numbers", min=0, max=2**31 - 1, label="Seed")
    level: float = option(0.95, "Of the intervals", min=0.5, max=0.999, advanced=True)
    calibration_groups: int = option(
        5, "Groups of the calibration (a heuristic of ours)", min=2, max=20, advanced=True
    )
    tolerance_pct: float = option(
        TOLERANCE_PCT,
        "The tolerant rule still calls D with so much that is not D (a heuristic of ours)",
        min=0.0,
        max=50.0,
        unit="%",
        advanced=True,
    )
    min_assessable_pct: float = option(
        100 * _INTERFACE.min_assessable,
        "Reviews and measurements of which less could be judged do not count (a heuristic of ours)",
        min=0.0,
        max=100.0,
        unit="%",
        advanced=True,
    )
    min_interface_mm: float = option(
        _INTERFACE.min_interface_mm,
        "Nor measurements of a shorter interface (a heuristic of ours)",
        min=0.0,
        max=1000.0,
        unit="mm",
        advanced=True,
    )
    min_blocks: int = option(
        2,
        "Patients with fewer blocks of a lesion are flagged: two are better than one (Höppener et "
        "al. 2019)",
        min=1,
        max=20,
        advanced=True,
    )
    folds: int = option(
        5,
        "Parts of the patients when a cut-off for the contact is chosen on the others (a "
        "heuristic of ours)",
        min=2,
        max=50,
        advanced=True,
    )
    adjust: str = option(
        "",
        "Columns of the cohort to adjust survival for, separated by commas; chemotherapy and "
        "clinical risk score, where they are known, if not given",
        advanced=True,
    )
