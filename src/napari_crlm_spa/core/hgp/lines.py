"""Patterns drawn as lines along the tumor-liver interface: lengths, and from them percent.

As in the digital maps of Fernandez Moro et al. (Nat Commun 2023;14:5024): each stretch is a line
titled D, R, R2 (replacement, type 2) or P; lengths are summed per pattern.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.hgp.columns import PCT_D, PCT_OTHER, PCT_P, PCT_R
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.errors import AnnotationError

#: Patterns that a line may have. R2 counts as replacement in shares; its length is kept apart.
PATTERN_TITLES = MappingProxyType(
    {
        "D": "Desmoplastic",
        "R": "Replacement",
        "R2": "Replacement, type 2",
        "P": "Pushing",
        "other": "Other",
    }
)
_SHARE_OF = {"D": PCT_D, "R": PCT_R, "R2": PCT_R, "P": PCT_P, "other": PCT_OTHER}
_SPELLINGS = {
    "D": ("d", "desmoplastic", "desmo", "dhgp", "encapsulated", "capsule"),
    "R": ("r", "r1", "replacement", "rhgp", "replacement 1", "replacement type 1"),
    "R2": ("r2", "replacement 2", "replacement type 2", "rhgp2", "rhgp type 2"),
    "P": ("p", "pushing", "phgp", "push"),
    "other": ("o", "other", "sinusoidal", "portal", "mixed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOptions(Options):
    """What titles of drawn lines mean."""

    titles: str = option(
        "",
        "Titles of lines that stand for a pattern, besides D, R, R2, P and their names: "
        "'capsule thin=D; infiltrating=R'",
        label="Titles of lines",
    )


@dataclass(frozen=True, slots=True, eq=False)
class PatternLine:
    """A line along a stretch of the interface.

    Parameters
    ----------
    pattern
        One of `PATTERN_TITLES`.
    vertices_um
        Shape (n, 2): x and y in micrometers from the slide's top-left corner; of lines whose
        slide is not known, from wherever the file counts.
    closed
        Whether the last vertex is joined to the first.
    title
        As the file says it.
    """

    pattern: str
    vertices_um: NDArray[np.float64]
    closed: bool = False
    title: str = ""

    @property
    def length_um(self) -> float:
        """Length along the line."""
        steps = np.diff(self.vertices_um, axis=0)
        length = float(np.hypot(*steps.T).sum())
        if self.closed and len(self.vertices_um) > 2:
            length += float(np.hypot(*(self.vertices_um[0] - self.vertices_um[-1])))
        return length


@dataclass(frozen=True, slots=True, eq=False)
class PatternLines:
    """The lines of one file.

    Parameters
    ----------
    lines
        Those that have a pattern and a length.
    notes
        What was left out and why, in sentences.
    rater
        Who drew them, if the file says so.
    """

    lines: tuple[PatternLine, ...]
    notes: tuple[str, ...] = ()
    rater: str = ""


def line_lengths_um(lines: Iterable[PatternLine]) -> dict[str, float]:
    """Sum the lengths in micrometers by pattern; each pattern is there, also with 0."""
    lengths = dict.fromkeys(PATTERN_TITLES, 0.0)
    for line in lines:
        lengths[line.pattern] += line.length_um
    return lengths


def line_shares(lines: Iterable[PatternLine]) -> dict[str, float]:
    """Return pct_D, pct_R (with R2), pct_P and pct_other of the drawn length.

    Raises
    ------
    AnnotationError
        If nothing was drawn.
    """
    lengths = line_lengths_um(lines)
    total = sum(lengths.values())
    if not total > 0:
        raise AnnotationError(
            "No line with a pattern is drawn, so there are no percentages. Draw lines titled D, R, "
            "R2 or P along the interface."
        )
    shares = dict.fromkeys(_SHARE_OF.values(), 0.0)
    for pattern, length in lengths.items():
        shares[_SHARE_OF[pattern]] += 100 * length / total
    return shares


def title_table(options: LineOptions) -> dict[str, str]:
    """Return the pattern by title, as `pattern_of` looks it up.

    Raises
    ------
    AnnotationError
        If an option is no pair, or names no pattern.
    """
    table = {_plain(each): pattern for pattern, names in _SPELLINGS.items() for each in names}
    known = {_plain(pattern): pattern for pattern in PATTERN_TITLES}
    for part in filter(str.strip, options.titles.split(";")):
        title, equals, pattern = (each.strip() for each in part.rpartition("="))
        if not (title and equals and _plain(pattern) in known):
            raise AnnotationError(
                f"{part.strip()!r} does not say which pattern a title stands for: write the title, "
                f"an equals sign and one of {', '.join(PATTERN_TITLES)}, for instance capsule=D."
            )
        table[_plain(title)] = known[_plain(pattern)]
    return table


def pattern_of(title: str, table: Mapping[str, str]) -> str | None:
    """Return the pattern that a title stands for, or None; case, blanks and dashes don't count."""
    return table.get(_plain(title))


def gather_lines(
    found: Iterable[tuple[str, NDArray[np.float64], bool]],
    table: Mapping[str, str],
    notes: list[str],
    rater: str = "",
) -> PatternLines:
    """Keep the lines whose title is a pattern and that have a length.

    Parameters
    ----------
    found
        Title, vertices in micrometers, closed.
    table
        Of `title_table`.
    notes
        Sentences so far; what is left out is added.
    """
    lines: list[PatternLine] = []
    unknown: dict[str, int] = {}
    short = 0
    for title, vertices_um, closed in found:
        pattern = pattern_of(title, table)
        if pattern is None:
            unknown[title] = unknown.get(title, 0) + 1
            continue
        line = PatternLine(pattern, vertices_um, closed, title)
        if line.length_um > 0:
            lines.append(line)
        else:
            short += 1
    if unknown:
        told = ", ".join(f"{title or 'without a title'} ({n})" for title, n in unknown.items())
        notes.append(
            f"Lines whose title is no pattern were left out: {told}. Say what they stand for with "
            "--titles 'title=D'."
        )
    if short:
        notes.append(f"Lines of no length were left out: {short}.")
    return PatternLines(tuple(lines), tuple(notes), rater)


def _plain(title: str) -> str:
    kept = "".join(char if char.isalnum() else " " for char in title.casefold())
    return "".join(kept.split())
