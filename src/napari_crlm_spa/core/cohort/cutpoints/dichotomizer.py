"""Cut-offs as they are applied to patients: found in one cohort, never fitted again."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.core.cohort.columns import label_of, numbers
from napari_crlm_spa.core.cohort.cutpoints.cutpoint import Cutpoint
from napari_crlm_spa.core.cohort.cutpoints.identity import shared_patients
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

VERSION = 1
#: Of the table ``cutpoints``, beside feature and label.
COLUMNS = (
    "method",
    "cutoff",
    "direction",
    "statistic",
    "p_lau92",
    "p_lau94",
    "p_exact_gauss",
    "p_monte_carlo",
    "n_low",
    "n_high",
    "note",
)


def above(frame: pd.DataFrame, cutoffs: Mapping[str, float]) -> pd.DataFrame:
    """Return 1 where a column lies above its cut-off, else 0; holes stay NaN.

    Parameters
    ----------
    frame
        One row per patient.
    cutoffs
        By column; the result has these columns, in this order.

    Raises
    ------
    CohortError
        If a column is missing or holds text.
    """
    import pandas as pd

    columns = {}
    for name, cutoff in cutoffs.items():
        values = numbers(frame, name)
        columns[name] = np.where(np.isnan(values), np.nan, (values > cutoff).astype(np.float64))
    return pd.DataFrame(columns, index=frame.index)


class SharedPatients(UserWarning):
    """Cut-offs are applied to patients that they were found in, as if these were new."""


@dataclass(frozen=True, slots=True)
class Dichotomizer:
    """Cut-offs, and who they were found in. It is applied, never fitted again.

    Parameters
    ----------
    cutpoints
        One per feature.
    cohort
        The discovery cohort's name.
    n, n_events
        Its patients and deaths.
    patients
        A hash of each patient's name: shows overlap with other cohorts without telling names.
    """

    cutpoints: tuple[Cutpoint, ...]
    cohort: str = ""
    n: int = 0
    n_events: int = 0
    patients: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        """Features that have a cut-off."""
        return tuple(each.feature for each in self.cutpoints if each.found)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about features without a cut-off."""
        return tuple(each.note for each in self.cutpoints if not each.found)

    def __getitem__(self, feature: str) -> Cutpoint:
        for each in self.cutpoints:
            if each.feature == feature:
                return each
        raise KeyError(feature)

    def apply(self, frame: pd.DataFrame, *, patients: Sequence[Any] | None = None) -> pd.DataFrame:
        """Return 1 where a feature lies above its cut-off, else 0; holes stay NaN.

        Parameters
        ----------
        frame
            One row per patient. Features without a cut-off do not appear in the result.
        patients
            Names of the patients if they are meant to be new ones (a validation cohort): a
            `SharedPatients` warning then names those that the cut-offs were found in.

        Raises
        ------
        CohortError
            If a feature's column is missing or holds text.
        """
        if patients is not None and (sentence := self.leakage(patients)):
            warnings.warn(sentence, SharedPatients, stacklevel=2)
        return above(frame, {each.feature: each.cutoff for each in self.cutpoints if each.found})

    def leakage(self, patients: Sequence[Any]) -> str:
        """Return a sentence naming patients that the cut-offs were found in; empty if none."""
        shared = shared_patients(patients, self.patients)
        if not shared:
            return ""
        names = ", ".join(shared[:5]) + (", ..." if len(shared) > 5 else "")
        return (
            f"{len(shared)} of {len(patients)} patients ({names}) also belong to those the "
            f"cut-offs were found in ({self.cohort or 'the discovery cohort'}): results in them "
            "are no validation. Remove them from this cohort."
        )

    def table(self) -> pd.DataFrame:
        """Return the table ``cutpoints``: one row per feature."""
        import pandas as pd

        rows = [
            {"feature": each.feature, "label": label_of(each.feature)}
            | {name: getattr(each, name) for name in COLUMNS}
            for each in self.cutpoints
        ]
        return pd.DataFrame(rows, columns=["feature", "label", *COLUMNS])

    def paths(self) -> pd.DataFrame:
        """Return the table ``cutpoint_paths``: every cut-off that was tried, its statistic."""
        import pandas as pd

        rows = [
            (each.feature, float(cutoff), float(statistic))
            for each in self.cutpoints
            if each.path is not None
            for cutoff, statistic in zip(each.path.candidates, each.path.statistics, strict=True)
        ]
        return pd.DataFrame(rows, columns=["feature", "cutoff", "statistic"])

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "schema_version": VERSION,
            "cohort": self.cohort,
            "n": self.n,
            "n_events": self.n_events,
            "patients": list(self.patients),
            "cutpoints": [each.as_dict() for each in self.cutpoints],
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Dichotomizer:
        """Make it from what `as_dict` returned.

        Raises
        ------
        CohortError
            If something is missing, unknown or of the wrong kind.
        """
        try:
            if plain["schema_version"] != VERSION:
                raise CohortError(
                    f"These cut-offs are of version {plain['schema_version']}; this software "
                    f"reads version {VERSION}. Update it, or fit the cut-offs again."
                )
            cutpoints = tuple(Cutpoint.from_dict(each) for each in plain["cutpoints"])
            return cls(
                cutpoints,
                str(plain["cohort"]),
                int(plain["n"]),
                int(plain["n_events"]),
                tuple(str(each) for each in plain["patients"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CohortError(
                f"The cut-offs cannot be read ({type(error).__name__}: {error}). "
                "Fit them again, or use the file that the fit wrote."
            ) from error
