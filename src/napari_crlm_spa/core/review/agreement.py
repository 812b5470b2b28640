"""How far two readers agree on the classes of tiles: Cohen's kappa, overall and per class.

Cohen J, Educ Psychol Meas 1960;20:37-46: ``kappa = (p_o - p_e) / (1 - p_e)`` with the observed
agreement p_o and the agreement p_e that two readers with these shares of each class would reach by
chance. Tiles of a slide are not independent and most were predicted for both readers alike, so no
p value and no interval is given, and the tiles that a reader touched are looked at on their own.
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED, ClassScheme
from napari_crlm_spa.core.review.review import Review
from napari_crlm_spa.errors import ReviewError

NO_TILE = "no tile was counted by both readers"
_COLUMNS = (
    *("reader_a", "reader_b", "tiles", "class", "n", "both", "only_a", "only_b", "neither"),
    *("percent_agreement", "kappa", "reason"),
)
ONE_CLASS = "both readers use one class only, so chance alone explains full agreement"


@dataclass(frozen=True, slots=True)
class ClassAgreement:
    """Agreement on one class against all others.

    Parameters
    ----------
    name
        The class.
    both, only_a, only_b, neither
        Tiles that were given the class by both readers, by one, by none.
    kappa
        Cohen's kappa of "this class or another"; NaN where it is undefined.
    reason
        Why it is undefined; empty otherwise.
    """

    name: str
    both: int
    only_a: int
    only_b: int
    neither: int
    kappa: float
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Agreement of two readers.

    Parameters
    ----------
    reader_a, reader_b
        Their names.
    n
        Tiles compared: counted by both readers, and touched by one if that was asked for.
    only_a, only_b
        Tiles that only one reader counts (the other set them aside); not among the `n`.
    observed
        Share of the tiles with the same class; NaN without tiles.
    kappa, reason
        Cohen's kappa; NaN where it is undefined, and why.
    confusion
        Shape (classes, classes), int64: rows are the classes of reader A, columns of reader B.
    classes
        Agreement on each class of the scheme.
    touched_only
        Whether only tiles were compared that a reader touched.
    """

    reader_a: str
    reader_b: str
    n: int
    only_a: int
    only_b: int
    observed: float
    kappa: float
    reason: str
    confusion: NDArray[np.int64]
    classes: tuple[ClassAgreement, ...]
    touched_only: bool


def agreement(
    a: Review | NDArray[np.uint8],
    b: Review | NDArray[np.uint8],
    scheme: ClassScheme | None = None,
    *,
    touched_only: bool = False,
) -> Agreement:
    """Compare two readers of one slide.

    Parameters
    ----------
    a, b
        Reviews of the same analysis, or arrays of codes of one shape (0 = not counted).
    scheme
        The classes; needed with arrays only.
    touched_only
        Compare only tiles that at least one reader corrected, confirmed or set aside: on the
        others both have the prediction and agree for that reason. Needs reviews.

    Raises
    ------
    ReviewError
        If the two are not of one slide.
    """
    codes_a, codes_b = _codes(a), _codes(b)
    if isinstance(a, Review) and isinstance(b, Review) and not _same_map(a, b):
        raise ReviewError(
            f"{_name(a, 'A')} and {_name(b, 'B')} corrected different maps, so they cannot be "
            "compared. Choose two readers of one analysis."
        )
    if scheme is None:
        if not isinstance(a, Review):
            raise ReviewError("Name the class scheme of the arrays that are to be compared.")
        scheme = a.tissue_map.scheme
    if codes_a.shape != codes_b.shape:
        raise ReviewError(
            f"Two readers can be compared on the same tiles only; these maps have "
            f"{_size(codes_a)} and {_size(codes_b)} tiles. Choose two readers of one analysis."
        )
    if touched_only:
        if not isinstance(a, Review) or not isinstance(b, Review):
            raise ReviewError("Plain arrays do not say which tiles a reader touched.")
        looked_at = a.touched | b.touched
        codes_a, codes_b = codes_a[looked_at], codes_b[looked_at]
    return _compare(codes_a, codes_b, scheme, (_name(a, "A"), _name(b, "B")), touched_only)


def _codes(side: Review | NDArray[np.uint8]) -> NDArray[np.uint8]:
    return side.tissue_map.classes if isinstance(side, Review) else np.asarray(side, np.uint8)


def _same_map(a: Review, b: Review) -> bool:
    return a.predicted.scheme.names == b.predicted.scheme.names and np.array_equal(
        a.predicted.classes, b.predicted.classes
    )


def _name(side: Review | NDArray[np.uint8], otherwise: str) -> str:
    return side.reader or otherwise if isinstance(side, Review) else otherwise


def _size(codes: NDArray[np.uint8]) -> str:
    return " x ".join(map(str, codes.shape))


def _compare(
    codes_a: NDArray[np.uint8],
    codes_b: NDArray[np.uint8],
    scheme: ClassScheme,
    names: tuple[str, str],
    touched_only: bool,
) -> Agreement:
    k = len(scheme) + 1
    pairs = codes_a.astype(np.int64).ravel() * k + codes_b.ravel()
    table = np.bincount(pairs, minlength=k * k).reshape(k, k)
    confusion = np.delete(np.delete(table, NOT_CLASSIFIED, 0), NOT_CLASSIFIED, 1)
    n = int(confusion.sum())
    kappa, reason = cohen_kappa(confusion)
    return Agreement(
        reader_a=names[0],
        reader_b=names[1],
        n=n,
        only_a=int(table[1:, NOT_CLASSIFIED].sum()),
        only_b=int(table[NOT_CLASSIFIED, 1:].sum()),
        observed=float(np.trace(confusion) / n) if n else math.nan,
        kappa=kappa,
        reason=reason,
        confusion=confusion,
        classes=tuple(_of_class(name, i, confusion) for i, name in enumerate(scheme.names)),
        touched_only=touched_only,
    )


def _of_class(name: str, i: int, confusion: NDArray[np.int64]) -> ClassAgreement:
    both = int(confusion[i, i])
    only_a, only_b = int(confusion[i].sum()) - both, int(confusion[:, i].sum()) - both
    neither = int(confusion.sum()) - both - only_a - only_b
    kappa, reason = cohen_kappa(np.array([[both, only_a], [only_b, neither]]))
    if reason == ONE_CLASS:
        reason = "no reader used this class" if not both else "every tile is of this class"
    return ClassAgreement(name, both, only_a, only_b, neither, kappa, reason)


def cohen_kappa(confusion: NDArray[np.integer]) -> tuple[float, str]:
    """Compute Cohen's kappa of a confusion table.

    Parameters
    ----------
    confusion
        Shape (classes, classes): tiles by the class of one reader (rows) and of the other.

    Returns
    -------
    float, str
        Kappa, at most 1, 0 for agreement by chance; NaN where it is undefined (no tile, or one
        class only), and then the reason.
    """
    n = int(confusion.sum())
    if not n:
        return math.nan, NO_TILE
    # Whole numbers as long as possible: the chance agreement is compared with 1.
    rows, cols = confusion.sum(axis=1).tolist(), confusion.sum(axis=0).tolist()
    by_chance = sum(row * col for row, col in zip(rows, cols, strict=True))
    if by_chance == n * n:
        return math.nan, ONE_CLASS
    agreed = int(np.trace(confusion))
    return (agreed * n - by_chance) / (n * n - by_chance), ""


def agreement_csv(*compared: Agreement) -> str:
    """Write comparisons as a table: a row overall, one per class; no kappa is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for each in compared:
        lead = [each.reader_a, each.reader_b, "touched" if each.touched_only else "all"]
        agreed = int(np.trace(each.confusion))
        overall = ["", "", "", _cell(100 * each.observed), _cell(each.kappa), each.reason]
        writer.writerow([*lead, "all", each.n, agreed, *overall])
        for one in each.classes:
            counts = [one.both, one.only_a, one.only_b, one.neither]
            share = 100 * (one.both + one.neither) / each.n if each.n else math.nan
            writer.writerow(
                [*lead, one.name, each.n, *counts, _cell(share), _cell(one.kappa), one.reason]
            )
    return text.getvalue()


def _cell(value: float) -> str | float:
    return "" if math.isnan(value) else value
