"""Where predictions are judged: by default 5 and 8 years, as in the paper."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.errors import SurvivalDataError

#: 5 and 8 years in months (Qi et al., iScience 2023;26:107702).
PAPER_TIMES_MONTHS = (60.0, 96.0)


def checked_times(times: ArrayLike) -> Floats:
    """Return times, ascending and each once.

    Raises
    ------
    SurvivalDataError
        If there is none, or one is not a number above 0.
    """
    found = np.unique(np.atleast_1d(np.asarray(times, np.float64)))
    if not len(found) or not np.isfinite(found).all() or found[0] <= 0:
        raise SurvivalDataError(
            f"The prediction times are {list(found)}; give one or more numbers above 0, in the "
            "unit of the follow-up."
        )
    return found
