"""Tables as they come from spreadsheets: CSV of any dialect, or Excel, read as text."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

from napari_crlm_spa.errors import CohortError

EXCEL = (".xlsx", ".xlsm")
_UNREADABLE = (".xls", ".ods", ".numbers", ".sav", ".rdata", ".rds", ".dta")
_SEPARATORS = (",", ";", "\t")


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A table of text.

    Parameters
    ----------
    path
        The file.
    header
        Names of the columns.
    rows
        Cells without surrounding blanks; ``""`` is empty. Each as long as the header.
    numbers
        Of each row, as the spreadsheet counts; the header is row 1.
    sha256
        Of the file.
    dialect
        How it was read, in words.
    semicolons
        Whether semicolons separate the cells, as where the decimal sign is a comma.
    """

    path: Path
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    sha256: str
    dialect: str
    semicolons: bool = False

    def column(self, name: str) -> list[str]:
        """Return the cells below a header."""
        at = self.header.index(name)
        return [row[at] for row in self.rows]


def read_sheet(path: Path | str, sheet: str = "") -> Sheet:
    """Read a CSV or Excel table as text.

    Parameters
    ----------
    path
        CSV (separated by comma, semicolon or tab; UTF-8, UTF-16 or Windows-1252) or ``.xlsx``.
    sheet
        Name of the Excel sheet; the first one if empty.

    Raises
    ------
    CohortError
        If the file is missing, empty or no such table; if two columns have one name or a row has
        more cells than the header.
    """
    path = Path(path)
    if path.suffix.lower() in _UNREADABLE:
        raise CohortError(
            f"{path.name} cannot be read: save it as .xlsx or as CSV and name that file."
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CohortError(
            f"The table {path} cannot be read: {error.strerror or error}. "
            "Name a CSV or Excel (.xlsx) file."
        ) from error
    excel = path.suffix.lower() in EXCEL or data[:4] == b"PK\x03\x04"
    lines, dialect = _excel(path, data, sheet) if excel else _csv(path, data)
    header, rows, numbers = _table(path, lines)
    digest = hashlib.sha256(data).hexdigest()
    return Sheet(path, header, rows, numbers, digest, dialect, "semicolons" in dialect[:16])


def _csv(path: Path, data: bytes) -> tuple[list[list[str]], str]:
    text, encoding = _decoded(path, data)
    first = next((line for line in text.splitlines() if line.strip()), "")
    # Excel writes this line for itself.
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        separator, text = first.strip()[-1], text.replace(first, "", 1)
    else:
        separator = _separator(first)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise CohortError(
            f"{path.name} is no table: {error}. Save it as CSV (UTF-8) or .xlsx."
        ) from error
    names = {",": "commas", ";": "semicolons", "\t": "tabs"}
    return rows, f"CSV, {names.get(separator, repr(separator))}, {encoding}"


def _decoded(path: Path, data: bytes) -> tuple[str, str]:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp1252", "latin-1")
    if encodings[0] != "utf-16" and b"\x00" in data:
        raise CohortError(f"{path.name} is no table of text. Name a CSV or Excel (.xlsx) file.")
    for encoding in encodings:
        try:
            return data.decode(encoding), encoding.removesuffix("-sig")
        except UnicodeDecodeError:
            continue
    raise CohortError(f"{path.name} is neither UTF-8 nor UTF-16. Save it as CSV (UTF-8) or .xlsx.")


def _separator(line: str) -> str:
    """Take the separator that the header has most of, outside of quotes."""
    outside = "".join(part for i, part in enumerate(line.split('"')) if i % 2 == 0)
    counts = {each: outside.count(each) for each in _SEPARATORS}
    return max(counts, key=lambda each: counts[each])


def _excel(path: Path, data: bytes, sheet: str) -> tuple[list[list[str]], str]:
    import zipfile

    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, SyntaxError) as error:
        raise CohortError(
            f"{path.name} is no Excel file that can be read ({error}). Save it as .xlsx or CSV."
        ) from error
    try:
        names = [each.title for each in book.worksheets]
        if sheet and sheet not in names:
            raise CohortError(
                f"{path.name} has no sheet {sheet!r}. Choose one of {', '.join(names)}."
            )
        chosen = book[sheet] if sheet else book.worksheets[0]
        # Some programs write a wrong size into the file.
        chosen.reset_dimensions()
        lines = [[_text(cell) for cell in row] for row in chosen.iter_rows(values_only=True)]
        others = [name for name in names if name != chosen.title]
        more = f" (not read: {', '.join(others)})" if others else ""
        return lines, f"Excel, sheet {chosen.title}{more}"
    finally:
        book.close()


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        # Excel knows no whole numbers: patient 12 comes as 12.0.
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        midnight = cell.time() == time(0)
        return (cell.date() if midnight else cell).isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)


def _table(
    path: Path, lines: Sequence[Sequence[str]]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...], tuple[int, ...]]:
    filled = [
        (number, cells)
        for number, line in enumerate(lines, start=1)
        if any(cells := [" ".join(cell.split()) for cell in line])
    ]
    if not filled:
        raise CohortError(f"{path.name} is empty. The first row must name the columns.")
    header = _header(path, filled[0][1], [cells for _, cells in filled[1:]])
    width, rows, numbers = len(header), [], []
    for number, cells in filled[1:]:
        if any(cells[width:]):
            raise CohortError(
                f"Row {number} of {path.name} has more cells than the first row has names. If "
                "numbers are written with a comma (12,5), separate the cells by semicolons."
            )
        rows.append(tuple(cells[:width]) + ("",) * (width - len(cells)))
        numbers.append(number)
    named = [at for at, name in enumerate(header) if name]
    kept = tuple(tuple(row[at] for at in named) for row in rows)
    return tuple(header[at] for at in named), kept, tuple(numbers)


def _header(path: Path, first: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Name columns without a name after their letter; drop those that are empty altogether."""
    header = list(first)
    while header and not header[-1]:
        header.pop()
    used = {at for row in rows for at, cell in enumerate(row) if cell}
    for at, name in enumerate(header):
        if not name and at in used:
            header[at] = f"column {_letters(at)}"
    named = [name for name in header if name]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise CohortError(
            f"{path.name} has several columns of the name {', '.join(twice)}. Rename them, so "
            "that it is clear which is meant."
        )
    return header


def _letters(at: int) -> str:
    letters = ""
    while at >= 0:
        letters, at = chr(65 + at % 26) + letters, at // 26 - 1
    return letters
