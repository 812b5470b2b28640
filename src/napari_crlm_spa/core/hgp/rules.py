"""From shares of the interface to a call, D or non-D, by a named rule.

``strict``: desmoplastic all along (Galjart et al. 2019; the 2022 guideline). ``tolerant``: at least
95 % (as desmo-95 in the digital maps of Fernandez Moro et al. 2023; the 5 % are a heuristic).
``predominant``: more than half (the 2017 guideline). Replacement and pushing are not told apart.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.hgp.columns import SHARES
from napari_crlm_spa.core.spatial.interface.options import InterfaceOptions

Rule = Literal["strict", "tolerant", "predominant"]
RULES: tuple[Rule, ...] = get_args(Rule)
#: What the 2017 guideline calls a pattern: more than half of the interface.
HALF_PCT = 50.0
#: Sums of lengths are not exact: so little is nothing, in percent.
ROUNDING_PCT = 0.05
#: The tolerant rule's part that need not be desmoplastic, in percent (heuristic).
TOLERANCE_PCT = InterfaceOptions().tolerant_pct
D, NON_D = "D", "non-D"
PATTERNS = ("D", "R", "P", "other")


def desmoplastic(pct_d: ArrayLike, rule: Rule, *, tolerance_pct: float = TOLERANCE_PCT) -> Floats:
    """Call slides, lesions or patients.

    Parameters
    ----------
    pct_d
        Desmoplastic share of the interface in percent, any shape; NaN has no call.
    rule
        Which rule.
    tolerance_pct
        Of the tolerant rule.

    Returns
    -------
    ndarray
        1 for D, 0 for non-D, NaN without a share; the shape of `pct_d`.
    """
    share = np.asarray(pct_d, np.float64)
    if rule == "strict":
        called = share >= 100 - ROUNDING_PCT
    elif rule == "tolerant":
        called = share >= 100 - tolerance_pct - 1e-9
    else:
        called = share > HALF_PCT
    return np.where(np.isnan(share), np.nan, called.astype(np.float64))


def words(calls: ArrayLike) -> list[str]:
    """Spell calls: 1 is ``D``, 0 ``non-D``, NaN nothing."""
    values = np.asarray(calls, np.float64)
    return ["" if np.isnan(each) else (D if each else NON_D) for each in values]


def predominant_pattern(shares: ArrayLike) -> list[str]:
    """Return the pattern with the largest share of each row; a tie or a hole has none ("").

    Parameters
    ----------
    shares
        D, R, P and other, in percent, shape (n, 4).
    """
    values = np.asarray(shares, np.float64).reshape(-1, len(SHARES))
    found = []
    for row in values:
        if np.isnan(row).any():
            found.append("")
            continue
        largest = np.flatnonzero(row >= row.max() - ROUNDING_PCT)
        found.append(PATTERNS[int(largest[0])] if len(largest) == 1 else "")
    return found
