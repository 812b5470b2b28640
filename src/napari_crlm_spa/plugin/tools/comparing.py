"""Two readers of one slide side by side: agreement, effect on the risk, patches that differ."""

from __future__ import annotations

import copy
import math
from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_crlm_spa.core.classes import NOT_CLASSIFIED, ClassScheme
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.review import (
    Agreement,
    Review,
    RiskEffect,
    agreement,
    list_readers,
    open_review,
    risk_effect,
)

#: Patches that are listed; the smallest of a very long list help nobody.
MOST_PATCHES = 500
NOT_COUNTED = "none"


@dataclass(frozen=True, slots=True)
class Difference:
    """Tiles that touch each other and about which two readers differ in the same way.

    Parameters
    ----------
    class_a, class_b
        What either says; "none" for tiles that were set aside.
    tiles
        How many there are.
    row, col, n_rows, n_cols
        The rectangle that they lie in.
    """

    class_a: str
    class_b: str
    tiles: int
    row: int
    col: int
    n_rows: int
    n_cols: int


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What is found when two readers are compared.

    Parameters
    ----------
    other
        The second reader's review.
    all_tiles, touched
        Agreement on all tiles, and on those that a reader touched.
    effect
        What the difference does to the risk.
    differences
        Where they differ, the largest patch first; at most `MOST_PATCHES`.
    """

    other: Review
    all_tiles: Agreement
    touched: Agreement
    effect: RiskEffect
    differences: tuple[Difference, ...]


def other_readers(review: Review) -> list[str]:
    """Names of those who have worked on the same slide, without the reader of a review."""
    mine = review.reader.casefold()
    found = (reader.name for reader in list_readers(review.analysis.folder))
    return [name for name in found if name.casefold() != mine]


def still(review: Review) -> Review:
    """Return a review whose tiles stay as they are now while the reader goes on."""
    kept, shown = copy.copy(review), review.tissue_map
    kept.tissue_map = replace(shown, classes=shown.classes.copy(), state=shown.state.copy())
    return kept


def compare(mine: Review, reader: str) -> Generator[Progress, None, Comparison]:
    """Compare a review with that of another reader of the same slide.

    Parameters
    ----------
    mine
        A review that nobody changes meanwhile; see `still`.
    reader
        The other's name.

    Raises
    ------
    ReviewError
        If the two are not of one map.
    """
    yield Progress(f"Opening the corrections of {reader}", 0, 1)
    other = open_review(mine.analysis, mine.risk_model, reader)
    all_tiles, touched = agreement(mine, other), agreement(mine, other, touched_only=True)
    effect = yield from risk_effect(mine, other)
    maps = mine.tissue_map.classes, other.tissue_map.classes
    found = differences(*maps, mine.tissue_map.scheme)
    return Comparison(other, all_tiles, touched, effect, tuple(found[:MOST_PATCHES]))


def differences(
    classes_a: NDArray[np.uint8], classes_b: NDArray[np.uint8], scheme: ClassScheme
) -> list[Difference]:
    """List the patches in which two maps differ, the largest first.

    Parameters
    ----------
    classes_a, classes_b
        Grid codes, shape (rows, cols).
    scheme
        The classes.

    Notes
    -----
    Tiles that touch by an edge or a corner and differ in the same way are one patch.
    """
    n_codes = len(scheme) + 1
    kinds = classes_a.astype(np.int64) * n_codes + classes_b
    kinds[classes_a == classes_b] = -1
    found = []
    for kind in np.unique(kinds[kinds >= 0]).tolist():
        class_a, class_b = (_name(code, scheme) for code in divmod(kind, n_codes))
        labels, _ = ndimage.label(kinds == kind, np.ones((3, 3)))
        sizes = np.bincount(labels.ravel())
        for number, (rows, cols) in enumerate(ndimage.find_objects(labels), start=1):
            place = (rows.start, cols.start, rows.stop - rows.start, cols.stop - cols.start)
            found.append(Difference(class_a, class_b, int(sizes[number]), *place))
    return sorted(found, key=lambda each: (-each.tiles, each.row, each.col))


def _name(code: int, scheme: ClassScheme) -> str:
    return NOT_COUNTED if code == NOT_CLASSIFIED else scheme.names[code - 1]


def agreement_line(found: Comparison) -> str:
    """Say how far two readers agree, on all tiles and on those that one of them touched."""
    overall, touched = found.all_tiles, found.touched
    lines = [f"All {overall.n:,} tiles: {_kappa(overall)}."]
    if touched.n:
        lines.append(f"The {touched.n:,} tiles that one of you touched: {_kappa(touched)}.")
    left_out = overall.only_a + overall.only_b
    if left_out:
        lines.append(f"{left_out:,} tiles were set aside by one of you and are not compared.")
    return "\n".join(lines)


def _kappa(found: Agreement) -> str:
    if math.isnan(found.observed):
        return found.reason
    kappa = "kappa undefined" if math.isnan(found.kappa) else f"kappa {found.kappa:.3f}"
    return f"{100 * found.observed:.1f} % alike, {kappa}"


def risk_line(found: Comparison, mine: str) -> str:
    """Say the score and the group by either reader."""
    sides = ((mine, found.effect.risk_a), (found.other.reader, found.effect.risk_b))
    told = []
    for name, risk in sides:
        score = "no score" if risk is None or risk.score is None else f"score {risk.score:.3g}"
        group = "no group" if risk is None or risk.group is None else f"{risk.group} risk"
        told.append(f"{name}: {score}, {group}")
    note = "" if found.effect.same_thresholds else "\nYour distance thresholds are not the same."
    return " · ".join(told) + note
