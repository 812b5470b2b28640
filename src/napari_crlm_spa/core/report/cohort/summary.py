"""What stands in large letters at the top of a cohort's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from napari_crlm_spa.core.report.cohort import numbers
from napari_crlm_spa.core.report.cohort.contents import Tables
from napari_crlm_spa.core.report.cohort.facts import fact


def summary(tables: Tables) -> list[tuple[str, str]]:
    """Return what stands in large letters: number and what it is."""
    out: list[tuple[str, str]] = []
    n, events = fact(tables.study, "n"), fact(tables.study, "events")
    if n is not None:
        out.append((numbers.whole(float(n)), "patients"))
    if events is not None:
        out.append((numbers.whole(float(events)), "deaths"))
    follow = row_numbers(tables.row("follow_up"), "median_months", "lower95", "upper95")
    if numbers.known(follow[0]):
        shown = f"{numbers.fixed(follow[0], 1)} mo"
        out.append((shown, f"median follow-up{interval_words(follow, 1)}"))
    overall = tables.row("groups", grouping="overall")
    at5 = row_numbers(overall, "survival_5y", "survival_5y_lower95", "survival_5y_upper95")
    if numbers.known(at5[0]):
        out.append((numbers.percent(at5[0]), f"5-year survival{interval_words(at5, 1, 100)}"))
    sof = row_numbers(tables.row("logrank", grouping="sof"), "hr", "hr_lower95", "hr_upper95", "p")
    if numbers.known(sof[0]):
        fitted = " as fitted" if tables.study.kind == "fit" else ""
        told = f"hazard ratio, high against low spatial risk{fitted}{interval_words(sof, 2)}; "
        told += "log-rank "
        out.append((numbers.fixed(sof[0], 2), told + numbers.p_equation(sof[3])))
    final = row_numbers(tables.row("models", model="final"), "concordance", "concordance_se")
    if numbers.known(final[0]):
        se = f" (SE {numbers.fixed(final[1], 3)})" if numbers.known(final[1]) else ""
        out.append((numbers.fixed(final[0], 3), f"concordance of the final model as fitted{se}"))
    names = ("concordance", "concordance_lower95", "concordance_upper95")
    frozen = row_numbers(tables.row("external"), *names)
    if numbers.known(frozen[0]):
        told = f"concordance of the model from elsewhere{interval_words(frozen, 3)}"
        out.append((numbers.fixed(frozen[0], 3), told))
    return out


def interval_words(values: Sequence[float], digits: int, scale: float = 1) -> str:
    """Write the ends of an interval in brackets; nothing if there is none.

    Parameters
    ----------
    values
        The number, then its ends.
    """
    low, high = (numbers.fixed(scale * each, digits) for each in values[1:3])
    if not numbers.known(values[1]) or not numbers.known(values[2]):
        return ""
    return f" ({low}\u2013{high})"


def row_numbers(row: Mapping[str, Any], *names: str) -> list[float]:
    """Return cells of a row as numbers; NaN where there is none."""
    values = (row.get(name) for name in names)
    return [float(v) if isinstance(v, (int, float)) else float("nan") for v in values]
