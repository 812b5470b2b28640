"""One row of a table of reviews: what its cells say, and what can't be right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_crlm_spa.core.cohort.columns import PATIENT, SLIDE
from napari_crlm_spa.core.cohort.table.numbers import is_hole, to_numbers
from napari_crlm_spa.core.cohort.table.rows import Notebook
from napari_crlm_spa.core.hgp.columns import (
    ASSESSABLE,
    CHEMO,
    COMMENT,
    LESION,
    N_BLOCKS,
    PCT_D,
    PCT_OTHER,
    PCT_P,
    PCT_R,
    RATER,
    REVIEW_COLUMNS,
    ROUND,
    SHARES,
    VIABLE,
)
from napari_crlm_spa.core.options import Options, option

NAN = float("nan")
_YES = frozenset({"yes", "y", "true", "1", "ja", "present", "positive", "treated", "pretreated"})
_NO = frozenset(
    {"no", "n", "false", "0", "nein", "absent", "none", "negative", "naive", "untreated"}
)
_NO_CHEMO = frozenset({"chemo-naive", "chemo naive", "chemonaive", "naïve", "not treated"})
_PERCENT = (*SHARES, ASSESSABLE)
_NUMBERS = (*_PERCENT, ROUND, N_BLOCKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOptions(Options):
    """What a review may look like."""

    sum_tolerance_pct: float = option(
        1.0,
        "Shares may miss 100 % by so much and are scaled to 100: three thirds of 33 "
        "(heuristic of ours)",
        min=0.0,
        max=10.0,
        unit="%",
        label="Sums may miss 100 by",
        advanced=True,
    )


class RowReader:
    """Reads rows and notes what is wrong with them.

    Parameters
    ----------
    options
        Limits.
    notebook
        Where problems go.
    """

    def __init__(self, options: ReviewOptions, notebook: Notebook) -> None:
        self._options, self._notebook = options, notebook
        self._comma: dict[str, bool] = {}

    def decimal_commas(self, cells: Mapping[str, list[str]], *, semicolons: bool) -> None:
        """Learn from whole columns whether ``12,5`` is twelve and a half."""
        for column in _NUMBERS:
            if column in cells:
                found = to_numbers([_bare(cell) for cell in cells[column]], semicolons=semicolons)
                self._comma[column] = found.decimal_comma

    def row(self, cells: Mapping[str, str], number: int) -> dict[str, Any] | None:
        """Return a checked row, or None if it can't be used.

        Parameters
        ----------
        cells
            Text by our column; columns that the table lacks are absent.
        number
            As the spreadsheet counts.
        """
        texts = (PATIENT, SLIDE, LESION, RATER, COMMENT)
        row: dict[str, Any] = {column: self._text(cells, column) for column in texts}
        place = {"row": number, "patient": row[PATIENT] or row[SLIDE]}
        if not row[SLIDE]:
            self._note("error", "The slide has no name.", "Fill it in.", SLIDE, "", place)
            return None
        good = True
        for column in _NUMBERS:
            row[column], fine = self._number(cells, column, place)
            good &= fine
        for column in (VIABLE, CHEMO):
            row[column] = self._yes_no(cells, column, place)
        if not good or not self._round(row, place):
            return None
        row[PATIENT] = row[PATIENT] or row[SLIDE]
        if not self._shares(row, place):
            return None
        return {column: row[column] for column in REVIEW_COLUMNS}

    def _text(self, cells: Mapping[str, str], column: str) -> str:
        cell = cells.get(column, "")
        return "" if is_hole(cell) and column != COMMENT else cell

    def _number(
        self, cells: Mapping[str, str], column: str, place: Mapping[str, Any]
    ) -> tuple[float, bool]:
        cell = cells.get(column, "")
        bare = _bare(cell)
        if self._comma.get(column):
            bare = bare.replace(",", ".")
        found = to_numbers([bare])
        value = float(found.values[0])
        if found.bad[0]:
            self._note("error", f"{column} is not a number.", "Correct it.", column, cell, place)
            return NAN, False
        low, high = (0.0, 100.0) if column in _PERCENT else (1.0, np.inf)
        if not np.isnan(value) and not low <= value <= high:
            words = "lies within 0 to 100 percent" if column in _PERCENT else "is 1 or more"
            self._note("error", f"{column} {words}.", "Correct it.", column, cell, place)
            return NAN, False
        return value, True

    def _yes_no(self, cells: Mapping[str, str], column: str, place: Mapping[str, Any]) -> float:
        cell = cells.get(column, "")
        if is_hole(cell):
            return NAN
        told = yes_or_no(cell, column)
        if told is not None:
            return float(told)
        share = float(to_numbers([_bare(cell)]).values[0])
        if column == VIABLE and 0 <= share <= 100:  # percent of viable tumor cells
            return float(share > 0)
        self._note(
            "warning",
            f"{column} should be yes or no.",
            "Correct it; it counts as not known.",
            column,
            cell,
            place,
        )
        return NAN

    def _round(self, row: dict[str, Any], place: Mapping[str, Any]) -> bool:
        value = row[ROUND]
        if np.isnan(value):
            row[ROUND] = 1.0
        elif not value.is_integer():
            self._note("error", "The round is 1, 2, ...", "Correct it.", ROUND, f"{value:g}", place)
            return False
        return True

    def _shares(self, row: dict[str, Any], place: Mapping[str, Any]) -> bool:
        """Check that the shares add up to 100; what is empty beside other shares is none."""
        shares = np.array([row[column] for column in SHARES])
        known = ~np.isnan(shares)
        if not known.any():
            unusable = bool(row[VIABLE] == 0 or row[ASSESSABLE] == 0)
            if not unusable:
                self._note(
                    "error",
                    "The review has no shares.",
                    "Fill in pct_D, pct_R, pct_P and pct_other, or say that the slide is not "
                    "assessable (assessable_pct 0) or not viable.",
                    PCT_D,
                    "",
                    place,
                )
            return unusable
        if known[0] and not known[1:].any() and shares[0] < 100:
            row |= {PCT_R: NAN, PCT_P: NAN, PCT_OTHER: NAN}
            return True  # a review of D against the rest
        total = float(np.nansum(shares))
        told = ", ".join(f"{value:g}" for value in shares if not np.isnan(value))
        if abs(total - 100) > self._options.sum_tolerance_pct + 1e-9:
            self._note(
                "error",
                f"The shares add up to {total:g}, not to 100.",
                "Correct them; the row is not used.",
                "pct_*",
                told,
                place,
            )
            return False
        if abs(total - 100) > 1e-9:
            self._note(
                "warning",
                f"The shares add up to {total:g} and were scaled to 100.",
                "Correct them if that is wrong.",
                "pct_*",
                told,
                place,
            )
        # What rounding alone did stays, so that a written table comes back the same.
        scale = 100 / total if abs(total - 100) > 1e-9 else 1.0
        for column, value in zip(SHARES, np.nan_to_num(shares), strict=True):
            row[column] = float(value) * scale
        return True

    def _note(
        self,
        severity: Any,
        problem: str,
        remedy: str,
        column: str,
        value: str,
        place: Mapping[str, Any],
    ) -> None:
        self._notebook.note(severity, problem, remedy, column=column, value=value, **place)


def yes_or_no(cell: str, column: str) -> bool | None:
    """Read a word of the column `VIABLE` or `CHEMO`; None if it is neither yes nor no."""
    word = cell.casefold()
    if word in _YES:
        return True
    return False if word in _NO or (column == CHEMO and word in _NO_CHEMO) else None


def _bare(cell: str) -> str:
    """Return a cell without its percent sign."""
    return cell.rstrip("% ").strip() if cell.endswith("%") else cell
