"""What markers, rules, readings and strata are called in a growth-pattern study's report."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from napari_crlm_spa.core.cohort.columns import label_of
from napari_crlm_spa.core.hgp.columns import (
    INTERACTION_BORDER,
    INTERACTION_PAPER,
    LABELS,
    PCT_D,
    PCT_N,
    RIM_MEDIAN_UM,
)
from napari_crlm_spa.core.spatial.interface import RESEARCH_USE_ONLY

#: Below every figure: the disclaimer's first part, since figures travel alone.
FOOT = RESEARCH_USE_ONLY.split(":")[0] + "."
#: Short enough for figures; `LABELS` has the long names.
MARKERS: Mapping[str, str] = MappingProxyType(
    {
        INTERACTION_PAPER: "Interaction, paper's form",
        INTERACTION_BORDER: "Interaction, border only",
        PCT_N: "Contact with liver",
        RIM_MEDIAN_UM: "Rim thickness",
        PCT_D: "Desmoplastic share",
    }
)
RULES: Mapping[str, str] = MappingProxyType(
    {
        "strict": "strict (D all along)",
        "tolerant": "tolerant (nearly all D)",
        "predominant": "predominant (over half D)",
    }
)
#: What readings are compared by.
VIEWS: Mapping[str, str] = MappingProxyType(
    {
        "pct_D": "Desmoplastic share",
        "strict": "Call, strict rule",
        "tolerant": "Call, tolerant rule",
        "predominant": "Call, predominant rule",
        "pattern": "Predominant pattern",
        "bands": "Bands of the share",
    }
)
STRATA: Mapping[str, str] = MappingProxyType(
    {
        "all": "All",
        "chemotherapy-naive": "Chemotherapy-na\u00efve",
        "pretreated": "Pretreated",
    }
)


def short(label: object) -> str:
    """Shorten a long name: "Tumor-hepatocyte interaction (border only), per SD"."""
    text = str(label)
    for marker, long in LABELS.items():
        if marker in MARKERS and text.startswith(long):
            return MARKERS[marker] + text[len(long) :]
    return text


def adjusted_words(columns: object) -> str:
    """Say "chemo, CRS_score" with the labels of these columns; nothing for nothing."""
    names = [name.strip() for name in str(columns or "").split(",") if name.strip()]
    names = [name for name in names if name != "nan"]
    own = {"chemo": "Preoperative chemotherapy"}
    labels = [own.get(name) or label_of(name) for name in names]
    # Labels begin a line elsewhere; here they stand in a sentence. Names such as CEA stay.
    return ", ".join(_lower(label) for label in labels)


def _lower(label: str) -> str:
    return label[:1].lower() + label[1:] if label[1:2].islower() else label
