"""The interface as tables: points, runs, lesions, and one row for the slide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.core.spatial.interface.calls import Call
from napari_crlm_spa.core.spatial.interface.codes import InterfaceCode
from napari_crlm_spa.core.spatial.interface.regularize import Run
from napari_crlm_spa.core.spatial.interface.summary import InterfaceSummary

if TYPE_CHECKING:
    import pandas as pd

    from napari_crlm_spa.core.spatial.interface.interface import Contour

#: Not known of single lesions.
_SLIDE_ONLY = ["interaction_paper", "interaction_border"]
_NAMES = np.array([code.name for code in InterfaceCode])


def points_table(contours: Iterable[Contour]) -> pd.DataFrame:
    """List every point of every contour."""
    import pandas as pd

    parts = [_points(number, contour) for number, contour in enumerate(contours)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_POINT_COLUMNS)


_POINT_COLUMNS = [
    *("contour", "lesion", "inner", "x_um", "y_um", "arc_um", "code", "raw_code"),
    *("thickness_um", "liver_x_um", "liver_y_um", "rim_lymphocyte_share"),
]


def _points(number: int, contour: Contour) -> pd.DataFrame:
    import pandas as pd

    values = (
        number,
        contour.lesion,
        contour.inner,
        *contour.vertices_um.T,
        contour.arc_um,
        _NAMES[contour.codes],
        _NAMES[contour.raw_codes],
        contour.thickness_um,
        *contour.liver_um.T,
        contour.rim_lymphocytes,
    )
    return pd.DataFrame(dict(zip(_POINT_COLUMNS, values, strict=True)))


def runs_table(runs: Iterable[Run], contours: tuple[Contour, ...]) -> pd.DataFrame:
    """List the stretches of one code."""
    import pandas as pd

    rows = [
        (run.contour, contours[run.contour].lesion, run.code.name, run.start_um, run.length_um)
        for run in runs
    ]
    return pd.DataFrame(rows, columns=["contour", "lesion", "code", "start_um", "length_um"])


def summary_table(
    summaries: Iterable[InterfaceSummary], calls: Mapping[str, Call] | None = None
) -> pd.DataFrame:
    """One row a lesion, or one for a slide with its calls by rule."""
    import pandas as pd

    named: dict[str, Any] = {f"call_{rule}": call.call for rule, call in (calls or {}).items()}
    found = pd.DataFrame([summary.as_dict() | named for summary in summaries])
    return found if calls else found.drop(columns=_SLIDE_ONLY, errors="ignore")
