"""The interface of a slide: contours, runs, numbers and calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.spatial.interface.calls import Call
from napari_crlm_spa.core.spatial.interface.options import InterfaceOptions
from napari_crlm_spa.core.spatial.interface.regularize import Run
from napari_crlm_spa.core.spatial.interface.summary import InterfaceSummary
from napari_crlm_spa.core.spatial.interface.tables import (
    points_table,
    runs_table,
    summary_table,
)
from napari_crlm_spa.core.spatial.interface.words import RESEARCH_USE_ONLY

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Contour:
    """One closed line around a lesion, or around an island inside it.

    Parameters
    ----------
    vertices_um
        Shape (n, 2), (x, y) in the slide's frame, at even distances; the first isn't repeated.
    arc_um
        How far along the line each lies, shape (n,).
    length_um
        Length of the whole line.
    lesion
        Number of the lesion, from 1.
    inner
        Whether it runs around an island inside the lesion.
    codes, raw_codes
        Shape (n,), uint8 of `InterfaceCode`: regularized, and before.
    thickness_um
        Of the rim, shape (n,): NaN where there is none.
    liver_um
        The nearest point of the liver, shape (n, 2), (x, y); NaN where none is in reach.
    rim_lymphocytes
        Share of lymphocytes in the rim, shape (n,); NaN where there is none.
    """

    vertices_um: NDArray[np.float64]
    arc_um: NDArray[np.float64]
    length_um: float
    lesion: int
    inner: bool
    codes: NDArray[np.uint8]
    raw_codes: NDArray[np.uint8]
    thickness_um: NDArray[np.float64]
    liver_um: NDArray[np.float64]
    rim_lymphocytes: NDArray[np.float64]

    @property
    def closed(self) -> bool:
        """Always: where a lesion is cut by the slide's edge the line runs along the cut."""
        return True

    @property
    def spacing_um(self) -> float:
        """Distance of neighboring points."""
        return self.length_um / len(self.codes)


@dataclass(frozen=True, slots=True, eq=False)
class Interface:
    """What is known of a slide's tumor-liver interface.

    Parameters
    ----------
    contours
        Lines around the lesions, by lesion.
    runs
        Stretches of one code, by contour and start.
    lesions
        Numbers of each lesion: the largest first.
    summary
        Numbers of the slide: all lengths together.
    worst
        The lesion that counts in "all lesions must be desmoplastic"; None without one.
    calls
        D or non-D by named rule.
    refusals, notes
        Why there is no call; what a reader should know. Sentences.
    body, liver
        Shape (rows, cols), bool: lesions, and the liver that was kept.
    options
        How it was measured.
    stride_um, origin_um
        Of the map: see `TissueMap`.
    """

    contours: tuple[Contour, ...]
    runs: tuple[Run, ...]
    lesions: tuple[InterfaceSummary, ...]
    summary: InterfaceSummary
    worst: InterfaceSummary | None
    calls: dict[str, Call]
    refusals: tuple[str, ...]
    notes: tuple[str, ...]
    body: NDArray[np.bool_] = field(repr=False)
    liver: NDArray[np.bool_] = field(repr=False)
    options: InterfaceOptions
    stride_um: float
    origin_um: tuple[float, float]

    @property
    def disclaimer(self) -> str:
        """What stands beside everything that is shown."""
        return RESEARCH_USE_ONLY

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers without the arrays, ready for JSON (NaN becomes None)."""
        return {
            "disclaimer": self.disclaimer,
            "summary": self.summary.as_dict(),
            "lesions": [lesion.as_dict() for lesion in self.lesions],
            "worst_lesion": None if self.worst is None else self.worst.lesion,
            "calls": {rule: call.as_dict() for rule, call in self.calls.items()},
            "refusals": list(self.refusals),
            "notes": list(self.notes),
            "stride_um": self.stride_um,
            "options": self.options.as_dict(),
        }

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return points (``contours``), ``runs``, ``lesions``, and the slide's ``summary``."""
        return {
            "contours": points_table(self.contours),
            "runs": runs_table(self.runs, self.contours),
            "lesions": summary_table(self.lesions),
            "summary": summary_table([self.summary], self.calls),
        }
