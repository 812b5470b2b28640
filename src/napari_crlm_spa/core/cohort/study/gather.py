"""Where the tables, warnings and facts of a study are collected while it is computed."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from napari_crlm_spa.core.cohort.study.contents import Kind, Study, StudyTable

if TYPE_CHECKING:
    import pandas as pd

    from napari_crlm_spa.core.risk import RiskModel

#: Libraries that compute.
LIBRARIES = ("napari-crlm-spa", "numpy", "scipy", "pandas", "lifelines")


class Gathering:
    """Collects what becomes a `Study`."""

    def __init__(self) -> None:
        self.tables: dict[str, StudyTable] = {}
        self.warnings: dict[str, None] = {}
        self._first: dict[str, None] = {}
        self._last: dict[str, None] = {}
        self.facts: dict[str, Any] = {}

    def table(self, name: str, title: str, frame: pd.DataFrame, note: str = "") -> None:
        """Add a table; an empty one says nothing and is left out."""
        if len(frame):
            self.tables[name] = StudyTable(name, title, frame, note)

    def warn(self, *sentences: str, first: bool = False, last: bool = False) -> None:
        """Add sentences for the user; each once.

        Parameters
        ----------
        sentences
            What to say; empty ones say nothing.
        first, last
            Whether it goes before, or after, what else is said: what changes how everything is
            read, and what only counts patients.
        """
        chosen = self._first if first else self._last if last else self.warnings
        chosen.update(dict.fromkeys(text for text in sentences if text))

    def warn_all(self, sentences: Iterable[str], about: str = "", *, last: bool = False) -> None:
        """Add sentences, each with what it is about before it."""
        told = (f"{about}: {text}" if about and text else text for text in sentences)
        self.warn(*told, last=last)

    def study(self, kind: Kind, cohort: str, risk_model: RiskModel | None = None) -> Study:
        """Return everything that was collected."""
        return Study(
            kind=kind,
            cohort=cohort,
            tables=dict(self.tables),
            warnings=tuple({**self._first, **self.warnings, **self._last}),
            facts=dict(self.facts),
            versions=versions(),
            risk_model=risk_model,
        )


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that compute."""
    found = {"Python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # run from a folder of sources
            found[name] = "unknown"
    return found
