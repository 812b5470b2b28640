"""What stands in large letters at the top of a growth-pattern study's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_crlm_spa.core.hgp.columns import INTERACTION_PAPER, PCT_D
from napari_crlm_spa.core.report.cohort import numbers
from napari_crlm_spa.core.report.cohort.contents import Tables
from napari_crlm_spa.core.report.cohort.facts import fact
from napari_crlm_spa.core.report.cohort.summary import interval_words, row_numbers
from napari_crlm_spa.core.report.growth.rows import ALL, with_interval


def growth_summary(tables: Tables) -> list[tuple[str, str]]:
    """Return number and what it is."""
    out: list[tuple[str, str]] = []
    for key, words in (("n_slides", "reviewed slides"), ("n_patients", "patients")):
        count = fact(tables.study, key)
        if count is not None:
            out.append((numbers.whole(float(count)), words))
    readers = fact(tables.study, "raters")
    if readers:
        out.append((numbers.whole(len(readers)), "reader" if len(readers) == 1 else "readers"))
    _add(out, tables.row("reliability", what=PCT_D), "value", "", 2,
         "ICC between readers, desmoplastic share")  # fmt: skip
    agreement = tables.row("agreement", stratum=ALL)
    _add(out, agreement, "icc", "icc_", 2, "ICC, measured against reviewed share")
    bias, low, high = row_numbers(agreement, "bias", "low_limit", "high_limit")
    if numbers.known(bias):
        limits = f"{numbers.fixed(low, 1)} to {numbers.fixed(high, 1)}"
        out.append((numbers.fixed(bias, 1), f"points measured \u2212 reviewed (limits {limits})"))
    _add(out, tables.row("auc", stratum=ALL, marker=PCT_D, rule="strict"), "auc", "", 2,
         "AUC of the measured share for a strict D")  # fmt: skip
    _add(out, tables.row("association", stratum=ALL, marker=INTERACTION_PAPER), "rho", "", 2,
         "\u03c1 of the paper's interaction with reviewed non-D")  # fmt: skip
    return out


def _add(
    out: list[tuple[str, str]],
    row: Mapping[str, Any],
    name: str,
    ends: str,
    digits: int,
    words: str,
) -> None:
    values = with_interval(row, name, ends)
    if numbers.known(values[0]):
        out.append((numbers.fixed(values[0], digits), words + interval_words(values, digits)))
