"""Numbers of a lesion or of a slide, from the codes along its contours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.spatial.interface.codes import InterfaceCode
from napari_crlm_spa.core.spatial.interface.regularize import Run

#: Rims at least so thick are counted, in micrometers. No threshold has evidence.
RIM_LIMITS_UM = (100, 200, 300)
_MM = 1000.0


class CodedLine(Protocol):
    """What of a contour is summed up; see `Contour`."""

    @property
    def codes(self) -> NDArray[np.uint8]: ...  # noqa: D102
    @property
    def thickness_um(self) -> NDArray[np.float64]: ...  # noqa: D102
    @property
    def rim_lymphocytes(self) -> NDArray[np.float64]: ...  # noqa: D102
    @property
    def spacing_um(self) -> float: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceSummary:
    """Numbers of a lesion or a slide; NaN where there is nothing to measure.

    Parameters
    ----------
    lesion
        Number of the lesion; 0 for all of a slide.
    pct_D, pct_N, pct_O
        Share of the assessable length with a rim, in contact, with something else between; they
        sum to 100.
    pct_D_stroma, pct_D_lymphocytes
        pct_D by what most of the rim is.
    interface_mm, assessable_mm
        Length of all outlines, and of what can be judged.
    assessable_fraction
        The second over the first.
    n_runs_N, longest_N_um
        Stretches in contact, and the longest.
    rim_median_um, rim_p10_um, rim_p90_um
        Thickness along the rim.
    pct_rim_100um, pct_rim_200um, pct_rim_300um
        Share of the assessable length with a rim at least so thick.
    rim_lymphocyte_share
        Mean share of lymphocytes in the rim.
    tumor_tiles, tumor_mm2
        Living tumor inside.
    contact_mm_per_mm2
        Length in contact over the area of living tumor.
    interaction_paper, interaction_border
        Tumor-hepatocyte interaction over all tumor tiles, which sinks as a lesion grows, and over
        those at a border only; of the whole map as it was classified. NaN for a lesion.
    detection_limit_um
        Thinnest capsule that is seen at the map's stride; NaN where this wasn't measured.
    """

    lesion: int
    pct_D: float  # noqa: N815 - named as the codes
    pct_N: float  # noqa: N815
    pct_O: float  # noqa: N815
    pct_D_stroma: float  # noqa: N815
    pct_D_lymphocytes: float  # noqa: N815
    interface_mm: float
    assessable_mm: float
    assessable_fraction: float
    n_runs_N: int  # noqa: N815
    longest_N_um: float  # noqa: N815
    rim_median_um: float
    rim_p10_um: float
    rim_p90_um: float
    pct_rim_100um: float
    pct_rim_200um: float
    pct_rim_300um: float
    rim_lymphocyte_share: float
    tumor_tiles: int
    tumor_mm2: float
    contact_mm_per_mm2: float
    interaction_paper: float = math.nan
    interaction_border: float = math.nan
    detection_limit_um: float = math.nan

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers ready for JSON (NaN becomes None)."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: _or_none(value) for name, value in values.items()}


def summarize(
    lines: Sequence[CodedLine],
    runs: Sequence[Run],
    *,
    lesion: int,
    tumor_tiles: int,
    tumor_mm2: float,
) -> InterfaceSummary:
    """Sum up contours, each point weighted with the length that it stands for.

    Parameters
    ----------
    lines, runs
        Contours of the lesion or the slide, and their runs.
    lesion
        Its number; 0 for a slide.
    tumor_tiles, tumor_mm2
        Living tumor inside.
    """
    length = _Lengths(lines)
    # Added up in this order, one code alone gives 100 % to the last bit.
    assessable = sum(
        length.of(code) for code in (InterfaceCode.D, InterfaceCode.N, InterfaceCode.O)
    )
    contacts = [run.length_um for run in runs if run.code == InterfaceCode.N]
    thick = [length.rim(length.thickness >= limit) for limit in RIM_LIMITS_UM]
    # Where lymphocytes and stroma are alike it is counted as stroma.
    lymphocytes = length.rim(length.lymphocytes > 0.5)
    rim_um = length.of(InterfaceCode.D)
    median, low, high = length.rim_quantiles((0.5, 0.1, 0.9))
    return InterfaceSummary(
        lesion=lesion,
        pct_D=_pct(rim_um, assessable),
        pct_N=_pct(length.of(InterfaceCode.N), assessable),
        pct_O=_pct(length.of(InterfaceCode.O), assessable),
        pct_D_stroma=_pct(rim_um - lymphocytes, assessable),
        pct_D_lymphocytes=_pct(lymphocytes, assessable),
        interface_mm=length.all / _MM,
        assessable_mm=assessable / _MM,
        assessable_fraction=assessable / length.all if length.all else math.nan,
        n_runs_N=len(contacts),
        longest_N_um=max(contacts, default=0.0),
        rim_median_um=median,
        rim_p10_um=low,
        rim_p90_um=high,
        pct_rim_100um=_pct(thick[0], assessable),
        pct_rim_200um=_pct(thick[1], assessable),
        pct_rim_300um=_pct(thick[2], assessable),
        rim_lymphocyte_share=length.mean_lymphocytes(),
        tumor_tiles=tumor_tiles,
        tumor_mm2=tumor_mm2,
        contact_mm_per_mm2=(
            length.of(InterfaceCode.N) / _MM / tumor_mm2 if tumor_mm2 and assessable else math.nan
        ),
    )


class _Lengths:
    """All points of several contours, with the length of each."""

    def __init__(self, lines: Sequence[CodedLine]) -> None:
        self._um = _joined([np.full(len(line.codes), line.spacing_um) for line in lines])
        self._codes = _joined([line.codes for line in lines])
        self._is_rim = self._codes == InterfaceCode.D
        self.thickness = _joined([line.thickness_um for line in lines])
        self.lymphocytes = _joined([line.rim_lymphocytes for line in lines])
        self.all = float(self._um.sum())

    def of(self, code: InterfaceCode) -> float:
        """Length of a code."""
        return float(self._um[self._codes == code].sum())

    def rim(self, where: NDArray[np.bool_]) -> float:
        """Length of the rim where something holds."""
        return float(self._um[self._is_rim & where].sum())

    def rim_quantiles(self, shares: tuple[float, ...]) -> list[float]:
        """Quantiles of the thickness by length."""
        at = self._is_rim & np.isfinite(self.thickness)
        order = np.argsort(self.thickness[at], kind="stable")
        values, weights = self.thickness[at][order], self._um[at][order]
        if not len(values):
            return [math.nan] * len(shares)
        middle = np.cumsum(weights) - weights / 2
        return [float(np.interp(share * weights.sum(), middle, values)) for share in shares]

    def mean_lymphocytes(self) -> float:
        """Mean share of lymphocytes in the rim by length."""
        at = self._is_rim & np.isfinite(self.lymphocytes)
        weights = self._um[at]
        return float(np.average(self.lymphocytes[at], weights=weights)) if at.any() else math.nan


def _joined(parts: list[NDArray[np.generic]]) -> NDArray[np.float64]:
    return np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)


def _pct(part: float, whole: float) -> float:
    # In this order equal lengths give 100 to the last bit.
    return 100.0 * (part / whole) if whole > 0 else math.nan


def _or_none(value: float) -> float | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value
