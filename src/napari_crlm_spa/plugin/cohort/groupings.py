"""Ways to part a cohort into groups: risk, clinical factors, a spatial feature. No Qt.

Groups are taken from the cohort's own columns wherever it has them. What is computed here is a
split at the median, and the groups of the risk model that the workspace uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import CLINICAL, EVENT, SOFS, TIME, label_of
from napari_crlm_spa.core.risk import RiskModel, assess_risk, combined_grade
from napari_crlm_spa.core.risk.crs import HIGH_FROM

if TYPE_CHECKING:
    import pandas as pd

Codes = NDArray[np.intp]

#: The paper's colors of risk groups, lowest first.
ALL_COLOR = "#24292f"
LOW_HIGH = ("#000000", "#cd5c5c")
CRS_COLORS = ("#10b4f3", "#164870")
THREE_COLORS = ("#faa935", "#10b4f3", "#164870")
#: All other groups: black and vermilion, which every eye can tell apart.
TWO_COLORS = ("#000000", "#d55e00")
LEVELS = ("low", "medium", "high")

ALL, SOF, CRS, COMBINED = "overall", "sof", "crs", "combined"
#: A key of a grouping that belongs to one column: ``median:TUM_STR_interaction``.
MEDIAN, CUTOFF, COLUMN, OWN = "median", "cutoff", "column", "model"
_FIRST = (ALL, SOF, CRS, COMBINED)
AT_CUTOFF, AT_MEDIAN = "Features at the model's cut-off", "Features at the median"
#: Ends the name of a column that holds a feature split by the study.
HIGH = "_high"


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """One way to part the patients.

    Parameters
    ----------
    key
        Which way, e.g. ``"crs"`` or ``"median:TUM_STR_interaction"``.
    title
        For people.
    levels, colors
        Of the groups, in order.
    codes
        Each patient's group as a place in `levels`, -1 where it is unknown; shape (n,).
    note
        Where the groups come from.
    is_risk
        Whether groups are of a risk, beside which the disclaimer has to stand.
    """

    key: str
    title: str
    levels: tuple[str, ...]
    colors: tuple[str, ...]
    codes: Codes
    note: str = ""
    is_risk: bool = False

    @property
    def n_unknown(self) -> int:
        """How many patients are in no group."""
        return int(np.count_nonzero(self.codes < 0))

    def label(self, row: int) -> str:
        """Return the name of a patient's group; empty if it is unknown."""
        code = int(self.codes[row])
        return "" if code < 0 else self.levels[code]

    def color(self, row: int) -> str:
        """Return the color of a patient's group; empty if it is unknown."""
        code = int(self.codes[row])
        return "" if code < 0 else self.colors[code]


@dataclass(frozen=True, slots=True)
class Choice:
    """A grouping that can be chosen.

    Parameters
    ----------
    key, title
        Of the grouping.
    section
        Under which heading it stands.
    """

    key: str
    title: str
    section: str


def choices(patients: pd.DataFrame, own: RiskModel | None = None) -> list[Choice]:
    """List the groupings that a table of patients allows.

    Parameters
    ----------
    patients
        One row a patient.
    own
        The workspace's risk model; used if it says where its features are split.
    """
    found = [Choice(ALL, "All patients", "")]
    if "sof_group" in patients:
        found.append(Choice(SOF, "SOF group", "Risk"))
    if own is not None and _is_usable(own, patients):
        found.append(Choice(OWN, f"SOF group by {own.title or own.name}", "Risk"))
    if "crs_group" in patients or "CRS_group" in patients or "CRS_score" in patients:
        found.append(Choice(CRS, "Clinical risk group", "Risk"))
    if "combined_grade" in patients or ("sof_group" in patients and found[-1].key == CRS):
        found.append(Choice(COMBINED, "SOF and CRS", "Risk"))
    binary = [name for name in patients.columns if _is_binary(patients, name)]
    found += [Choice(f"{COLUMN}:{name}", label_of(name), "Factors") for name in binary]
    split = [name for name in SOFS if _split_by(name, patients, own) is not None]
    found += [Choice(f"{CUTOFF}:{s}", f"{label_of(s)}: cut-off", AT_CUTOFF) for s in split]
    sofs = [name for name in SOFS if name in patients.columns]
    found += [Choice(f"{MEDIAN}:{s}", f"{label_of(s)}: median", AT_MEDIAN) for s in sofs]
    return found


def grouping_of(
    key: str,
    patients: pd.DataFrame,
    own: RiskModel | None = None,
    cutoffs: Mapping[str, float] = MappingProxyType({}),
) -> Grouping:
    """Part the patients in one of the ways that `choices` lists.

    Parameters
    ----------
    key, patients, own
        As in `choices`.
    cutoffs
        Where the study has split its spatial features, to be told.
    """
    if key == ALL:
        return Grouping(ALL, "All patients", ("all",), (ALL_COLOR,), np.zeros(len(patients), int))
    if key == OWN and own is not None:
        title = f"SOF group by {own.title or own.name}"
        codes = _own_codes(own, patients)
        return Grouping(OWN, title, LEVELS[::2], LOW_HIGH, codes, own.source, is_risk=True)
    if key in _FIRST:
        return _risk_grouping(key, patients)
    kind, _, column = key.partition(":")
    if kind == COLUMN:
        return _by_column(key, column, patients)
    if kind == CUTOFF:
        return _at_cutoff(key, column, patients, own, cutoffs)
    return _at_median(key, column, patients)


def _risk_grouping(key: str, patients: pd.DataFrame) -> Grouping:
    if key == SOF:
        codes = _codes_of_words(patients["sof_group"])
        note = "Groups of the study's score and cut-off."
        return Grouping(SOF, "SOF group", LEVELS[::2], LOW_HIGH, codes, note, is_risk=True)
    if key == CRS:
        note = f"Clinical risk score: high from {HIGH_FROM} points on."
        codes = _crs_codes(patients)
        title = "Clinical risk group"
        return Grouping(CRS, title, LEVELS[::2], CRS_COLORS, codes, note, is_risk=True)
    note = "One point for a high SOF group, one for a high clinical risk group."
    title = "SOF and CRS"
    codes = _combined_codes(patients)
    return Grouping(COMBINED, title, LEVELS, THREE_COLORS, codes, note, is_risk=True)


def _by_column(key: str, column: str, patients: pd.DataFrame) -> Grouping:
    values = patients[column].to_numpy(np.float64, na_value=np.nan)
    codes = np.where(np.isnan(values), -1, np.nan_to_num(values)).astype(np.intp)
    clinical = CLINICAL.get(column)
    levels = clinical.codes if clinical is not None and clinical.codes else ("no", "yes")
    return Grouping(key, label_of(column), levels, TWO_COLORS, codes)


def _at_cutoff(
    key: str,
    column: str,
    patients: pd.DataFrame,
    own: RiskModel | None,
    cutoffs: Mapping[str, float],
) -> Grouping:
    codes = _split_by(column, patients, own)
    assert codes is not None, f"nothing splits {column}"
    if f"{column}{HIGH}" in patients.columns:
        at, note = cutoffs.get(column), "Split by the study, at its cut-off."
    else:
        assert own is not None
        at = next(each.cutoff for each in own.features if each.column == column)
        note = f"Split at the cut-off of {own.title or own.name}."
    levels = LEVELS[::2] if at is None else (f"low (to {at:.4g})", f"high (from {at:.4g})")
    return Grouping(key, label_of(column), levels, TWO_COLORS, codes, note)


def _split_by(column: str, patients: pd.DataFrame, own: RiskModel | None) -> Codes | None:
    """Return a feature as the study has split it, else as the risk model does, else None."""
    high = f"{column}{HIGH}"
    if high in patients.columns:
        values = patients[high].to_numpy(np.float64, na_value=np.nan)
        return np.where(np.isnan(values), -1, np.nan_to_num(values)).astype(np.intp)
    found = [] if own is None else [each for each in own.features if each.column == column]
    if not found or found[0].cutoff is None or column not in patients.columns:
        return None
    values = patients[column].to_numpy(np.float64, na_value=np.nan)
    split = [-1 if np.isnan(value) else found[0].split(float(value)) for value in values]
    return np.array(split, np.intp)


def _at_median(key: str, column: str, patients: pd.DataFrame) -> Grouping:
    values = patients[column].to_numpy(np.float64, na_value=np.nan)
    known = values[np.isfinite(values)]
    at = float(np.median(known)) if len(known) else np.nan
    codes = np.where(np.isfinite(values), values > at, -1).astype(np.intp)
    note = "Split at the cohort's median: our choice, to look at a feature without a search."
    levels = (f"≤ {at:.4g}", f"> {at:.4g}")
    return Grouping(key, label_of(column), levels, TWO_COLORS, codes, note)


def _codes_of_words(words: Iterable[object], levels: tuple[str, ...] = LEVELS[::2]) -> Codes:
    """Return places of words in `levels`; whatever else stands there is unknown."""
    place = {level: at for at, level in enumerate(levels)}
    return np.array([place.get(str(word).strip().casefold(), -1) for word in words], np.intp)


def _crs_codes(patients: pd.DataFrame) -> Codes:
    if "crs_group" in patients:
        return _codes_of_words(patients["crs_group"])
    from napari_crlm_spa.core.cohort.curves import crs_grouping

    return _codes_of_words(crs_grouping(patients).groups)


def _combined_codes(patients: pd.DataFrame) -> Codes:
    if "combined_grade" in patients:
        return _codes_of_words(patients["combined_grade"], LEVELS)
    sof, crs = _codes_of_words(patients["sof_group"]), _crs_codes(patients)
    words = (None, "low", "high")
    grades = [
        combined_grade(words[a + 1], words[b + 1]).points for a, b in zip(sof, crs, strict=True)
    ]
    return np.array([-1 if grade is None else grade for grade in grades], np.intp)


def _own_codes(model: RiskModel, patients: pd.DataFrame) -> Codes:
    columns = [feature.column for feature in model.features]
    values = patients[columns].to_numpy(np.float64, na_value=np.nan)
    place = {None: -1, "low": 0, "high": 1}
    groups = (assess_risk(dict(zip(columns, row, strict=True)), model).group for row in values)
    return np.array([place[group] for group in groups], np.intp)


def _is_usable(model: RiskModel, patients: pd.DataFrame) -> bool:
    columns = [feature.column for feature in model.features]
    return not model.missing_cutoffs and all(column in patients.columns for column in columns)


def _is_binary(patients: pd.DataFrame, name: str) -> bool:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    column = patients[name]
    if name in (EVENT, TIME, "CRS_group", *SOFS) or name.removesuffix(HIGH) in SOFS:
        return False
    if not is_numeric_dtype(column.dtype):
        return False
    if is_bool_dtype(column.dtype):
        return True
    values = np.unique(column.dropna().to_numpy(np.float64))
    return bool(len(values) == 2 and np.isin(values, (0.0, 1.0)).all())
