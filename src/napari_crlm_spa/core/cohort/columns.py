"""The columns of a cohort's tables: names, kinds, units, codes. The one place.

Names and codes are those of the authors' tables (``SYSUCC_data``, ``BJCH_data``; 38 columns), so
that a table of theirs is read as it is; `aliases` are what other people write.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from napari_crlm_spa.core.spatial.definitions import FEATURES

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
    ClinicalVariable("CRS_score", "Clinical risk score", "count", "points", ("CRS", "fong score")),
    ClinicalVariable(
        "CRS_group", "Clinical risk group", "binary", "", (), ("low (0-2)", "high (3-5)")
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
        "score": "Spatial score",
        "sof_group": "Spatial risk",
        "crs_group": "Clinical risk",
        "combined_grade": "Combined grade",
    }
)


def label_of(column: str) -> str:
    """Return what figures and tables call a column; unknown ones keep their name."""
    if column in _DERIVED:
        return _DERIVED[column]
    if column in CLINICAL:
        return CLINICAL[column].label
    return FEATURES[column].title if column in FEATURES else column
