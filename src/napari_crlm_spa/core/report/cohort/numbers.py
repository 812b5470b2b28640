"""Numbers as an article prints them."""

from __future__ import annotations

import math
from collections.abc import Iterable

from napari_crlm_spa.core.report.words import MISSING

_MINUS, _TO, _NARROW = "\u2212", "\u2013", "\u202f"
#: Below this, readers need no more than to know that it is below.
SMALLEST_P = 1e-4


def known(value: object) -> bool:
    """Tell whether there is a number (NaN and None are none; infinity is one)."""
    return isinstance(value, (int, float)) and not math.isnan(value)


def p_value(p: float) -> str:
    """Write a p value: 0.018, 0.0067, < 0.0001; never 0 and never 1."""
    if not known(p):
        return MISSING
    if p < SMALLEST_P:
        return "<\u00a00.0001"
    if p >= 0.9995:
        return ">\u00a00.999"
    return f"{p:.3f}" if p >= 0.00995 else f"{p:.{1 - math.floor(math.log10(p))}f}"


def p_equation(p: float, sign: str = "p") -> str:
    """Write ``p = 0.018`` or ``p < 0.0001``."""
    text = p_value(p)
    return f"{sign} {text}" if text[0] in "<>" else f"{sign}\u00a0=\u00a0{text}"


def exact(value: float) -> str:
    """Write a number with all digits that tell, for a tooltip."""
    return f"{value:.6g}" if known(value) else ""


def fixed(value: float, digits: int = 2) -> str:
    """Write a number with fixed digits and a true minus sign; a dash if it is unknown."""
    if not known(value):
        return MISSING
    if math.isinf(value):
        return "\u221e" if value > 0 else f"{_MINUS}\u221e"
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", _MINUS)


def whole(value: float) -> str:
    """Write a count in groups of three digits."""
    return f"{round(value):,}".replace(",", _NARROW) if _finite(value) else MISSING


def percent(share: float, digits: int = 1) -> str:
    """Write a share of 0-1 as a percentage."""
    return f"{fixed(100 * share, digits)}\u00a0%" if known(share) else MISSING


def ratio(value: float, low: float, high: float) -> str:
    """Write a hazard ratio with its interval, e.g. 1.54 (1.13 to 2.11), with an en dash.

    Two decimals; more where the interval would vanish in them (a ratio per unit of a covariate
    with large values, such as CEA).
    """
    if not known(value):
        return MISSING
    digits = 2
    width = high - low if _finite(low) and _finite(high) else math.nan
    if 0 < width < 0.01:
        digits = min(6, math.ceil(-math.log10(width)))
    return with_interval(_ratio(value, digits), [_ratio(each, digits) for each in (low, high)])


def interval(value: float, low: float, high: float, digits: int, scale: float = 1) -> str:
    """Write a number with its interval."""
    if not known(value):
        return MISSING
    return with_interval(
        fixed(scale * value, digits), [fixed(scale * each, digits) for each in (low, high)]
    )


def with_interval(text: str, ends: Iterable[str]) -> str:
    """Join a number and its ends; without both ends the number stands alone.

    An end that does not exist (the median's upper end is often not reached) reads NR; two such
    ends are no interval. The dash between them gives way to "to" beside a minus sign.
    """
    low, high = ends
    if low == high == MISSING:
        return text
    low, high = ("NR" if end == MISSING else end for end in (low, high))
    between = " to " if _MINUS in low + high else _TO
    return f"{text} ({low}{between}{high})"


def _ratio(value: float, digits: int) -> str:
    if not known(value):
        return MISSING
    if value >= 1000:
        return "\u221e" if math.isinf(value) else f">{_NARROW}1000"
    if value >= 100:
        return f"{value:.0f}"
    small = 10.0**-digits
    return f"<{_NARROW}{small:.{digits}f}" if 0 < value < small / 2 else f"{value:.{digits}f}"


def _finite(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
