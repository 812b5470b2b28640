"""Numbers as a reader wants them."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from markupsafe import Markup, escape

MISSING = "–"  # noqa: RUF001


def count(value: int) -> str:
    """Write whole numbers in groups of three, e.g. ``12 345``."""
    return f"{value:,}".replace(",", "\u202f")


def percent(share: float | None, digits: int = 1) -> str:
    """Write a share of 0-1 as a percentage; a dash if it is unknown."""
    if share is None or math.isnan(share):
        return MISSING
    return f"{100 * share:.{digits}f}\u00a0%"


def area(mm2: float) -> str:
    """Write square millimeters, small ones with more digits."""
    return f"{mm2:.2f}\u00a0mm²" if mm2 < 10 else f"{mm2:.1f}\u00a0mm²"


def number(value: float | None, digits: int = 4) -> str:
    """Write a number; a dash if it is unknown."""
    if value is None or math.isnan(value):
        return MISSING
    return f"{value:.{digits}g}".replace("-", "\u2212")


def length(um: float) -> str:
    """Write a length, in millimeters from 1 mm on."""
    return f"{um / 1000:g}\u00a0mm" if um >= 1000 else f"{um:g}\u00a0µm"


def moment(text: str) -> str:
    """Write an ISO date and time in UTC as people do; other text stays as it is."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return text


def breakable(text: str) -> Markup:
    """Let a long name break after its underscores; everything else is escaped."""
    return Markup("_<wbr>").join(escape(part) for part in text.split("_"))


def scale_bar_um(width_um: float) -> float:
    """Choose 1, 2 or 5 times a power of ten, at most a quarter of the width."""
    limit = max(width_um, 1e-6) / 4
    power = 10.0 ** math.floor(math.log10(limit))
    return max(step * power for step in (1, 2, 5) if step * power <= limit * (1 + 1e-9))


def shortened(text: str, most: int = 90) -> str:
    """Leave out the middle of a long text."""
    if len(text) <= most:
        return text
    half = (most - 1) // 2
    return f"{text[:half]}…{text[-half:]}"
