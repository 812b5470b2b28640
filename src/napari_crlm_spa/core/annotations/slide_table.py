"""A table of slides to export: which areas, which patient."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from napari_crlm_spa.errors import TableError

COLUMNS = ("slide", "areas", "patient", "results", "reader", "mpp", "annotator")


@dataclass(frozen=True, slots=True)
class SlideTableRow:
    """A row: files and folders as they are, None and "" where the table says nothing."""

    slide: Path
    areas: Path | None = None
    patient: str = ""
    results: Path | None = None
    reader: str = ""
    mpp: float | None = None
    annotator: str = ""


def read_slide_table(path: Path) -> list[SlideTableRow]:
    """Read a CSV table (UTF-8, commas or semicolons) with a column ``slide``.

    Further columns are ``areas``, ``patient``, ``results``, ``reader``, ``mpp`` and
    ``annotator``; others are passed over. Paths count from the table's folder.

    Raises
    ------
    TableError
        If it cannot be read, has no slide, or says something that cannot be.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header = file.readline()
            file.seek(0)
            # Excel writes semicolons where the comma is the decimal sign.
            separator = ";" if header.count(";") > header.count(",") else ","
            reader = csv.DictReader(file, delimiter=separator)
            names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
            reader.fieldnames = names
            lines = list(reader)
    except UnicodeDecodeError:
        raise TableError(
            f"{path.name} is not UTF-8 text. Save it as CSV UTF-8 (in Excel: Save as, CSV UTF-8)."
        ) from None
    except (OSError, csv.Error) as error:
        raise TableError(f"{path.name} cannot be read as a CSV table: {error}.") from error
    if "slide" not in names:
        raise TableError(
            f"{path.name} has no column slide. It needs one; welcome are also "
            f"{', '.join(COLUMNS[1:])}."
        )
    told = enumerate(lines, start=2)
    rows = [_row(path, number, line) for number, line in told if _says_something(line)]
    if not rows:
        raise TableError(f"{path.name} lists no slide.")
    return rows


def _says_something(line: Mapping[str, str | None]) -> bool:
    """Tell whether a line says anything."""
    return any((line.get(name) or "").strip() for name in COLUMNS)


def _row(path: Path, number: int, line: Mapping[str, str | None]) -> SlideTableRow:
    told = {name: (line.get(name) or "").strip() for name in COLUMNS}
    if not told["slide"]:
        raise TableError(f"{path.name}, line {number}: the slide is not named.")

    def place(name: str) -> Path | None:
        return path.parent / told[name] if told[name] else None

    try:
        mpp = float(told["mpp"].replace(",", ".")) if told["mpp"] else None
    except ValueError:
        raise TableError(
            f"{path.name}, line {number}: {told['mpp']!r} is no pixel size in µm."
        ) from None
    return SlideTableRow(
        slide=path.parent / told["slide"],
        areas=place("areas"),
        patient=told["patient"],
        results=place("results"),
        reader=told["reader"],
        mpp=mpp,
        annotator=told["annotator"],
    )
