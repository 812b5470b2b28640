"""Tissue classes: their order, names, colors and meaning. The one place.

On the grid a class is a *code*: 0 means "not classified", k is the k-th class of the scheme
counted from 1. A class's *index* (0-based, as in the columns of a probability array) is
its code less one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from napari_crlm_spa.errors import ModelError

NOT_CLASSIFIED = 0


@dataclass(frozen=True, slots=True)
class TissueClass:
    """One tissue type.

    Parameters
    ----------
    name
        Short name as in the paper, e.g. ``"HEP"``.
    title
        The name in words, e.g. ``"Hepatocytes"``.
    column
        How the paper's feature columns spell it, e.g. ``"Hepatocyte"``.
    color
        Display color, ``"#rrggbb"``.
    """

    name: str
    title: str
    column: str
    color: str

    @property
    def rgb(self) -> tuple[int, int, int]:
        """The color as three values of 0-255."""
        value = self.color.lstrip("#")
        return int(value[0:2], 16), int(value[2:4], 16), int(value[4:6], 16)


@dataclass(frozen=True, slots=True)
class ClassScheme:
    """An ordered set of tissue classes that a classifier tells apart."""

    name: str
    classes: tuple[TissueClass, ...]

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """Short names in the order of the probability columns."""
        return tuple(tissue.name for tissue in self.classes)

    def index(self, name: str) -> int:
        """0-based column of a class in probability arrays."""
        try:
            return self.names.index(name)
        except ValueError:
            raise ModelError(
                f"The class scheme {self.name} has no class {name!r}; "
                f"it has {', '.join(self.names)}."
            ) from None

    def code(self, name: str) -> int:
        """Value of a class on the grid (1-based; 0 is "not classified")."""
        return self.index(name) + 1

    def __getitem__(self, name: str) -> TissueClass:
        return self.classes[self.index(name)]

    def in_palette(self, palette: str) -> ClassScheme:
        """Return the same classes in the colors of one of `PALETTES`."""
        colors = PALETTES[palette]
        recolored = (
            replace(each, color=colors.get(each.name, each.color)) for each in self.classes
        )
        return replace(self, classes=tuple(recolored))


_BACK = TissueClass("BACK", "Background", "Background", "#d9d9d9")
_DEB = TissueClass("DEB", "Debris (necrosis)", "Debris", "#4d4d4d")
_HEP = TissueClass("HEP", "Hepatocytes", "Hepatocyte", "#b8860b")
_LYM = TissueClass("LYM", "Lymphocytes", "Lymphocyte", "#1f4fd8")
_MUC = TissueClass("MUC", "Mucus", "Mucus", "#17becf")
_STR = TissueClass("STR", "Stroma", "Stroma", "#2ca02c")
_TUM = TissueClass("TUM", "Tumor", "Tumor", "#d62728")
_ADI = TissueClass("ADI", "Adipose tissue", "Adipose", "#f7e26b")
_MUS = TissueClass("MUS", "Smooth muscle", "Muscle", "#e377c2")
_NORM = TissueClass("NORM", "Normal colon mucosa", "Normal", "#9467bd")

#: The seven classes of CRLM-SPA (Qi et al. 2023), in alphabetical order.
CRLM7 = ClassScheme("crlm7", (_BACK, _DEB, _HEP, _LYM, _MUC, _STR, _TUM))
#: The nine colorectal classes from which the paper's network is transferred.
CRC9 = ClassScheme("crc9", (_ADI, _BACK, _DEB, _LYM, _MUC, _MUS, _NORM, _STR, _TUM))

STANDARD_PALETTE = "standard"
#: Colors by class name; a class that is not named keeps the color of its scheme. The safe one is
#: that of Okabe and Ito (Wong B, Nature Methods 2011;8:441), told apart in all common forms of
#: color blindness.
PALETTES: dict[str, dict[str, str]] = {
    STANDARD_PALETTE: {},
    "color-blind safe": {
        "DEB": "#000000",
        "HEP": "#e69f00",
        "LYM": "#0072b2",
        "MUC": "#56b4e9",
        "STR": "#009e73",
        "TUM": "#d55e00",
        "ADI": "#f0e442",
        "NORM": "#cc79a7",
    },
}
SCHEMES: dict[str, ClassScheme] = {scheme.name: scheme for scheme in (CRLM7, CRC9)}


def scheme_by_name(name: str) -> ClassScheme:
    """Look up a class scheme.

    Raises
    ------
    ModelError
        If there is no scheme of that name.
    """
    try:
        return SCHEMES[name]
    except KeyError:
        raise ModelError(
            f"There is no class scheme {name!r}; known are {', '.join(SCHEMES)}."
        ) from None
