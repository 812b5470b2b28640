"""Where one feature is split, how that was found, and what a reader should know about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.risk.maxstat import MaxStat

Method = Literal["maxstat", "median", "fixed"]
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class CutpointOptions(Options):
    """How features are split into low and high.

    The paper's text describes ``maxstat``; the standard errors in its knitted analysis fit only
    splits in half, ``median`` (docs/methods/cutpoints.md).
    """

    method: Literal["maxstat", "median", "fixed"] = option(
        "maxstat",
        "How cut-offs are found: where the log-rank statistic is largest, at the median, or given",
        choices=("maxstat", "median", "fixed"),
        label="Cut-offs",
    )
    minprop: float = option(
        0.1,
        "Least share of the patients on either side of a cut-off (maxstat)",
        min=0.001,
        max=0.499,
        label="Least share",
        advanced=True,
    )
    cutoffs: str = option(
        "",
        'JSON file with cut-offs by feature, {"Overall_Debris_ratio": 0.12}, for fixed',
        label="Cut-off file",
        advanced=True,
    )
    resamples: int = option(
        0,
        "Permutations for the Monte-Carlo p value (maxstat); 0: none",
        min=0,
        max=1_000_000,
        label="Permutations",
        advanced=True,
    )
    seed: int = option(
        20230901, "Where random numbers begin", min=0, max=2**32 - 1, label="Seed", advanced=True
    )


@dataclass(frozen=True, slots=True)
class Cutpoint:
    """Where one feature is split.

    Parameters
    ----------
    feature, method
        What was split and how.
    cutoff
        NaN if the feature can't be divided; `note` says why.
    n_low, n_high
        Patients on either side; with the ``n_missing`` that have no value these are all.
    statistic
        Standardized log-rank statistic at the cut-off; for ``maxstat`` the largest one.
    p_lau92, p_lau94, p_exact_gauss, p_monte_carlo
        Its p values that account for the search; NaN if there was none.
    direction
        ``">"``: high is value > cutoff.
    note
        What a reader should know, in sentences.
    path
        All cut-offs that were tried; None unless it was just fitted by ``maxstat``.
    """

    feature: str
    method: Method
    cutoff: float = NAN
    n_low: int = 0
    n_high: int = 0
    n_missing: int = 0
    statistic: float = NAN
    p_lau92: float = NAN
    p_lau94: float = NAN
    p_exact_gauss: float = NAN
    p_monte_carlo: float = NAN
    direction: Literal[">"] = ">"
    note: str = ""
    path: MaxStat | None = None

    @property
    def found(self) -> bool:
        """Whether there is a cut-off."""
        return bool(np.isfinite(self.cutoff))

    @property
    def source(self) -> str:
        """Where the cut-off comes from, in words."""
        n = f"{self.n_low + self.n_high} patients"
        if self.method == "fixed":
            return "given by the user"
        how = "median" if self.method == "median" else "maximally selected log-rank statistic"
        return f"{how} of {n}"

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON; a NaN is None, the path is left out."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name != "path"}
        return {
            key: None if isinstance(value, float) and np.isnan(value) else value
            for key, value in plain.items()
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Cutpoint:
        """Make it from what `as_dict` returned.

        Raises
        ------
        TypeError, ValueError
            If something is unknown or of the wrong kind.
        """
        numeric = ("cutoff", "statistic", "p_lau92", "p_lau94", "p_exact_gauss", "p_monte_carlo")
        values: dict[str, Any] = {
            key: (NAN if value is None else float(value)) if key in numeric else value
            for key, value in plain.items()
        }
        if values.get("direction", ">") != ">":
            raise ValueError(f"direction {values['direction']!r}")
        return cls(**values)
