"""Reviews from wherever readers left them: tables, blinded lists, drawn lines, analysis folders."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_crlm_spa.core.cohort.columns import PATIENT, SLIDE
from napari_crlm_spa.core.cohort.table.cells import Sheet, read_sheet
from napari_crlm_spa.core.files import is_file
from napari_crlm_spa.core.hgp.columns import LESION, RATER, REVIEW_COLUMNS, ROUND
from napari_crlm_spa.core.hgp.line_files import LINE_SUFFIXES, is_line_file, read_line_file
from napari_crlm_spa.core.hgp.lines import LineOptions, line_lengths_um, line_shares
from napari_crlm_spa.core.hgp.one_name import slide_key
from napari_crlm_spa.core.hgp.review_rows import ReviewOptions
from napari_crlm_spa.core.hgp.reviews import (
    NOBODY,
    Reviews,
    check_reviews,
    joined_reviews,
    read_reviews,
)
from napari_crlm_spa.core.hgp.sample_files import is_blinded, read_key, unblinded
from napari_crlm_spa.core.hgp.slide_review import saved_reviews
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.slide import is_slide_name, open_slide, stem
from napari_crlm_spa.core.store.names import INTERFACE_GEOJSON, READERS, TILES_GEOJSON
from napari_crlm_spa.errors import CohortError

#: What the program writes beside an analysis: lines and tiles, but no reader's.
_OURS = (INTERFACE_GEOJSON, TILES_GEOJSON)


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How reviews are imported.

    Parameters
    ----------
    key
        Of blinded lists; None if there are none.
    slides
        Folder with the slides that lines were drawn on; None if lengths must do.
    mpp
        Micrometers per pixel, for GeoJSON lines whose slide is not there.
    rater
        Who reviewed what names nobody.
    first
        Whether of saved reviews the first commitment counts, not the last change.
    lines, reviews
        What titles of lines mean; limits of a review.
    """

    key: Path | None = None
    slides: Path | None = None
    mpp: float | None = None
    rater: str = ""
    first: bool = True
    lines: LineOptions = field(default_factory=LineOptions)
    reviews: ReviewOptions = field(default_factory=ReviewOptions)


@dataclass(frozen=True, slots=True, eq=False)
class Imported:
    """Reviews of all files.

    Parameters
    ----------
    reviews
        Checked and joined.
    notes
        What was left out of files of lines, and why.
    lengths_um
        Drawn length by slide and pattern.
    """

    reviews: Reviews
    notes: tuple[str, ...]
    lengths_um: Mapping[str, Mapping[str, float]]


def import_reviews(
    sources: Sequence[Path | str], options: ImportOptions | None = None
) -> Generator[Progress, None, Imported]:
    """Import reviews.

    Parameters
    ----------
    sources
        Tables (CSV, Excel, JSON; blinded ones need the key), ``.ndpa`` and ``.geojson`` files of
        lines, folders of lines, analysis folders with saved reviews or folders of these.
    options
        See `ImportOptions`.

    Raises
    ------
    CrlmSpaError
        If a file can't be read, a blinded list has no key, or nothing is found.
    """
    options = options or ImportOptions()
    found = [each for source in sources for each in _expanded(Path(source))]
    parts: list[Reviews] = []
    notes: list[str] = []
    lengths: dict[str, Mapping[str, float]] = {}
    rows: list[dict[str, Any]] = []
    for done, path in enumerate(found):
        yield Progress("Reading reviews", done, len(found), "files")
        if path.is_dir():
            rows += [each.row(first=options.first) for each in saved_reviews(path)]
        elif is_line_file(path):
            row, lengths_um, said = _from_lines(path, options)
            notes += said
            if row is not None:
                rows.append(row)
                lengths[row[SLIDE]] = lengths_um
        else:
            parts.append(_from_table(path, options))
    yield Progress("Reading reviews", len(found), len(found), "files")
    if rows:
        parts.append(check_reviews(_sheet(rows), options.reviews, rater=options.rater))
    if not parts:
        raise CohortError(
            "No reviews were found. Name tables (CSV, Excel) one by one, .ndpa or .geojson files "
            "of lines, folders of lines, or folders of analyses that were reviewed."
        )
    return Imported(joined_reviews(parts), tuple(notes), lengths)


def _expanded(source: Path) -> list[Path]:
    """Return files and analysis folders with reviews, from whatever was named."""
    if not source.is_dir():
        if not is_file(source):
            raise CohortError(f"{source} is not there. Name a file or folder of reviews.")
        if source.name in _OURS:
            raise CohortError(
                f"{source} is what the program found, not what a reader drew. Name a reader's file."
            )
        return [source]
    folders = sorted({each.parent for each in source.rglob(READERS) if each.is_dir()})
    files = [
        each
        for each in sorted(source.iterdir())
        if is_file(each) and is_line_file(each) and each.name not in _OURS
    ]
    return [*folders, *files]


def _from_table(path: Path, options: ImportOptions) -> Reviews:
    if path.suffix.lower() == ".json":
        return read_reviews(path, options.reviews, rater=options.rater)
    sheet = read_sheet(path)
    if is_blinded(sheet):
        if options.key is None:
            raise CohortError(
                f"{path.name} names its slides by review ids. Name the key that hgp sample wrote: "
                "--key key.csv."
            )
        sheet = _filled(unblinded(sheet, read_key(options.key)))
    return check_reviews(sheet, options.reviews, rater=options.rater)


def _filled(sheet: Sheet) -> Sheet:
    """Leave out readings that were not made yet: rows without any cell of a review."""
    known = {PATIENT, LESION, SLIDE, RATER, ROUND, "order"}
    own = [i for i, name in enumerate(sheet.header) if name not in known]
    keep = [at for at, cells in enumerate(sheet.rows) if any(cells[i] for i in own)]
    return Sheet(
        sheet.path,
        sheet.header,
        tuple(sheet.rows[at] for at in keep),
        tuple(sheet.numbers[at] for at in keep),
        sheet.sha256,
        sheet.dialect,
        sheet.semicolons,
    )


def _from_lines(
    path: Path, options: ImportOptions
) -> tuple[dict[str, Any] | None, dict[str, float], list[str]]:
    slide_name = _slide_name(path)
    slide_path = _slide_beside(path, slide_name, options.slides)
    info = None
    if slide_path is not None and options.mpp is None:
        with open_slide(slide_path) as slide:
            info = slide.info
    drawn = read_line_file(path, info, mpp=options.mpp, options=options.lines)
    notes = [f"{path.name}: {note}" for note in drawn.notes]
    if not drawn.lines:
        return None, {}, [*notes, f"{path.name} has no line of a pattern and was left out."]
    row: dict[str, Any] = dict.fromkeys(REVIEW_COLUMNS)
    row |= line_shares(drawn.lines)
    row |= {SLIDE: slide_name, RATER: drawn.rater or options.rater or NOBODY, ROUND: 1}
    return row, line_lengths_um(drawn.lines), notes


def _slide_name(path: Path) -> str:
    """Return ``slide-01`` of ``slide-01.ndpi.ndpa`` and ``slide-01.geojson``."""
    name = path.name
    for suffix in sorted(LINE_SUFFIXES, key=len, reverse=True):
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
            break
    return stem(Path(name)) if is_slide_name(Path(name)) else name


def _slide_beside(path: Path, name: str, folder: Path | None) -> Path | None:
    for place in (path.parent, folder):
        if place is None or not place.is_dir():
            continue
        for each in sorted(place.iterdir()):
            if is_file(each) and is_slide_name(each) and stem(each) == name:
                return each
    return None


def _sheet(rows: Sequence[Mapping[str, Any]]) -> Sheet:
    def cell(value: Any) -> str:
        if value is None or value != value:
            return ""
        return repr(value) if isinstance(value, float) else str(value)

    cells = tuple(tuple(cell(row.get(name)) for name in REVIEW_COLUMNS) for row in rows)
    numbers = tuple(range(2, len(cells) + 2))
    return Sheet(Path("saved reviews"), REVIEW_COLUMNS, cells, numbers, "", "")


def with_patients(reviews: Reviews, slides: Mapping[str, tuple[str, str]]) -> Reviews:
    """Name patients and lesions of reviews that do not, from a table of slides.

    Parameters
    ----------
    reviews
        Rows whose patient is unknown have the slide's name in its place.
    slides
        Patient and lesion by slide (with or without suffix); "" if unknown.
    """
    frame = reviews.frame.copy()
    by_key = {slide_key(name): answer for name, answer in slides.items()}
    told = [by_key.get(slide_key(slide), ("", "")) for slide in frame[SLIDE]]
    frame[PATIENT] = [
        known if own == slide and known else own
        for own, slide, (known, _) in zip(frame[PATIENT], frame[SLIDE], told, strict=True)
    ]
    frame[LESION] = [own or known for own, (_, known) in zip(frame[LESION], told, strict=True)]
    return Reviews(frame, reviews.problems)
