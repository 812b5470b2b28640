"""The columns of some slides as arrays, and every statistic of some rows of them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import PATIENT
from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.hgp.association import calibration_line
from napari_crlm_spa.core.hgp.association.weighted import RankedColumns, RankedScore
from napari_crlm_spa.core.hgp.columns import (
    MARKERS,
    PCT_D,
    PCT_NON_D,
    PERIMETER_PER_AREA,
    TUMOR_TILES,
)
from napari_crlm_spa.core.hgp.consensus import called, reviewed
from napari_crlm_spa.core.hgp.rules import RULES

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")
#: Speaks for D if high; the other markers with their sign turned round.
AUC_MARKERS = {PCT_D: 1, **{name: -sign for name, sign in MARKERS.items()}}
#: Measured rule and reviewed rule: the same one, and the strict one, which is the guideline's.
RULE_PAIRS = tuple((rule, other) for rule in RULES for other in dict.fromkeys((rule, RULES[0])))


class StratumValues:
    """The columns of a stratum as arrays, shape (slides,); calls are 1, 0 or NaN."""

    def __init__(self, slides: pd.DataFrame) -> None:
        self.patients = slides[PATIENT].to_numpy(str)
        self.non_d = slides[reviewed(PCT_NON_D)].to_numpy(float)
        self.reviewed_d = slides[reviewed(PCT_D)].to_numpy(float)
        self.measured_d = slides[PCT_D].to_numpy(float)
        self.markers = {name: slides[name].to_numpy(float) for name in (PCT_D, *MARKERS)}
        with np.errstate(divide="ignore", invalid="ignore"):
            tiles = np.log(slides[TUMOR_TILES].to_numpy(float))
        tiles[~np.isfinite(tiles)] = np.nan
        given = np.column_stack([tiles, slides[PERIMETER_PER_AREA].to_numpy(float)])
        self.given = given[:, np.isfinite(given).any(axis=0)]
        self.calls = {rule: slides[reviewed(called(rule))].to_numpy(float) for rule in RULES}
        self.measured_calls = {rule: slides[called(rule)].to_numpy(float) for rule in RULES}


class StratumStatistics:
    """All statistics of some rows at once, for the bootstrap."""

    def __init__(self, values: StratumValues) -> None:
        self._values = v = values
        plain = {name: np.column_stack([v.markers[name], v.non_d]) for name in MARKERS}
        self._rho = [RankedColumns(columns) for columns in plain.values()]
        self._partial = [RankedColumns(np.column_stack([c, v.given])) for c in plain.values()]
        self._auc = [
            RankedScore(sign * v.markers[name], v.calls[rule])
            for name, sign in AUC_MARKERS.items()
            for rule in RULES
        ]
        self.names = [
            *(f"rho {marker}" for marker in MARKERS),
            *(f"partial {marker}" for marker in MARKERS),
            *(f"auc {marker} {rule}" for marker in AUC_MARKERS for rule in RULES),
            *("icc", "bias", "intercept", "slope"),
            *(f"kappa {rule} {other}" for rule, other in RULE_PAIRS),
        ]

    def of(self, rows: NDArray[np.intp]) -> Floats:
        """Return the statistics of some rows, in the order of `names`; NaN where undefined."""
        v = self._values
        weights = np.bincount(rows, minlength=len(v.non_d)).astype(np.float64)
        found = [each.correlation(weights) for each in (*self._rho, *self._partial)]
        found += [each.area(weights) for each in self._auc]
        x, y = v.measured_d[rows], v.reviewed_d[rows]
        known = np.isfinite(x) & np.isfinite(y)
        x, y = x[known], y[known]
        found += [_icc(x, y), float((x - y).mean()) if len(x) else NAN]
        found += calibration_line(x, y)
        found += [
            _kappa(v.calls[other][rows], v.measured_calls[rule][rows]) for rule, other in RULE_PAIRS
        ]
        return np.array(found)


def _icc(x: Floats, y: Floats) -> float:
    """Return ICC(A,1) of two columns, without its interval: the same as `icc_a1`."""
    n = len(x)
    if n < 2:
        return NAN
    total, apart = x + y, x - y
    rows = float(total.var(ddof=1)) / 2
    error = float(apart.var(ddof=1)) / 2
    columns = n * float(apart.mean()) ** 2 / 2
    below = rows + error + 2 * (columns - error) / n
    # What adding up leaves of no variation is none.
    least = (1e-12 * float(np.abs(total).max())) ** 2
    return (rows - error) / below if below > least else NAN


def _kappa(a: Floats, b: Floats) -> float:
    known = np.isfinite(a) & np.isfinite(b)
    n = int(known.sum())
    if not n:
        return NAN
    first, second = a[known].mean(), b[known].mean()
    expected = first * second + (1 - first) * (1 - second)
    return (
        float(((a[known] == b[known]).mean() - expected) / (1 - expected)) if expected < 1 else NAN
    )
