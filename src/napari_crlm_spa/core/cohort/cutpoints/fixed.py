"""Cut-offs that the user gives, as pairs of feature and number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from napari_crlm_spa.errors import CohortError


def fixed_cutoffs(file: str, cutoffs: Mapping[str, float] | None = None) -> dict[str, float]:
    """Return the user's cut-offs by feature, from a mapping or else from a JSON file.

    Raises
    ------
    CohortError
        If there are none, the file can't be read, or one is no finite number.
    """
    source = "the fixed cut-offs" if cutoffs is not None else file
    if cutoffs is None:
        if not file:
            raise CohortError(
                "Fixed cut-offs are asked for but none are given. Name a JSON file with cut-offs "
                "by feature, or choose maxstat or median."
            )
        try:
            cutoffs = json.loads(Path(file).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise CohortError(
                f"The cut-offs {source} cannot be read: {why}. Give a JSON file such as "
                '{"Overall_Debris_ratio": 0.12}.'
            ) from error
    if not isinstance(cutoffs, Mapping):
        raise CohortError(f"{source} must hold pairs of feature and number, in braces.")
    for feature, value in cutoffs.items():
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not number or not np.isfinite(value):
            raise CohortError(
                f"The cut-off of {feature} in {source} is {value!r}; it must be a finite number."
            )
    return {feature: float(value) for feature, value in cutoffs.items()}
