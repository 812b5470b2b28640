"""From a tissue map to its interface: clean, find lesions and liver, walk, code, sum up."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.spatial.interaction import Neighborhoods
from napari_crlm_spa.core.spatial.interface.calls import calls, refusals
from napari_crlm_spa.core.spatial.interface.codes import InterfaceCode, code_points
from napari_crlm_spa.core.spatial.interface.detection import detection_limit_um
from napari_crlm_spa.core.spatial.interface.ground import MARGIN, Ground, prepare, without_margin
from napari_crlm_spa.core.spatial.interface.interface import Contour, Interface
from napari_crlm_spa.core.spatial.interface.notes import (
    no_interface,
    notes,
)
from napari_crlm_spa.core.spatial.interface.options import InterfaceOptions
from napari_crlm_spa.core.spatial.interface.regularize import Run, regularized, runs_of
from napari_crlm_spa.core.spatial.interface.summary import InterfaceSummary, summarize
from napari_crlm_spa.core.spatial.interface.tissue import LIVER, Bodies
from napari_crlm_spa.core.spatial.interface.walk import Outline, outlines
from napari_crlm_spa.core.tissue_map import TissueMap


def measure_interface(
    tissue_map: TissueMap,
    options: InterfaceOptions | None = None,
    *,
    slides_of_patient: int | None = None,
    pretreated: bool | None = None,
) -> Interface:
    """Measure the tumor-liver interface of a tissue map.

    Parameters
    ----------
    tissue_map
        The classes on the grid.
    options
        Every limit; all are heuristics of ours.
    slides_of_patient, pretreated
        What is known of the patient: one slide, or chemotherapy before surgery, is flagged.

    Returns
    -------
    Interface
        Also of a map without tumor or liver; then `refusals` says why there is no call.

    Raises
    ------
    ModelError
        If the class scheme has no tumor class.
    """
    options = options or InterfaceOptions()
    stride = tissue_map.stride_um
    ground = prepare(tissue_map, options)
    bodies = ground.bodies
    contours = tuple(
        _contour(line, ground, tissue_map, options) for line in outlines(bodies.labels)
    )
    runs = _runs(contours)
    lesions = tuple(_lesions(contours, runs, bodies, stride))
    summary = _slide(contours, runs, bodies, tissue_map, options)
    refused = no_interface(tissue_map, bodies, ground.liver, options) or refusals(summary, options)
    return Interface(
        contours=contours,
        runs=runs,
        lesions=lesions,
        summary=summary,
        worst=worst_lesion(lesions, options),
        calls=calls(summary, refused, options),
        refusals=refused,
        notes=tuple(
            notes(
                tissue_map,
                summary,
                bodies,
                options,
                slides_of_patient=slides_of_patient,
                pretreated=pretreated,
            )
        ),
        body=without_margin(ground.body),
        liver=without_margin(ground.liver),
        options=options,
        stride_um=stride,
        origin_um=tissue_map.origin_um,
    )


def worst_lesion(
    lesions: Sequence[InterfaceSummary], options: InterfaceOptions
) -> InterfaceSummary | None:
    """Find the lesion with the least rim among those of which enough can be judged.

    A patient is desmoplastic only if every lesion is (Galjart et al. 2019).
    """
    judged = [
        lesion
        for lesion in lesions
        if lesion.assessable_mm and lesion.assessable_fraction >= options.min_assessable
    ]
    return min(judged, key=lambda lesion: lesion.pct_D, default=None)


def _contour(
    line: Outline, ground: Ground, tissue_map: TissueMap, options: InterfaceOptions
) -> Contour:
    stride = tissue_map.stride_um
    coded = code_points(line.points, line.outward, ground, options)
    length_um = line.length_tiles * stride
    spacing_um = length_um / len(line.points)
    codes = regularized(coded.codes, spacing_um, options.smooth_um)
    # A point that only its neighbors make a rim has no thickness of its own.
    rim = (codes == InterfaceCode.D) & (coded.codes == InterfaceCode.D)
    return Contour(
        vertices_um=_um(line.points, tissue_map),
        arc_um=np.arange(len(codes), dtype=np.float64) * spacing_um,
        length_um=length_um,
        lesion=line.lesion,
        inner=line.inner,
        codes=codes,
        raw_codes=coded.codes,
        thickness_um=np.where(rim, coded.gap_tiles * stride, np.nan),
        liver_um=_um(coded.liver_points, tissue_map),
        rim_lymphocytes=np.where(rim, coded.lymphocyte_share, np.nan),
    )


def _um(points: NDArray[np.float64], tissue_map: TissueMap) -> NDArray[np.float64]:
    """(row, col) on the ground, in tiles, as (x, y) in the slide's frame."""
    origin = np.array(tissue_map.origin_um)
    found: NDArray[np.float64] = (points[:, ::-1] - MARGIN + 0.5) * tissue_map.stride_um + origin
    return found


def _runs(contours: Sequence[Contour]) -> tuple[Run, ...]:
    return tuple(
        run
        for number, contour in enumerate(contours)
        for run in runs_of(contour.codes, contour.spacing_um, number)
    )


def _lesions(
    contours: Sequence[Contour], runs: Sequence[Run], bodies: Bodies, stride_um: float
) -> Iterator[InterfaceSummary]:
    for number, tumor_tiles in enumerate(bodies.tumor_tiles.tolist(), start=1):
        found = summarize(
            [contour for contour in contours if contour.lesion == number],
            [run for run in runs if contours[run.contour].lesion == number],
            lesion=number,
            tumor_tiles=tumor_tiles,
            tumor_mm2=tumor_tiles * (stride_um / 1000) ** 2,
        )
        yield _with_limit(found, stride_um)


def _slide(
    contours: Sequence[Contour],
    runs: Sequence[Run],
    bodies: Bodies,
    tissue_map: TissueMap,
    options: InterfaceOptions,
) -> InterfaceSummary:
    tumor_tiles = int(bodies.tumor_tiles.sum())
    found = summarize(
        contours,
        runs,
        lesion=0,
        tumor_tiles=tumor_tiles,
        tumor_mm2=tissue_map.area_mm2(tumor_tiles),
    )
    found = _with_limit(found, tissue_map.stride_um)
    if LIVER not in tissue_map.scheme.names:
        return found
    around = Neighborhoods(tissue_map, options.interaction_denominator)
    return replace(
        found,
        interaction_paper=around.mean(LIVER),
        interaction_border=around.border_mean(LIVER),
    )


def _with_limit(summary: InterfaceSummary, stride_um: float) -> InterfaceSummary:
    limit = detection_limit_um(stride_um)
    return replace(summary, detection_limit_um=math.nan if limit is None else limit)
