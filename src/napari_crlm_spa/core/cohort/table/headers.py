"""Which column of somebody's table is which of ours."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from napari_crlm_spa.core.cohort.columns import (
    CLINICAL,
    DECLARED,
    EVENT,
    PATIENT,
    SLIDE,
    SOFS,
    TIME,
)
from napari_crlm_spa.errors import CohortError

#: Spellings of the columns that are no covariates, the likelier ones first: the first group of
#: which a table has one is taken. Compared as `plain` writes them.
_SPELLINGS: dict[str, tuple[tuple[str, ...], ...]] = {
    PATIENT: (
        ("patient", "patients"),
        ("patient id", "patient name", "patient number", "patient no", "pat id", "patient code"),
        ("sample id", "case id", "subject id", "pid", "case", "subject", "sample"),
        ("id", "study id", "record id"),
    ),
    SLIDE: (
        ("slide", "slides"),
        ("slide name", "slide id", "slide file", "slide names", "slide files", "wsi"),
        ("image", "image name", "image id", "file name", "file", "slide path"),
    ),
    TIME: (
        ("os time",),
        ("os months", "overall survival", "overall survival time", "os days", "os years"),
        ("survival time", "survival", "follow up time", "follow up", "survival months"),
        ("time", "months", "days", "years"),
    ),
    EVENT: (
        ("os event",),
        ("os status", "overall survival status", "overall survival event"),
        ("event", "status", "death", "dead", "died", "deceased", "vital status"),
        ("os",),
    ),
    DECLARED: (("use slide",), ("slide used", "index slide", "representative slide")),
}
#: What a header may say about its unit, by what we call it.
_UNITS = {
    "months": ("months", "month", "mo", "mos"),
    "days": ("days", "day", "d"),
    "years": ("years", "year", "yrs", "yr", "y"),
    "cm": ("cm",),
    "mm": ("mm",),
    "ng/mL": ("ng/ml", "ngml", "ug/l", "µg/l", "μg/l"),
    "points": ("points",),
}
_IN_BRACKETS = re.compile(r"^(?P<name>.*\S)\s*[\(\[](?P<unit>[^\)\]]*)[\)\]]$")
_NOTHING = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Taken:
    """Which header was taken for which of our columns.

    Parameters
    ----------
    headers
        Header of the table by our column.
    units
        What the header of a column says about its unit (``"days"``), if anything.
    notes
        Sentences about headers that look like one of ours and were not taken.
    """

    headers: Mapping[str, str]
    units: Mapping[str, str]
    notes: tuple[str, ...]


def plain(name: str) -> str:
    """Write a name without case, blanks, dots, dashes and underscores."""
    return _NOTHING.sub("", name).casefold()


def take_columns(
    header: Sequence[str], named: Mapping[str, str], source: str, wanted: Iterable[str] = ()
) -> Taken:
    """Find our columns among somebody's headers.

    Parameters
    ----------
    header
        The headers.
    named
        By our column, the header that the user named; it is taken whatever it is called.
    source
        Name of the file, for messages.
    wanted
        Headers that are to keep their name.

    Raises
    ------
    CohortError
        If a named header is not there, or several headers may mean one column.
    """
    kept = set(wanted)
    headers = {column: _named(column, name, header, source) for column, name in named.items()}
    units = {column: _split_unit(name)[1] for column, name in headers.items()}
    notes: list[str] = []
    for column in (*_SPELLINGS, *CLINICAL, *SOFS):
        if column in headers:
            continue
        free = [each for each in header if each not in headers.values() and each not in kept]
        found = _find(column, free, source)
        if found is None:
            continue
        unit = _split_unit(found)[1]
        expected = CLINICAL[column].unit if column in CLINICAL else ""
        if unit and expected and unit != expected:
            notes.append(
                f"{found} was not taken for {column}, which is in {expected}: convert it and name "
                f"it {column}."
            )
            continue
        headers[column], units[column] = found, unit
    return Taken(headers, {column: unit for column, unit in units.items() if unit}, tuple(notes))


def parse_named(text: str) -> dict[str, str]:
    """Read the user's choices, ``ours=header; ours=header``.

    Raises
    ------
    CohortError
        If a part is no such pair, or we have no such column.
    """
    known = {plain(column): column for column in (*_SPELLINGS, *CLINICAL, *SOFS)}
    chosen = {}
    for part in text.split(";"):
        if not part.strip():
            continue
        ours, equals, header = (each.strip() for each in part.partition("="))
        if not (ours and equals and header):
            raise CohortError(
                f"{part.strip()!r} does not say which column is which: write our name, an equals "
                "sign and the table's, for instance Gender=Sex of patient."
            )
        if plain(ours) not in known:
            near = difflib.get_close_matches(ours, known.values(), n=3, cutoff=0.3)
            raise CohortError(
                f"There is no column {ours!r}{'; ' if near else ''}"
                f"{'similar are ' + ', '.join(near) if near else ''}. docs/cohort-table.md lists "
                "them; columns of other names are kept as they are and need no choice."
            )
        chosen[known[plain(ours)]] = header
    return chosen


def _named(column: str, name: str, header: Sequence[str], source: str) -> str:
    if name in header:
        return name
    alike = [each for each in header if plain(each) == plain(name)]
    if len(alike) == 1:
        return alike[0]
    near = difflib.get_close_matches(name, header, n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise CohortError(
        f"{source} has no column {name!r}, which was named for {column}.{hint} "
        f"It has {', '.join(header)}."
    )


def _find(column: str, header: Sequence[str], source: str) -> str | None:
    if column in header:
        return column
    if column in _SPELLINGS:
        groups = _SPELLINGS[column]
    elif column in CLINICAL:
        groups = ((column,), CLINICAL[column].aliases)
    else:
        groups = ((column,),)
    for group in groups:
        spellings = {plain(each) for each in group}
        found = [each for each in header if _names(each) & spellings]
        if len(found) > 1:
            raise CohortError(
                f"{source} has several columns that may be {column}: {', '.join(found)}. Say which "
                f"is meant: --columns '{column}={found[0]}'."
            )
        if found:
            return found[0]
    return None


def _names(header: str) -> set[str]:
    """Return what a header may be called: with its unit, and without."""
    return {plain(header), plain(_split_unit(header)[0])}


def _split_unit(header: str) -> tuple[str, str]:
    """Split ``Largest diameter (mm)`` or ``os_days`` into a name and a unit that we know."""
    bracket = _IN_BRACKETS.match(header)
    if bracket:
        unit = _unit(bracket["unit"])
        return bracket["name"], unit
    words = re.split(r"[\s._-]+", header)
    unit = _unit(words[-1]) if len(words) > 1 or words[-1].casefold() in _UNITS else ""
    return (" ".join(words[:-1]) if unit and len(words) > 1 else header), unit


def _unit(text: str) -> str:
    said = text.strip().casefold()
    return next((name for name, spellings in _UNITS.items() if said in spellings), "")
