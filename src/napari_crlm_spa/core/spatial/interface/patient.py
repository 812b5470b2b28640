"""All slides of a patient together."""

from __future__ import annotations

from collections.abc import Sequence

from napari_crlm_spa.core.spatial.interface.interface import Interface
from napari_crlm_spa.core.spatial.interface.summary import InterfaceSummary, summarize


def patient_summary(interfaces: Sequence[Interface]) -> InterfaceSummary:
    """Sum up the slides of a patient, each weighted with the length of its interface.

    As the R pipelines do with drawn lines (gerlingm/CRLM_analysis). For calls see `calls`.

    Parameters
    ----------
    interfaces
        One a slide.

    Returns
    -------
    InterfaceSummary
        With lesion 0; interaction and detection limit stay NaN, since they are of a map.
    """
    return summarize(
        [contour for one in interfaces for contour in one.contours],
        [run for one in interfaces for run in one.runs],
        lesion=0,
        tumor_tiles=sum(one.summary.tumor_tiles for one in interfaces),
        tumor_mm2=sum(one.summary.tumor_mm2 for one in interfaces),
    )


def worst_of_patient(interfaces: Sequence[Interface]) -> InterfaceSummary | None:
    """Find the lesion with the least rim on any slide of a patient; None without one."""
    found = [one.worst for one in interfaces if one.worst is not None]
    return min(found, key=lambda lesion: lesion.pct_D, default=None)
