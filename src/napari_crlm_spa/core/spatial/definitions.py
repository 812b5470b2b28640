"""The 20 spatial organization features (SOFs): their names, meaning and formulas. The one place.

Column names are those of the authors' tables (``SYSUCC_data``, ``BJCH_data``, columns 19-38).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.spatial.zones import TISSUES

#: The four families in the order of the paper's columns.
FAMILIES = ("distal", "infiltrating", "interaction", "overall")
PAPER = "Qi et al., iScience 2023;26:107702, STAR Methods"
LATER_CODE = "details from the first author's later public code (Spatial_CMSs, 2024)"


@dataclass(frozen=True, slots=True)
class FeatureDefinition:
    """What one SOF is.

    Parameters
    ----------
    column
        The paper's column name.
    family
        ``"distal"``, ``"infiltrating"``, ``"interaction"`` or ``"overall"``.
    tissue
        Short class name, e.g. ``"HEP"``.
    title
        A few words for a table.
    sentence
        What it says, for a reader who isn't a programmer.
    formula
        How it is computed.
    source
        Where that comes from.
    """

    column: str
    family: str
    tissue: str
    title: str
    sentence: str
    formula: str
    source: str


def column_name(family: str, tissue: str) -> str:
    """Spell a SOF as the paper does, e.g. ``"Distal_Hepatocyte_ratio"``."""
    if family == "interaction":
        return f"TUM_{tissue}_interaction"
    return f"{family.capitalize()}_{CRLM7[tissue].column}_ratio"


#: The tissues as words in a sentence.
NOUNS = {
    "STR": "stroma",
    "DEB": "debris (necrosis)",
    "LYM": "lymphocytes",
    "HEP": "hepatocytes",
    "MUC": "mucus",
}
_SENTENCES = {
    "distal": "Share of all tissue tiles that are {noun} far from the tumor.",
    "infiltrating": "Share of all tissue tiles that are {noun} in or close to the tumor.",
    "interaction": "How much of a tumor tile's 3x3 neighborhood is {noun}, on average.",
    "overall": "Share of all tissue tiles that are {noun}.",
}
_FORMULAS = {
    "distal": "tiles of {tissue} with a distance above its far threshold / all tissue tiles",
    "infiltrating": "tiles of {tissue} with a distance up to its near threshold / all tissue tiles",
    "interaction": "mean over all tumor tiles of ({tissue} tiles / tissue tiles) in the 3x3 around",
    "overall": "tiles of {tissue} / all tissue tiles",
}
_TITLES = {
    "distal": "{noun}, distal",
    "infiltrating": "{noun}, infiltrating",
    "interaction": "tumor with {noun}",
    "overall": "{noun}, overall",
}


def _define(family: str, tissue: str) -> FeatureDefinition:
    noun = NOUNS[tissue]
    title = _TITLES[family].format(noun=noun)
    return FeatureDefinition(
        column=column_name(family, tissue),
        family=family,
        tissue=tissue,
        title=title[0].upper() + title[1:],
        sentence=_SENTENCES[family].format(noun=noun),
        formula=_FORMULAS[family].format(tissue=tissue),
        source=PAPER if family == "overall" else f"{PAPER}; {LATER_CODE}",
    )


#: All SOFs by column name, in the order of the paper's table.
FEATURES: MappingProxyType[str, FeatureDefinition] = MappingProxyType(
    {
        definition.column: definition
        for definition in (_define(family, tissue) for family in FAMILIES for tissue in TISSUES)
    }
)
