"""Words and codes of binary columns: female/male, R0/R1, N0/N2, T3, yes/no, low/high."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import CLINICAL, ClinicalVariable
from napari_crlm_spa.core.cohort.table.numbers import to_numbers

_NO = ("no", "n", "false", "absent", "never", "negative", "not done", "none given")
_YES = ("yes", "y", "true", "present", "positive", "done", "given")
#: Other words for the lower and the higher code.
_SYNONYMS: dict[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]] = {
    ("no", "yes"): (_NO, _YES),
    ("female", "male"): (("f", "w", "woman"), ("m", "man")),
    ("left", "right"): (
        ("l", "left-sided", "left sided", "left colon"),
        ("r", "right-sided", "right sided", "right colon"),
    ),
    ("R0", "R1"): (("r 0", "negative", "clear"), ("r 1", "positive", "involved")),
    ("N0", "N1-2"): (("n-", "negative", "no", "false"), ("n+", "positive", "yes", "true")),
    ("low (0-2)", "high (3-5)"): (("low", "low risk"), ("high", "high risk")),
}
_STAGE = re.compile(r"(?:y?[pc])?(?P<letter>[tn])(?P<stage>is|[0-4])[a-d]?$")


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A binary column as 0/1.

    Parameters
    ----------
    values
        Shape (rows,); NaN for holes and for what is no code.
    holes, bad
        Which cells are unknown, and which hold something that is no code.
    words
        What was taken for 0 and 1, by what stands in the table; empty if it holds 0/1.
    shifted
        Whether the column is coded 1 and 2, which does not say which of them is 0.
    authors
        Whether 1 and 2 were read as in the authors' table.
    """

    values: NDArray[np.float64]
    holes: NDArray[np.bool_]
    bad: NDArray[np.bool_]
    words: dict[str, int]
    shifted: bool = False
    authors: bool = False


def to_codes(column: str, cells: Sequence[str], *, authors: bool = False) -> Coded:
    """Read a binary clinical column.

    Parameters
    ----------
    column
        Its canonical name.
    cells
        0/1, the words of its `codes`, or what people write for them. A T stage is dichotomized
        (T0-2: 0, T3-4: 1), an N stage as well (N0: 0, N1-3: 1), also if written as plain numbers,
        as soon as one of them is above 1 (T: above 2) so that they can't be 0/1 codes.
    authors
        Whether 1 and 2 are codes, the lower first, as in the authors' Gender.
    """
    variable = CLINICAL[column]
    numbers = to_numbers(cells)
    found = set(numbers.values[~np.isnan(numbers.values)].tolist())
    words_too = any(_code_of(variable, cell) is not None for cell in cells)
    shifted = 2.0 in found and found <= {1.0, 2.0} and not words_too
    if shifted and authors:
        recode = {1.0: 0, 2.0: 1}
    elif shifted:
        nothing = np.full(len(cells), np.nan)
        return Coded(nothing, numbers.holes, ~numbers.holes, {}, shifted=True)
    else:
        recode = _recode(variable, found)
    values, words = np.full(len(cells), np.nan), {}
    for at, cell in enumerate(cells):
        if numbers.holes[at]:
            continue
        number = numbers.values[at]
        code = _code_of(variable, cell) if np.isnan(number) else recode.get(float(number))
        if code is not None:
            values[at] = code
            if number != code:  # also a word, which is no number
                words[cell] = code
    return Coded(values, numbers.holes, np.isnan(values) & ~numbers.holes, words, False, shifted)


def _recode(variable: ClinicalVariable, found: set[float]) -> dict[float, int]:
    """Return which numbers are which code: 0 and 1, or stages if a number is too high for codes."""
    stages = {float(stage) for stage in range(5)}
    if variable.column == "Pathological_Tstage" and found <= stages and found & {3.0, 4.0}:
        return {stage: int(stage >= 3) for stage in stages}
    if variable.column == "Pathological_Nstage" and found <= stages and 0.0 in found:
        return {stage: int(stage >= 1) for stage in stages}
    return {0.0: 0, 1.0: 1}


def _code_of(variable: ClinicalVariable, cell: str) -> int | None:
    word = " ".join(cell.casefold().split())
    low, high = variable.codes
    lows, highs = _SYNONYMS.get((low, high), ((), ()))
    if word == low.casefold() or word in lows:
        return 0
    if word == high.casefold() or word in highs:
        return 1
    stage = _STAGE.match(word.replace(" ", ""))
    if stage is None or not variable.column.endswith(f"{stage['letter'].upper()}stage"):
        return None
    number = 0 if stage["stage"] == "is" else int(stage["stage"])
    return int(number >= (3 if stage["letter"] == "t" else 1))
