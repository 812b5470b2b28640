"""The columns of a cohort's tables: names, kinds, units, codes, and their numbers. The one place.

Names and codes are those of the authors' tables (``SYSUCC_data``, ``BJCH_data``; 38 columns), so
that a table of theirs is read as it is; `aliases` are what other people write.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.spatial.definitions import FEATURES
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

PATIENT, SLIDE = "patient", "slide"
#: Follow-up in months from the resection of the metastases, and 1 = died of any cause.
TIME, EVENT = "os.time", "os.event"
#: In the table of patients: slides with features, their names joined by "; ".
SLIDES, N_SLIDES = "slides", "n_slides"
#: In the table of slides: the file, the analysis and whose corrections were used.
SLIDE_PATH, ANALYSIS_FOLDER, READER = "slide_path", "analysis_folder", "reader"
TUMOR_TILES, REFUSAL = "contiguous_tumor_tiles", "refusal"
#: In a clinical table: the slide that speaks for its patient, if it says so.
DECLARED = "use_slide"
#: Of a clinical table: the clinical risk score, 0-5 points, and 1 = high (3-5).
CRS_SCORE, CRS_GROUP = "CRS_score", "CRS_group"
#: What a study adds for each patient: the score; spatial and clinical risk and the grade of both,
#: as words, "" unknown.
SCORE = "score"
SPATIAL_RISK, CLINICAL_RISK, COMBINED_GRADE = "sof_group", "crs_group", "combined_grade"

#: In a table of patients who do not exist: 1 in every row.
SIMULATED_MARK = "simulated"

Kind = Literal["number", "binary", "count"]


@dataclass(frozen=True, slots=True)
class ClinicalVariable:
    """One clinical column.

    Parameters
    ----------
    column
        The authors' name.
    label
        For tables and figures.
    kind
        ``"binary"`` columns hold 0/1 (or `codes`), others numbers.
    unit
        Of a number.
    aliases
        Other spellings, compared without case, blanks, dots, dashes and underscores.
    codes
        What the codes of a binary column mean, lowest first.
    """

    column: str
    label: str
    kind: Kind
    unit: str = ""
    aliases: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()


_VARIABLES = (
    ClinicalVariable("Age", "Age", "number", "years", ("age at surgery",)),
    ClinicalVariable("Gender", "Sex", "binary", "", ("sex",), ("female", "male")),
    ClinicalVariable(
        "Primary_tumor_location",
        "Primary tumor",
        "binary",
        "",
        ("primary site", "location", "sidedness"),
        ("left", "right"),
    ),
    ClinicalVariable(
        "Pathological_Tstage", "T stage", "binary", "", ("t stage", "pT"), ("Tis-2", "T3-4")
    ),
    ClinicalVariable(
        "Pathological_Nstage",
        "N stage",
        "binary",
        "",
        ("n stage", "pN", "node positive"),
        ("N0", "N1-2"),
    ),
    ClinicalVariable(
        "Preoperative_chemotherapy",
        "Preoperative chemotherapy",
        "binary",
        "",
        ("neoadjuvant", "pretreated", "preoperative chemo"),
        ("no", "yes"),
    ),
    ClinicalVariable("Preoperative_CEA", "CEA", "number", "ng/mL", ("CEA", "cea ng ml")),
    ClinicalVariable(
        "Synchronous_liver_metastases",
        "Disease-free interval",
        "number",
        "months",
        ("DFI", "disease free interval", "disease free interval months"),
    ),
    ClinicalVariable(
        "Number_of_LM",
        "Liver metastases",
        "count",
        "",
        ("number of metastases", "n metastases", "liver M number"),
    ),
    ClinicalVariable(
        "Largest_diameter_of_CRLM",
        "Largest metastasis",
        "number",
        "cm",
        ("largest metastasis", "largest diameter", "largest metastasis cm", "liver M size"),
    ),
    ClinicalVariable(
        "Resection_margin", "Resection margin", "binary", "", ("R", "margin"), ("R0", "R1")
    ),
    ClinicalVariable(
        "Concomitant_ablation", "Ablation", "binary", "", ("ablation",), ("no", "yes")
    ),
    ClinicalVariable(CRS_SCORE, "Clinical risk score", "count", "points", ("CRS", "fong score")),
    ClinicalVariable(
        CRS_GROUP, "Clinical risk group", "binary", "", (), ("low (0-2)", "high (3-5)")
    ),
    ClinicalVariable(
        "Adjuvant_chemotherapy",
        "Adjuvant chemotherapy",
        "binary",
        "",
        ("adjuvant", "adjuvant chemo"),
        ("no", "yes"),
    ),
)
#: Clinical columns by the authors' name, in their order.
CLINICAL: MappingProxyType[str, ClinicalVariable] = MappingProxyType(
    {each.column: each for each in _VARIABLES}
)
#: The 20 spatial features, in the paper's order.
SOFS: tuple[str, ...] = tuple(FEATURES)


#: Columns that an analysis adds.
_DERIVED = MappingProxyType(
    {
        SCORE: "Spatial score",
        SPATIAL_RISK: "Spatial risk",
        CLINICAL_RISK: "Clinical risk",
        COMBINED_GRADE: "Combined grade",
    }
)


def label_of(column: str) -> str:
    """Return what figures and tables call a column; unknown ones keep their name."""
    if column in _DERIVED:
        return _DERIVED[column]
    if column in CLINICAL:
        return CLINICAL[column].label
    return FEATURES[column].title if column in FEATURES else column


def named(column: str) -> str:
    """Spell a column for a sentence: its label, and its name where that differs."""
    label = label_of(column)
    return column if label == column else f"{label} ({column})"


def numbers(frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return a column as numbers, shape (rows,); what isn't finite is a hole (NaN).

    Raises
    ------
    CohortError
        If the table lacks the column, or it holds text.
    """
    import pandas as pd

    if column not in frame.columns:
        raise CohortError(
            f"The table has no column {column!r}. It has: "
            f"{', '.join(str(each) for each in frame.columns)}."
        )
    try:
        series = pd.to_numeric(frame[column])
        values = series.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    except (TypeError, ValueError) as error:
        raise CohortError(
            f"{named(column)} holds something that is not a number ({error}). Code it as "
            "numbers: 0 and 1 for two groups, one column of 0 and 1 per further group."
        ) from error
    values[~np.isfinite(values)] = np.nan
    return values


def matrix(frame: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.float64]:
    """Return columns as `numbers` does, side by side, shape (rows, columns)."""
    values = np.empty((len(frame), len(columns)))
    for place, column in enumerate(columns):
        values[:, place] = numbers(frame, column)
    return values


def zero_or_one(frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return a column of 0 and 1, shape (rows,); NaN is a hole.

    Raises
    ------
    CohortError
        If the table lacks the column, or it holds anything else.
    """
    values = numbers(frame, column)
    odd = values[~np.isnan(values) & ~np.isin(values, (0.0, 1.0))]
    if len(odd):
        raise CohortError(
            f"{named(column)} has the value {odd[0]:g}; two groups need 0 and 1. Recode it, or "
            "split it at a cut-off."
        )
    return values
