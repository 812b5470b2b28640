"""Names of a package whose files are loaded when one of them is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def names_on_demand(package: str, files: Mapping[str, str]) -> Callable[[str], Any]:
    """Return what a package takes as its ``__getattr__``.

    Parameters
    ----------
    package
        Its ``__name__``.
    files
        The file of the package in which each name stands.
    """

    def get(name: str) -> Any:
        if name not in files:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{files[name]}"), name)

    return get
