"""Patients as rows of a table: texts, order, filter. No Qt.

The numbers are those of the cohort; nothing here changes or rounds them, only what is shown.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import (
    CLINICAL,
    EVENT,
    N_SLIDES,
    PATIENT,
    SLIDE,
    SLIDES,
    SOFS,
    TIME,
    label_of,
)
from napari_crlm_spa.core.spatial.definitions import FEATURES
from napari_crlm_spa.errors import CohortError
from napari_crlm_spa.plugin.tables import UNKNOWN

if TYPE_CHECKING:
    import pandas as pd

    from napari_crlm_spa.plugin.cohort.groupings import Grouping

Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]
Kind = Literal["text", "whole", "number", "score", "months", "share", "event", "code"]

#: The column of the grouping that is chosen beside the curves.
GROUP = "group"
SCORE, CRS = "score", "CRS_score"
#: What is shown before anybody has chosen.
FIRST_SHOWN = (PATIENT, GROUP, EVENT, TIME, SCORE, CRS, N_SLIDES)
#: Events in words; who is censored was alive when last heard of.
EVENTS = {1.0: "died", 0.0: "alive"}
EXAMPLE = "P12, died, score >= 0.5, os.time < 12"

_TITLES = {
    PATIENT: ("Patient", "The patient's name in the table"),
    SLIDES: ("Slides", "Names of the patient's slides"),
    N_SLIDES: ("Slides", "How many slides of the patient were analyzed"),
    TIME: ("Months", "Follow-up in months from the resection of the metastases"),
    EVENT: ("Event", "died; or alive when last heard of (censored)"),
    SCORE: ("Score", "Risk score of the spatial features"),
    CRS: ("CRS", "Clinical risk score: points from 0 to 5; high from 3 on"),
}
#: So many rows are measured for the width of a column, and so wide it is at most.
_MEASURED, _WIDEST = 300, 24
_COMPARISON = re.compile(
    r"([^\W\d][\w.]*)\s*(>=|<=|!=|==|=|>|<)\s*([+-]?\d+,\d+(?![^\s,;])|[^\s,;]+)"
)
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
}
_WORD = re.compile(r'"([^"]+)"|([^\s,;"]+)')
#: So many columns are named to who has named one that is not there.
_TOLD = 12


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table.

    Parameters
    ----------
    name, title, tip
        In files, in its heading, and what it means.
    kind
        How its values are written.
    """

    name: str
    title: str
    tip: str
    kind: Kind

    @property
    def is_text(self) -> bool:
        """Whether it is written from the left."""
        return self.kind in ("text", "event", "code")


class PatientTable:
    """The patients of a cohort.

    Parameters
    ----------
    patients
        One row a patient, numbers as they are.
    """

    def __init__(self, patients: pd.DataFrame) -> None:
        self.patients = patients
        self.grouping: Grouping | None = None
        self.columns: dict[str, Column] = {
            each.name: each for each in (_column(patients[name], name) for name in patients.columns)
        }
        self._values: dict[str, NDArray[Any]] = {}
        self._places: dict[str, Indices] = {}
        self._rows = {name: at for at, name in enumerate(self._texts(PATIENT))}

    def __len__(self) -> int:
        return len(self.patients)

    @property
    def names(self) -> list[str]:
        """Columns that can be shown, the group behind the patient."""
        rest = [name for name in self.columns if name != PATIENT]
        return [PATIENT, GROUP, *rest]

    def first_shown(self) -> list[str]:
        """Return the columns that are shown before anybody has chosen."""
        return [name for name in FIRST_SHOWN if name in self.names]

    def column(self, name: str) -> Column:
        """Describe a column."""
        if name == GROUP:
            title = "Group" if self.grouping is None else self.grouping.title
            return Column(GROUP, "Group", f"{title}: as chosen beside the curves", "code")
        return self.columns[name]

    def use(self, grouping: Grouping | None) -> None:
        """Take over the grouping that is shown beside the curves."""
        self.grouping = grouping
        self._places.pop(GROUP, None)

    # -- cells ----------------------------------------------------------------------------

    def patient(self, row: int) -> str:
        """Return a patient's name."""
        return str(self._texts(PATIENT)[row])

    def row_of(self, patient: str) -> int:
        """Return a patient's row, -1 if there is no such patient."""
        return self._rows.get(patient, -1)

    def text(self, row: int, name: str) -> str:
        """Return what a cell shows."""
        if name == GROUP:
            return "" if self.grouping is None else self.grouping.label(row)
        column = self.columns[name]
        if column.kind == "text":
            return str(self._texts(name)[row])
        return _written(float(self.numbers(name)[row]), column)

    def longest(self, name: str) -> str:
        """Return the longest of the texts that a column shows, cut where it is too long."""
        texts = [self.text(row, name) for row in range(min(len(self), _MEASURED))]
        return max([self.column(name).title, *texts], key=len)[:_WIDEST]

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a column of numbers, NaN where there is a hole; shape (n,)."""
        if name not in self._values:
            values = self.patients[name].to_numpy(np.float64, na_value=np.nan)
            self._values[name] = values
        return self._values[name]

    def _texts(self, name: str) -> NDArray[Any]:
        if name not in self._values:
            column = self.patients[name]
            texts = column.astype(object).where(column.notna(), "").map(_plain).to_numpy(object)
            self._values[name] = texts
        return self._values[name]

    # -- order and filter -----------------------------------------------------------------

    def sorted_by(self, rows: Indices, name: str, *, descending: bool = False) -> Indices:
        """Sort rows by a column; equal ones keep the table's order and holes come last."""
        places = self._place_of(name)[rows]
        order = np.argsort(
            np.where(places < 0, len(self) + 1, -places if descending else places), kind="stable"
        )
        return rows[order]

    def _place_of(self, name: str) -> Indices:
        """Return each row's place in ascending order, equal ones the same, holes -1."""
        if name not in self._places:
            if name == GROUP:
                codes = np.full(len(self), -1) if self.grouping is None else self.grouping.codes
                places = codes.astype(np.intp)
            elif self.columns[name].kind == "text":
                texts = self._texts(name)
                known = sorted(set(texts) - {""}, key=_natural)
                place = {text: at for at, text in enumerate(known)}
                places = np.array([place.get(text, -1) for text in texts], np.intp)
            else:
                values = self.numbers(name)
                _, places = np.unique(values, return_inverse=True)
                places = np.where(np.isnan(values), -1, places).astype(np.intp)
            self._places[name] = places
        return self._places[name]

    def matching(self, text: str) -> Flags:
        """Return the patients that a filter keeps, shape (n,).

        Parameters
        ----------
        text
            Words, all of which a patient has to have in its name, its slides, its group, its event
            or another column of words; and comparisons such as ``score >= 0.5`` or ``T_stage =
            T3-4``. Nothing keeps all.

        Raises
        ------
        CohortError
            If a comparison names no column or no number; the sentence says which.
        """
        keep = np.ones(len(self), np.bool_)
        for name, sign, value in _COMPARISON.findall(text):
            keep &= self._compared(self._named(name), sign, value)
        words = [a or b for a, b in _WORD.findall(_COMPARISON.sub(" ", text))]
        words = [word.casefold() for word in words if word.casefold() != "and"]
        if words:
            hay = self._haystacks()
            keep &= np.array([all(word in each for word in words) for each in hay], np.bool_)
        return keep

    def _compared(self, name: str, sign: str, value: str) -> Flags:
        number = _number(value)
        if name == GROUP or self.columns[name].kind == "text" or number is None:
            if sign not in ("=", "==", "!="):
                raise CohortError(f"{name} {sign} {value}: give a number behind {sign}.")
            texts = np.array([self.text(row, name).casefold() for row in range(len(self))])
            return np.asarray(_COMPARE[sign](texts, value.casefold()), np.bool_)
        values = self.numbers(name)
        # A hole is neither equal nor unequal to anything.
        return np.asarray(_COMPARE[sign](values, number) & ~np.isnan(values), np.bool_)

    def _named(self, name: str) -> str:
        wanted = _same(name)
        known = {_same(GROUP): GROUP}
        for each in self.columns.values():
            known.setdefault(_same(each.title), each.name)
        for each in self.columns.values():
            known[_same(each.name)] = each.name
        if wanted not in known:
            told = ", ".join([GROUP, *self.columns][:_TOLD])
            raise CohortError(f"There is no column {name}. Columns are {told}, …")
        return known[wanted]

    def _haystacks(self) -> list[str]:
        names = [c.name for c in self.columns.values() if c.kind == "text"]
        names += [name for name in (EVENT,) if name in self.columns]
        parts = [[self.text(row, name) for row in range(len(self))] for name in [GROUP, *names]]
        return ["\n".join(cells).casefold() for cells in zip(*parts, strict=True)]


def _column(values: pd.Series, name: str) -> Column:
    label = label_of(name)
    title, tip = _TITLES.get(name, (label, label))
    if name in FEATURES:
        tip = f"{label}: {FEATURES[name].sentence}"
    clinical = CLINICAL.get(name)
    if clinical is not None:
        unit = f" ({clinical.unit})" if clinical.unit else ""
        codes = "; ".join(f"{at} = {code}" for at, code in enumerate(clinical.codes))
        tip = f"{label}{unit}" + (f": {codes}" if codes else "")
    return Column(name, title, tip, _kind(values, name))


def _kind(values: pd.Series, name: str) -> Kind:
    from pandas.api.types import is_numeric_dtype

    if name in (PATIENT, SLIDE, SLIDES) or not is_numeric_dtype(values.dtype):
        return "text"
    if name == EVENT:
        return "event"
    if name == TIME:
        return "months"
    if name == SCORE:
        return "score"
    if name in SOFS:
        return "share"
    known = values.dropna().to_numpy(np.float64)
    if name in CLINICAL and CLINICAL[name].codes and np.isin(known, (0.0, 1.0)).all():
        return "code"
    return "whole" if np.all(np.mod(known, 1) == 0) else "number"


def _written(value: float, column: Column) -> str:
    if np.isnan(value):
        return UNKNOWN
    if column.kind == "event":
        return EVENTS.get(value, f"{value:g}")
    if column.kind == "code":
        return CLINICAL[column.name].codes[int(value)]
    forms = {"whole": ".0f", "months": ".1f", "share": ".4f", "score": ".3f"}
    form = forms.get(column.kind, ".4g")
    return format(value, form)


def _plain(value: Any) -> str:
    # A patient 12 of a spreadsheet may have become 12.0.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _natural(text: str) -> list[tuple[int, str]]:
    """Sort P9 before P10."""
    parts = re.split(r"(\d+)", text.casefold())
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]


def _same(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None
