"""What features are compared with: two-level factors and numbers, those of the paper's tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import CLINICAL, label_of, numbers, zero_or_one

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
        if self.above_zero:
            values = numbers(frame, self.column)
            return values == 0, values > 0
        values = zero_or_one(frame, self.column)
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
