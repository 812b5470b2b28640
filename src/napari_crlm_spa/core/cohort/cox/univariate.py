"""One Cox model per column: the form of the paper's table S2."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from napari_crlm_spa.core.cohort.columns import SOFS, label_of
from napari_crlm_spa.core.cohort.cox.degenerate import EVENTS_PER_COEFFICIENT
from napari_crlm_spa.core.cohort.cox.fit import CoxFit, fit_cox
from napari_crlm_spa.core.cohort.cox.partial_likelihood import Ties
from napari_crlm_spa.core.cohort.survival import Floats, Survival

if TYPE_CHECKING:
    import pandas as pd


def univariate_table(
    frame: pd.DataFrame,
    survival: Survival,
    columns: Sequence[str],
    *,
    ties: Ties = "efron",
    events_per_coefficient: float = EVENTS_PER_COEFFICIENT,
) -> pd.DataFrame:
    """Fit each column by itself, to the patients that have it.

    Parameters
    ----------
    frame
        One row per patient; dichotomized features are 0/1.
    survival
        Follow-up of the same patients.
    columns
        What to fit.
    ties
        How tied deaths are handled.
    events_per_coefficient
        Fewer deaths give a note.

    Returns
    -------
    DataFrame
        One row per column, in their order: ``column, label, kind, n, events, coef, se, hr,
        hr_lower95, hr_upper95, p_lrt, p_fdr, p_wald, p_score, concordance, note``. `p_lrt` is the
        p value of table S2; `p_fdr` adjusts it over all rows of this table. A `note` says what is
        doubtful.
    """
    import pandas as pd

    fits = {
        column: fit_cox(
            frame, survival, [column], ties=ties, events_per_coefficient=events_per_coefficient
        )
        for column in columns
    }
    rows = [_row(column, fit) for column, fit in fits.items()]
    table = pd.DataFrame(rows, columns=list(_HEADER))
    if not rows:  # columns of nothing would be of no kind
        table = table.astype({name: float for name in _HEADER if name not in _WORDS})
    table["p_fdr"] = false_discovery_rate(table["p_lrt"])
    return table


_HEADER = (
    "column",
    "label",
    "kind",
    "n",
    "events",
    "coef",
    "se",
    "hr",
    "hr_lower95",
    "hr_upper95",
    "p_lrt",
    "p_fdr",
    "p_wald",
    "p_score",
    "concordance",
    "note",
)


_WORDS = ("column", "label", "kind", "note")


def _row(column: str, fit: CoxFit) -> dict[str, object]:
    own = fit.table().iloc[0]
    return {
        "column": column,
        "label": label_of(column),
        "kind": "sof" if column in SOFS else "clinical",
        "n": fit.n,
        "events": fit.n_events,
        **{name: own[name] for name in ("coef", "se", "hr", "hr_lower95", "hr_upper95", "p_wald")},
        "p_lrt": fit.lrt.p,
        "p_score": fit.score.p,
        "concordance": fit.concordance,
        "note": " ".join(fit.warnings),
    }


def false_discovery_rate(p: ArrayLike) -> Floats:
    """Adjust p values by Benjamini and Hochberg's rule (J R Stat Soc B 1995;57:289).

    Parameters
    ----------
    p
        Shape (m,). Holes stay holes and don't count (as R's ``p.adjust``).
    """
    values = np.asarray(p, np.float64)
    adjusted = np.full(len(values), np.nan)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    ratio = values[order] * (len(order) / np.arange(1, len(order) + 1))
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(ratio[::-1])[::-1])
    return adjusted


def significant(table: pd.DataFrame, limit: float, columns: Iterable[str]) -> tuple[str, ...]:
    """Return those of some columns whose likelihood-ratio p is below a limit, in their order."""
    p = dict(zip(table["column"], table["p_lrt"], strict=True))
    return tuple(column for column in columns if p.get(column, np.nan) < limit)
