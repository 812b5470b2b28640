"""Options are frozen dataclasses whose fields know their range, unit and help.

The default is written once, in the dataclass; the panel's form, the command line's flags and
the record of a run are made from it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from napari_crlm_spa.errors import CrlmSpaError


def option(
    default: Any,
    help: str,  # noqa: A002 - the word that every command line uses
    *,
    min: float | None = None,  # noqa: A002
    max: float | None = None,  # noqa: A002
    unit: str = "",
    choices: tuple[str, ...] = (),
    advanced: bool = False,
    label: str = "",
) -> Any:
    """Declare a field of an options dataclass.

    Parameters
    ----------
    default
        The value if the user says nothing.
    help
        One sentence for the tooltip and ``--help``.
    min, max
        Inclusive range of a number.
    unit
        Unit of a number, e.g. ``"µm/px"``.
    choices
        Allowed values of a text.
    advanced
        Whether a form may fold the field away.
    label
        Two or three words for a form; the field's name in words if empty.
    """
    metadata = {
        "help": help,
        "min": min,
        "max": max,
        "unit": unit,
        "choices": choices,
        "advanced": advanced,
        "label": label,
    }
    return dataclasses.field(default=default, metadata=metadata)


class Options:
    """Base of all options: checks its own ranges, becomes a plain dictionary."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            _check(type(self).__name__, field, getattr(self, field.name))

    def as_dict(self) -> dict[str, Any]:
        """Return the values by name, ready for JSON."""
        return dataclasses.asdict(self)  # type: ignore[call-overload,no-any-return]


def _check(owner: str, field: dataclasses.Field[Any], value: Any) -> None:
    low, high = field.metadata.get("min"), field.metadata.get("max")
    choices = field.metadata.get("choices") or ()
    unit = f" {field.metadata['unit']}" if field.metadata.get("unit") else ""
    if value is None:
        return
    if choices and value not in choices:
        raise CrlmSpaError(
            f"{owner}: {field.name} is {value!r}; choose one of {', '.join(choices)}."
        )
    # Not "<" and ">": NaN is on neither side, and within no range.
    outside = (low is not None and not value >= low) or (high is not None and not value <= high)
    if outside:
        raise CrlmSpaError(
            f"{owner}: {field.name} is {value}{unit}; it must lie within {low} to {high}{unit}."
        )
