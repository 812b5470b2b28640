"""A study on disk: a CSV for each table, a JSON file for the rest, the risk model.

The names of all files of a study's folder stand here. ``study.json`` is written last, so a folder
that has one is complete.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from napari_crlm_spa.core.cohort.study.contents import Kind, Study, StudyTable
from napari_crlm_spa.core.files import is_file, write_errors, write_text
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

STUDY_JSON = "study.json"
RISK_MODEL_JSON = "risk-model.json"
TABLES, FIGURES = "tables", "figures"
REPORT_HTML = "report.html"
_FORMAT = 1
#: Table names become file names: no path, no surprise on any system.
_NAME = re.compile(r"[a-z][a-z0-9_]*")
#: What a column holds; CSV alone would turn the patient "007" into 7.
_Holds = Literal["text", "number", "integer", "flag"]


def table_path(folder: Path, name: str) -> Path:
    """Return where a table of a study lies."""
    return folder / TABLES / f"{name}.csv"


def figure_path(folder: Path, name: str, suffix: str = "svg") -> Path:
    """Return where a figure of a study's report lies."""
    return folder / FIGURES / f"{name}.{suffix}"


def is_study(folder: Path) -> bool:
    """Tell whether a folder holds a finished study."""
    return is_file(folder / STUDY_JSON)


def write_study(folder: Path, study: Study) -> Path:
    """Write a study into a folder; an earlier study there is replaced.

    Numbers are written as Python's repr does, so reading them gives the very same numbers. A hole
    is an empty cell. Other files in the folder are left alone.

    Parameters
    ----------
    folder
        Is created.
    study
        What to write. Names of tables: lower-case letters, digits and underscores.

    Returns
    -------
    Path
        ``study.json``.

    Raises
    ------
    StoreError
        If a file cannot be written.
    """
    from napari_crlm_spa.core.risk import save_risk_model

    for name in study.tables:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name for a table")
    _forget_earlier(folder)
    for name, table in study.tables.items():
        text = table.frame.to_csv(index=False, lineterminator="\n")
        write_text(table_path(folder, name), text)
    if study.risk_model is not None:
        save_risk_model(study.risk_model, folder / RISK_MODEL_JSON)
    path = folder / STUDY_JSON
    write_text(path, json.dumps(_record(study), indent=2, ensure_ascii=False, allow_nan=False))
    return path


def read_study(folder: Path) -> Study:
    """Read a study that `write_study` wrote.

    Titles, notes and warnings in ``study.json`` may have been edited. A hole in a column of texts
    is an empty text, in any other column NaN.

    Raises
    ------
    CohortError
        If there is no finished study, or one of its files is missing or cannot be read.
    """
    from napari_crlm_spa.core.risk import load_risk_model

    path = folder / STUDY_JSON
    if not is_file(path):
        raise CohortError(
            f"There is no finished study in {folder}: it has no {STUDY_JSON}. Name the folder that "
            "'crlm-spa cohort fit' or 'validate' wrote, or run it again if it was interrupted."
        )
    try:
        record = json.loads(path.read_text("utf-8"))
        kind, tables = _checked(record)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CohortError(
            f"{path} cannot be read: {error}. If it was edited by hand, undo the last change; "
            "otherwise run the analysis again."
        ) from error
    model = folder / RISK_MODEL_JSON
    return Study(
        kind=kind,
        cohort=str(record["cohort"]),
        tables={
            name: StudyTable(name, title, _read_table(table_path(folder, name), columns), note)
            for name, title, note, columns in tables
        },
        warnings=tuple(str(each) for each in record.get("warnings", ())),
        facts=record.get("facts", {}),
        versions={str(key): str(value) for key, value in record.get("versions", {}).items()},
        risk_model=load_risk_model(model) if record.get("risk_model") else None,
    )


def _record(study: Study) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "kind": study.kind,
        "cohort": study.cohort,
        "warnings": list(study.warnings),
        "facts": _plain(study.facts),
        "versions": dict(study.versions),
        "risk_model": RISK_MODEL_JSON if study.risk_model is not None else None,
        "tables": [
            {
                "name": name,
                "title": table.title,
                "note": table.note,
                "columns": {str(c): _holds(table.frame[c]) for c in table.frame.columns},
            }
            for name, table in study.tables.items()
        ],
    }


def _checked(record: Any) -> tuple[Kind, list[tuple[str, str, str, dict[str, _Holds]]]]:
    if not isinstance(record, dict) or record.get("format") != _FORMAT:
        raise ValueError(f"it is not of format {_FORMAT}")
    kind = record["kind"]
    if kind not in get_args(Kind):
        raise ValueError(f"its kind is {kind!r}, not one of {', '.join(get_args(Kind))}")
    tables = []
    for each in record["tables"]:
        name = str(each["name"])
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name for a table")
        tables.append((name, str(each["title"]), str(each["note"]), dict(each["columns"])))
    return kind, tables


def _forget_earlier(folder: Path) -> None:
    """Remove what an earlier study here listed, its index first: no mixture is ever complete."""
    path = folder / STUDY_JSON
    if not is_file(path):
        return
    names: list[str] = []
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        _, tables = _checked(json.loads(path.read_text("utf-8")))
        names = [name for name, *_ in tables]
    with write_errors(path):
        path.unlink()
        (folder / RISK_MODEL_JSON).unlink(missing_ok=True)
        for name in names:
            table_path(folder, name).unlink(missing_ok=True)


def _holds(column: pd.Series[Any]) -> _Holds:
    from pandas.api import types

    if types.is_bool_dtype(column.dtype):
        return "flag"
    if types.is_integer_dtype(column.dtype):
        return "integer"
    if types.is_float_dtype(column.dtype):
        return "number"
    values = [value for value in column.dropna().tolist() if value is not None]
    if values and all(isinstance(value, bool) for value in values):
        return "flag"
    return "number" if values and all(isinstance(value, Real) for value in values) else "text"


def _read_table(path: Path, columns: Mapping[str, _Holds]) -> pd.DataFrame:
    import pandas as pd

    try:
        read = pd.read_csv(path, dtype=str, keep_default_na=False, skip_blank_lines=False)
        return pd.DataFrame(
            {
                name: _converted(read[name].tolist(), columns.get(str(name), "text"))
                for name in read
            },
            columns=list(read.columns),
        )
    except (OSError, ValueError) as error:
        raise CohortError(
            f"The table {path} of the study cannot be read: {error}. Put the file back; to leave "
            f"it out, remove its entry from {STUDY_JSON} too."
        ) from error


def _converted(values: list[str], holds: _Holds) -> pd.Series[Any]:
    import pandas as pd

    if holds == "text":
        return pd.Series(values, dtype=object)
    if holds == "flag":
        flags: list[Any] = [
            {"true": True, "1": True, "false": False, "0": False, "": math.nan}[each.casefold()]
            for each in values
        ]
        return pd.Series(flags, dtype=object if "" in values else bool)
    if holds == "integer" and "" not in values:
        return pd.Series([int(each) for each in values], dtype="int64")
    return pd.Series([float(each) if each else math.nan for each in values], dtype="float64")


def _plain(value: Any) -> Any:
    """Turn what computations return into what JSON knows; what is not finite into null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else None
    if hasattr(value, "tolist"):  # numpy's arrays and scalars, bool_ among them
        return _plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    return str(value)
