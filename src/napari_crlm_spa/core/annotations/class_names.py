"""What a class is called elsewhere: QuPath projects, other annotators, the paper's tables."""

from __future__ import annotations

from collections.abc import Mapping

from napari_crlm_spa.core.classes import ClassScheme, TissueClass
from napari_crlm_spa.core.tiles.geojson_file import EXCLUDING_NAMES


def known_name(name: str, scheme: ClassScheme, rename: Mapping[str, str] | None = None) -> str:
    """Return the short name of a class that goes by another name; unknown names stay.

    Parameters
    ----------
    name
        As written in a file. Upper and lower case are the same.
    scheme
        Its classes are found by short name (``"TUM"``), title (``"Debris (necrosis)"``, also
        ``"Debris"`` and ``"necrosis"``) and column name (``"Hepatocyte"``).
    rename
        Other names and the class that each stands for; looked up first.
    """
    told = {_plain(other): target for other, target in (rename or {}).items()}
    name = told.get(_plain(name), name).strip()
    wanted = _plain(name)
    for tissue in scheme.classes:
        if wanted in _names_of(tissue):
            return tissue.name
    return name


def is_excluding(name: str) -> bool:
    """Tell whether a class means "do not look here" (``Ignore*``, ``Exclude``)."""
    return name.strip().lower() in EXCLUDING_NAMES


def is_label(name: str) -> bool:
    """Tell whether a class may label tiles: it has a name, and is no mark as ``Region*``."""
    return bool(name) and not name.endswith("*") and not is_excluding(name)


def _names_of(tissue: TissueClass) -> set[str]:
    first, _, rest = tissue.title.partition("(")
    names = (tissue.name, tissue.title, tissue.column, first, rest.rstrip(") "))
    return {_plain(name) for name in names if name.strip()}


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
