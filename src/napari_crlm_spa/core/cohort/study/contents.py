"""What a study holds: tables with a title and a note, warnings, facts for the methods paragraph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

    from napari_crlm_spa.core.risk import RiskModel

Kind = Literal["build", "fit", "validate", "hgp"]
#: Among the facts of a study that was written: the cohort's folder or table.
SOURCE = "source"


@dataclass(frozen=True, slots=True, eq=False)
class StudyTable:
    """A table as it is written to CSV and shown in the report.

    Parameters
    ----------
    name
        The file's stem, e.g. ``"univariate"``.
    title
        Its heading.
    frame
        Numbers as they are (the report rounds); a hole is a value that can't be computed.
    note
        How it was computed, with source and assumption, in a sentence or two.
    """

    name: str
    title: str
    frame: pd.DataFrame
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """Everything that was computed of a cohort.

    Parameters
    ----------
    kind
        What was done.
    cohort
        The cohort's name.
    tables
        By name, in the order of the report.
    warnings
        Sentences for the user: what is doubtful and what to do about it.
    facts
        Numbers and choices for the methods paragraph (n, events, options, seeds), ready for JSON.
    versions
        Versions of Python, this package and the libraries that computed.
    risk_model
        The fitted model for the next patient, if there is one.
    """

    kind: Kind
    cohort: str
    tables: Mapping[str, StudyTable]
    warnings: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    risk_model: RiskModel | None = None

    def of(self, source: Path) -> Study:
        """Return the study with the cohort's folder or table named, so that it finds its slides."""
        return replace(self, facts={**self.facts, SOURCE: str(source.absolute())})
