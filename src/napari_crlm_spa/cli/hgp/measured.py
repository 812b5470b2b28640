"""Measured slides and patients on the terminal and as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from napari_crlm_spa.core.spatial.interface import RESEARCH_USE_ONLY

Row = dict[str, Any]
#: Rules by the heads of their columns.
RULE_HEADINGS = {"strict": "strict", "tolerant": "tol.", "predominant": "pred."}
_DIGITS = 6
_KEY = (
    "D: a rim lies between tumor and liver; N: they touch; O: something else lies between. "
    "Calls: strict (all D), tolerant (nearly all), predominant (most)."
)


def show_measured(
    rows: Sequence[Row], patients: Sequence[Row], told: Mapping[str, Sequence[str]]
) -> None:
    """Print slides, patients if any are known, and notes with the slides that they are of."""
    output = Console()
    measured = [row for row in rows if not row["error"]]
    if measured:
        strides = ", ".join(f"{one:g}" for one in sorted({row["stride_um"] for row in measured}))
        title = f"Tumor-liver interface, a tile every {strides} µm"
        output.print(_table(title, "slide", measured))
    if patients:
        output.print(_table("All slides of a patient, by length", "patient", patients))
    if measured:
        output.print(_KEY, highlight=False)
    for note, slides in told.items():
        which = "" if len(slides) == len(measured) else f"{', '.join(slides)}: "
        output.print(f"- {which}{note}", soft_wrap=True, highlight=False, markup=False)
    for row in patients:
        # What weakens a call stands among the notes of the slides.
        if row["refusal"]:
            words = f"- {row['patient']}: {row['refusal']}"
            output.print(words, soft_wrap=True, highlight=False, markup=False)
    output.print(RESEARCH_USE_ONLY, soft_wrap=True, highlight=False, markup=False)


def _table(title: str, name: str, rows: Sequence[Row]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, collapse_padding=True)
    table.add_column(name, overflow="fold")
    for heading in ("mm", "judged", "D %", "N %", "O %", "rim µm"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in RULE_HEADINGS.values():
        table.add_column(heading, no_wrap=True)
    for row in rows:
        share = row["assessable_fraction"]
        table.add_row(
            escape(row[name]),
            _number(row["interface_mm"], 1),
            "-" if share is None else f"{share:.0%}",
            *(_number(row[column], 1) for column in ("pct_D", "pct_N", "pct_O")),
            _number(row["rim_median_um"], 0),
            *(row[f"call_{rule}"] or "-" for rule in RULE_HEADINGS),
        )
    return table


def measured_csv(rows: Sequence[Row]) -> str:
    """Return one row per slide or patient; numbers that are not known are empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row if name != "error"))
    last = ["error"] if any("error" in row for row in rows) else []
    text = io.StringIO()
    writer = csv.DictWriter(text, [*columns, *last], restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return text.getvalue()


def _cell(value: Any) -> Any:
    return f"{value:.{_DIGITS}g}" if isinstance(value, float) else value


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
