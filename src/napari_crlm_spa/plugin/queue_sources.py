"""Where the slides of a queue come from: a folder, a table, files that were dropped. No Qt."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.slide import MPP_RANGE, is_slide_name
from napari_crlm_spa.core.slide.formats import SLIDE_FORMATS
from napari_crlm_spa.core.store.names import RUN_JSON
from napari_crlm_spa.errors import TableError

TABLE_SUFFIXES = (".csv", ".tsv", ".txt")
SLIDE_COLUMNS = ("slide", "path")
#: What spreadsheets put between cells; a German Excel takes the semicolon.
DELIMITERS = ",;\t"
_PICTURES = next(kind.suffixes for kind in SLIDE_FORMATS if "pillow" in kind.decoders)
_DICOM = ".dcm"
_MIRAX = ".mrxs"


@dataclass(frozen=True, slots=True)
class QueuedSlide:
    """A slide that is to be looked at.

    Parameters
    ----------
    path
        The file, or the folder of a DICOM slide; absolute.
    mpp
        Pixel size in micrometers that the table names; it wins over the file's own.
    patient
        Whose slide it is, if the table says so.
    """

    path: Path
    mpp: float | None = None
    patient: str = ""


@dataclass(slots=True)
class Found:
    """What was found in a folder, a table or among dropped files.

    Parameters
    ----------
    slides
        In the order in which they are to be seen, none twice.
    problems
        A sentence for everything that was left out.
    """

    slides: list[QueuedSlide] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(self, slides: Iterable[QueuedSlide]) -> None:
        """Add slides that are not there yet."""
        known = {slide.path for slide in self.slides}
        for slide in slides:
            if slide.path not in known:
                known.add(slide.path)
                self.slides.append(slide)


def absolute(path: str | Path) -> Path:
    """Return a path that does not depend on the working folder; links keep their names."""
    return Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100 - resolve follows links


def gather(paths: Sequence[str | Path]) -> Generator[Progress, None, Found]:
    """Find the slides that folders, tables and slide files stand for.

    Parameters
    ----------
    paths
        Folders are searched with all that is below them; a table is a CSV with a column
        ``slide`` or ``path``; everything else is taken for a slide if its suffix is one's.

    Returns
    -------
    Found
        Through ``StopIteration.value``.

    Raises
    ------
    TableError
        If a table cannot be used at all.
    """
    found = Found()
    for path in map(absolute, paths):
        if path.is_dir():
            found.add((yield from find_slides(path)))
        elif path.suffix.lower() in TABLE_SUFFIXES:
            table = read_table(path)
            found.add(table.slides)
            found.problems += table.problems
        elif not path.exists():
            found.problems.append(f"{path.name} is not there any more.")
        elif is_slide_name(path):
            found.add([QueuedSlide(path)])
        else:
            found.problems.append(f"{path.name} is not a slide.")
    return found


def find_slides(folder: Path) -> Generator[Progress, None, list[QueuedSlide]]:
    """Find all slides in a folder and below it.

    A folder with DICOM files is one slide. Plain PNG and JPEG pictures are not taken, since
    most of them are no slides; nor is anything inside of an analysis folder.
    """
    paths: list[Path] = []
    seen: set[tuple[int, int]] = set()
    for here, folders, files in os.walk(folder, followlinks=True):
        status = Path(here).stat()
        if (status.st_dev, status.st_ino) in seen or RUN_JSON in files:
            folders.clear()  # a link that leads back, or results
            continue
        seen.add((status.st_dev, status.st_ino))
        suffixes = {name: Path(name).suffix.lower() for name in files if not name.startswith(".")}
        if _DICOM in suffixes.values():
            paths.append(Path(here))
        paths += [Path(here, name) for name in suffixes if _is_found_by_name(Path(name))]
        # The pixels of a MIRAX slide lie in a folder beside it.
        mirax = {Path(name).stem for name, suffix in suffixes.items() if suffix == _MIRAX}
        folders[:] = [name for name in folders if not name.startswith(".") and name not in mirax]
        yield Progress("Looking for slides", len(paths), 0, "slides")
    return [QueuedSlide(path) for path in sorted(paths, key=natural_key)]


def _is_found_by_name(path: Path) -> bool:
    suffix = path.suffix.lower()
    return is_slide_name(path) and suffix not in _PICTURES and suffix != _DICOM


def natural_key(path: Path) -> list[tuple[int, str]]:
    """Sort slide-9 before slide-10."""
    parts = re.split(r"(\d+)", str(path).casefold())
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]


def read_table(path: Path) -> Found:
    """Read a table of slides.

    Parameters
    ----------
    path
        CSV with a header. Column ``slide`` or ``path``: file or DICOM folder, relative to the
        table. Columns ``mpp`` (µm per pixel) and ``patient`` may be there.

    Returns
    -------
    Found
        A row that cannot be used is left out with a sentence that names it.

    Raises
    ------
    TableError
        If it cannot be read, has no such column, or no row that can be used.
    """
    rows = _rows_of(path)
    header = [cell.strip().casefold() for cell in rows[0]] if rows else []
    column = next((name for name in SLIDE_COLUMNS if name in header), None)
    if column is None:
        raise TableError(
            f"{path.name} has no column named slide or path. Its first row has to name the "
            "columns: slide, and if you like mpp and patient."
        )
    found, known = Found(), set()
    for number, cells in enumerate(rows[1:], start=2):
        row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        if not any(row.values()):
            continue
        slide, problem = _slide_of_row(row, column, path.parent)
        if slide is not None and slide.path in known:
            problem = f"{slide.path.name} is named twice"
        if slide is None or problem:
            found.problems.append(f"{path.name}, row {number}: {problem}.")
        else:
            known.add(slide.path)
            found.slides.append(slide)
    if not found.slides:
        why = found.problems[0] if found.problems else "It has no rows below the header."
        raise TableError(f"{path.name} names no slide that can be used. {why}")
    return found


def _rows_of(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text(encoding="latin-1")
    except OSError as error:
        raise TableError(
            f"{path.name} cannot be read: {error.strerror or error}. Check the path."
        ) from error
    header = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=header.count)
    return list(csv.reader(text.splitlines(), delimiter=delimiter))


def _slide_of_row(row: dict[str, str], column: str, folder: Path) -> tuple[QueuedSlide | None, str]:
    """Return the slide of a row, or None and what is wrong with it."""
    if not row.get(column):
        return None, f"the column {column} is empty"
    path = absolute(folder / Path(row[column]).expanduser())
    if not path.exists():
        return None, f"there is no file {row[column]}"
    mpp, text = None, row.get("mpp", "")
    if text:
        low, high = MPP_RANGE
        try:
            mpp = float(text.replace(",", "."))
        except ValueError:
            return None, f"mpp {text!r} is no number"
        if not low <= mpp <= high:
            return None, f"mpp {text} is not between {low:g} and {high:g} µm/px"
    return QueuedSlide(path, mpp, row.get("patient", "")), ""
