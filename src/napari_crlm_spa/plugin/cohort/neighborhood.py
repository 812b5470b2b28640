"""A patient's neighbors and the curve of the neighborhood, in words and numbers. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_crlm_spa.core.cohort.columns import PATIENT, SOFS
from napari_crlm_spa.core.cohort.neighbors import (
    FeatureSpace,
    Neighborhood,
    NeighborOptions,
)
from napari_crlm_spa.core.risk import RiskModel
from napari_crlm_spa.errors import CohortError
from napari_crlm_spa.plugin.cohort.curve_data import GroupCurves, group_curves
from napari_crlm_spa.plugin.cohort.groupings import Grouping

if TYPE_CHECKING:
    from napari_crlm_spa.plugin.cohort.opened import OpenedCohort

ALL_FEATURES, MODEL_FEATURES, CHOSEN = "all", "model", "chosen"
NEIGHBORS, COHORT = "neighbors", "whole cohort"
COLORS = ("#8a8f96", "#0072b2")
#: Stands above the list: what this is, and what it is not.
CLAIM = (
    "Patients whose spatial features are most alike (Euclidean distance of {scaling}, our choice). "
    "A description of this cohort; no prediction is claimed."
)


@dataclass(frozen=True, slots=True, eq=False)
class Neighbors:
    """What the panel shows of a neighborhood.

    Parameters
    ----------
    found
        The neighbors.
    curves
        Of the whole cohort and of the neighborhood.
    line
        How many they are, how many died, how far they are.
    note
        Who and what was left out.
    """

    found: Neighborhood
    curves: GroupCurves
    line: str
    note: str


def model_features(cohort: OpenedCohort, own: RiskModel | None) -> tuple[str, ...]:
    """Return the features of the study's score, else those of the workspace's risk model."""
    columns = cohort.patients.columns
    if cohort.model_features:
        return tuple(name for name in cohort.model_features if name in columns)
    if own is None:
        return ()
    return tuple(each.column for each in own.features if each.column in columns)


def known_features(cohort: OpenedCohort) -> tuple[str, ...]:
    """Return the spatial features that the cohort's table has."""
    return tuple(name for name in SOFS if name in cohort.patients.columns)


def look_around(
    cohort: OpenedCohort, space: FeatureSpace, row: int, options: NeighborOptions
) -> Neighbors:
    """Find a patient's neighbors, and compare their survival with everybody's by eye.

    The whole cohort includes the neighbors, so nothing is tested.

    Raises
    ------
    CohortError
        If the patient misses a feature.
    """
    found = space.neighbors(row, options.k)
    if not len(found):
        raise CohortError("There is no other patient with all of these features.")
    return Neighbors(found, _curves(cohort, found), _line(cohort, found), _note(space))


def _curves(cohort: OpenedCohort, found: Neighborhood) -> GroupCurves:
    """Draw both as groups of a list in which neighbors stand twice."""
    from napari_crlm_spa.core.cohort.survival import Survival

    near = cohort.survival.take(found.rows)
    time = np.concatenate([cohort.survival.time, near.time])
    event = np.concatenate([cohort.survival.event, near.event])
    codes = np.repeat([0, 1], [len(cohort.survival), len(near)]).astype(np.intp)
    grouping = Grouping("neighbors", "Neighborhood", (COHORT, NEIGHBORS), COLORS, codes)
    return group_curves(Survival(time, event), grouping)


def _line(cohort: OpenedCohort, found: Neighborhood) -> str:
    deaths = int(np.count_nonzero(cohort.survival.event[found.rows]))
    low, high = found.distances[0], found.distances[-1]
    return (
        f"{len(found):,} neighbors of {cohort.patients[PATIENT].iloc[found.row]}: {deaths:,} died, "
        f"distance {low:.2f} to {high:.2f} in {len(found.features)} features"
    )


def _note(space: FeatureSpace) -> str:
    parts = []
    if space.n_left_out:
        parts.append(f"{space.n_left_out:,} patients miss a feature and are left out.")
    if space.constant:
        parts.append(f"{len(space.constant)} features are the same in everybody and tell nothing.")
    return " ".join(parts)
