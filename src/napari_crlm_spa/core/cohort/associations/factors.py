"""What features are compared with: two-level factors and numbers, those of the paper's tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import CLINICAL, label_of
from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

DFI = "Synchronous_liver_metastases"


@dataclass(frozen=True, slots=True)
class TwoLevels:
    """A column that parts patients in two.

    Parameters
    ----------
    column, label
        Its name, and what tables call it.
    level_a, level_b
        What 0 and 1 mean (or, if `above_zero`, 0 and more than 0).
    above_zero
        The column is a number, parted into 0 and more.
    """

    column: str
    label: str
    level_a: str
    level_b: str
    above_zero: bool = False

    def split(self, frame: pd.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return who is on the first and who on the second level; holes are on neither.

        Raises
        ------
        CohortError
            If a column of 0 and 1 has other values.
        """
        values = numbers_of(frame, self.column)
        if self.above_zero:
            return values == 0, values > 0
        odd = values[~np.isnan(values) & ~np.isin(values, (0.0, 1.0))]
        if len(odd):
            raise CohortError(
                f"{self.label} ({self.column}) has the value {odd[0]:g}; two groups need 0 and 1. "
                "Recode it."
            )
        return values == 0, values == 1


def two_levels(column: str) -> TwoLevels:
    """Return a column of 0 and 1 as a factor, with the codes of a clinical one."""
    codes = CLINICAL[column].codes if column in CLINICAL else ()
    level_a, level_b = codes or ("low", "high")
    return TwoLevels(column, label_of(column), level_a, level_b)


#: Factors of the paper's table S3.
PAPER_FACTORS: tuple[TwoLevels, ...] = (
    two_levels("Gender"),
    two_levels("Primary_tumor_location"),
    two_levels("Pathological_Tstage"),
    two_levels("Pathological_Nstage"),
    TwoLevels(DFI, "Liver metastases", "synchronous", "metachronous", above_zero=True),
    two_levels("Resection_margin"),
)
#: Numbers of the paper's table S4.
PAPER_NUMBERS: tuple[str, ...] = (
    "Age",
    "Number_of_LM",
    "Largest_diameter_of_CRLM",
    "Preoperative_CEA",
)


def numbers_of(frame: pd.DataFrame, column: str) -> Floats:
    """Return a column as numbers, holes as NaN.

    Raises
    ------
    CohortError
        If it has text.
    """
    try:
        return np.asarray(frame[column].to_numpy(np.float64, na_value=np.nan), np.float64)
    except (TypeError, ValueError) as error:
        raise CohortError(
            f"{label_of(column)} ({column}) has text among its numbers. Recode it."
        ) from error
