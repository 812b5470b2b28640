"""ROC curves for a reviewed D."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from napari_crlm_spa.core.report.cohort import numbers
from napari_crlm_spa.core.report.cohort.figures import style
from napari_crlm_spa.core.report.growth.words import MARKERS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw_roc(curves: pd.DataFrame, areas: Mapping[str, tuple[float, float, float]]) -> Figure:
    """Draw rows of the table ``roc`` of one stratum.

    Parameters
    ----------
    curves
        ``marker, false_positive_rate, true_positive_rate``.
    areas
        Area and its interval, by marker.
    """
    figure = style.new_figure(style.FULL_IN, 3.7)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=style.FAINT, linewidth=0.9, zorder=0)
    markers = list(dict.fromkeys(curves["marker"].astype(str)))
    looks = style.looks_of("", markers)
    for marker in markers:
        rows = curves[curves["marker"].astype(str) == marker]
        rows = rows.sort_values(["false_positive_rate", "true_positive_rate"])
        area = areas.get(marker, (np.nan,) * 3)
        said = f": {numbers.interval(*area, 3)}" if np.isfinite(area[0]) else ""
        axes.plot(
            np.r_[0, rows["false_positive_rate"], 1], np.r_[0, rows["true_positive_rate"], 1],
            color=looks[marker].color, linestyle=looks[marker].dashes, linewidth=1.6,
            label=MARKERS.get(marker, marker) + said,
        )  # fmt: skip
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.set(xlabel="1 \u2212 specificity", ylabel="Sensitivity for D")
    axes.set_aspect("equal")
    axes.legend(loc="center left", bbox_to_anchor=(1.03, 0.5), frameon=False, handlelength=2.8,
                fontsize=style.NORMAL, title="AUC (95 % CI)", alignment="left",
                title_fontsize=style.NORMAL)  # fmt: skip
    style.tidy(axes)
    return figure
