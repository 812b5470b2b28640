"""The columns of reviews and of measured interfaces, and the words in them. The one place."""

from __future__ import annotations

from types import MappingProxyType

from napari_crlm_spa.core.cohort.columns import PATIENT, SLIDE

LESION, RATER, ROUND = "lesion", "rater", "round"
#: Shares of the tumor-liver interface by pattern, in percent: desmoplastic, replacement, pushing.
PCT_D, PCT_R, PCT_P, PCT_OTHER = "pct_D", "pct_R", "pct_P", "pct_other"
ASSESSABLE, VIABLE, CHEMO, N_BLOCKS = "assessable_pct", "viable", "chemo", "n_blocks"
COMMENT = "comment"
SHARES = (PCT_D, PCT_R, PCT_P, PCT_OTHER)
#: All that is not desmoplastic; not typed in but computed.
PCT_NON_D = "pct_non_D"

REVIEW_COLUMNS = (
    *(PATIENT, LESION, SLIDE, RATER, ROUND, *SHARES),
    *(ASSESSABLE, VIABLE, CHEMO, N_BLOCKS, COMMENT),
)
#: Which of them are text; the others are numbers.
REVIEW_TEXT = (PATIENT, LESION, SLIDE, RATER, COMMENT)
#: Other spellings, compared without case, blanks, dots, dashes and underscores.
REVIEW_SPELLINGS = MappingProxyType(
    {
        PATIENT: ("patient id", "case", "patient name"),
        LESION: ("lesion id", "metastasis", "tumor", "tumour"),
        SLIDE: ("slide name", "slide id", "image", "file", "wsi"),
        RATER: ("reader", "observer", "pathologist", "reviewer"),
        ROUND: ("reading", "session", "repeat"),
        PCT_D: ("%D", "D %", "D", "desmoplastic", "pct desmoplastic", "% desmoplastic", "dHGP"),
        PCT_R: ("%R", "R %", "R", "replacement", "pct replacement", "% replacement", "rHGP"),
        PCT_P: ("%P", "P %", "P", "pushing", "pct pushing", "% pushing", "pHGP"),
        PCT_OTHER: ("other", "% other", "pct other"),
        ASSESSABLE: ("assessable", "assessable %", "% assessable"),
        VIABLE: ("viable tumor", "viable cells", "viable %"),
        CHEMO: ("chemotherapy", "preoperative chemotherapy", "pretreated"),
        N_BLOCKS: ("blocks", "number of blocks"),
        COMMENT: ("comments", "remark", "note"),
    }
)

#: What is measured of a slide's interface (``hgp measure``). Only `SLIDE` must be there.
PCT_N, PCT_O = "pct_N", "pct_O"
INTERFACE_MM, ASSESSABLE_FRACTION = "interface_mm", "assessable_fraction"
INTERACTION_PAPER, INTERACTION_BORDER = "interaction_paper", "interaction_border"
RIM_MEDIAN_UM = "rim_median_um"
ASSESSABLE_MM, TUMOR_TILES, TUMOR_MM2 = "assessable_mm", "tumor_tiles", "tumor_mm2"
#: Computed of the interface's length and the tumor's area where a table doesn't say it.
PERIMETER_PER_AREA = "perimeter_mm_per_mm2"
MEASURE_NUMBERS = (
    *(PCT_D, PCT_N, PCT_O, INTERFACE_MM, ASSESSABLE_MM, ASSESSABLE_FRACTION, INTERACTION_PAPER),
    *(INTERACTION_BORDER, RIM_MEDIAN_UM, TUMOR_TILES, TUMOR_MM2, PERIMETER_PER_AREA),
)
#: Compared with the reviewed non-desmoplastic share, with the sign that a higher value should go
#: with it: contact with liver grows with non-D, a rim shrinks.
MARKERS = MappingProxyType(
    {INTERACTION_PAPER: 1, INTERACTION_BORDER: 1, PCT_N: 1, RIM_MEDIAN_UM: -1}
)
LABELS = MappingProxyType(
    {
        INTERACTION_PAPER: "Tumor-hepatocyte interaction (paper's form)",
        INTERACTION_BORDER: "Tumor-hepatocyte interaction (border only)",
        PCT_N: "Contact with liver (%)",
        PCT_D: "Desmoplastic (%)",
        PCT_O: "Other gap (%)",
        RIM_MEDIAN_UM: "Thickness of the rim (median)",
        PCT_NON_D: "Reviewed non-desmoplastic (%)",
    }
)
