"""The cut-off of a score: what may be chosen about it, and what was found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.options import Options, option

if TYPE_CHECKING:
    import pandas as pd

Rule = Literal["code", "text", "text_values", "median", "fixed"]


@dataclass(frozen=True, slots=True)
class ScoreOptions(Options):
    """How the cut-off between low and high scores is found."""

    rule: Literal["code", "text", "text_values", "median", "fixed"] = option(
        "code",
        "Which cut-off: smallest Wald p as in the authors' code; smallest log-rank p as in their "
        "text, over percentiles or over evenly spaced values; the median; or a given one",
        choices=("code", "text", "text_values", "median", "fixed"),
        label="Score cut-off",
    )
    low: float | None = option(
        None,
        "Lowest quantile that is tried (not given: 0.1 for code, 0.2 for text)",
        min=0,
        max=1,
        label="From",
        advanced=True,
    )
    high: float | None = option(
        None,
        "Highest quantile that is tried (not given: 0.9 for code, 0.8 for text)",
        min=0,
        max=1,
        label="To",
        advanced=True,
    )
    steps: int | None = option(
        None,
        "Steps: per unit of score for code (not given: 10000), in all for text (1000)",
        min=1,
        max=100_000_000,
        label="Steps",
        advanced=True,
    )
    cutoff: float | None = option(None, "The cut-off, for fixed", label="Cut-off", advanced=True)


@dataclass(frozen=True, slots=True, eq=False)
class ScoreCutoff:
    """A cut-off of a score; high is ``score >= cutoff``.

    Parameters
    ----------
    rule
        How it was found.
    cutoff
        In units of the score.
    p, test
        p value of the split and of what: ``"Wald"`` or ``"log-rank"``. It does not account for the
        search.
    n_low, n_high, n_missing
        Patients on either side, and without a score.
    hr, hr_lower95, hr_upper95
        Hazard of the high against the low group (Cox, Efron), NaN if a group has no deaths.
    below, above
        The scores next to the cut-off: the largest low one, the smallest high one.
    path
        Every distinct split that was tried: rule, cutoff, p (NaN if a group has no deaths).
    note
        What a reader should know.
    """

    rule: Rule
    cutoff: float
    p: float
    test: Literal["Wald", "log-rank"]
    n_low: int
    n_high: int
    n_missing: int
    hr: float
    hr_lower95: float
    hr_upper95: float
    below: float
    above: float
    path: pd.DataFrame
    note: str = ""

    def is_high(self, score: ArrayLike) -> Floats:
        """Return 1 for high, 0 for low, NaN where there is no score."""
        values = np.asarray(score, np.float64)
        high = (values >= self.cutoff).astype(np.float64)
        return np.where(np.isnan(values), np.nan, high)


def score_cutoff_table(cutoffs: Iterable[ScoreCutoff], used: str) -> pd.DataFrame:
    """Return the table ``score_cutoff``: one row per rule.

    Parameters
    ----------
    cutoffs
        By several rules.
    used
        The rule that forms the groups.
    """
    import pandas as pd

    columns = ["rule", "cutoff", "p", "test", "n_low", "n_high", "hr", "hr_lower95", "hr_upper95"]
    rows = [
        {name: getattr(each, name) for name in columns}
        | {"used": each.rule == used, "note": each.note}
        for each in cutoffs
    ]
    return pd.DataFrame(rows, columns=[*columns, "used", "note"])
