"""The smallest set of doubtful tiles whose relabeling would flip the risk group.

Greedy: of the tiles that may well be of another class, those are relabeled first that bring the
needed features nearest to their cut-offs, until the group, computed anew in full, is the other
one. A set that is found does flip the group; there may be a smaller one, so its size is an upper
bound. A set that is not found is no proof that there is none.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.review.alternatives import Alternatives
from napari_crlm_spa.core.review.fragility_search import (
    MOST_TERMS,
    STAGE,
    FragilityOptions,
    Search,
    Trial,
)
from napari_crlm_spa.core.risk import RiskAssessment, RiskModel, assess_risk
from napari_crlm_spa.core.spatial import SpatialFeatures
from napari_crlm_spa.errors import ReviewError


@dataclass(frozen=True, slots=True, eq=False)
class Fragility:
    """Tiles that would flip the risk group, or how far the doubtful ones go.

    Parameters
    ----------
    found
        Whether the group flips.
    tiles
        The tiles in the order in which they were taken: from which class, to which.
    score_before, score_after, group_before, group_after
        Risk of the map as it is and with all these tiles relabeled, computed in full.
    covered
        By column: share of the way to its cut-off that the feature has gone, for the features
        that were to change sides (1: it has).
    candidates
        Doubtful tiles that could be relabeled.
    tissue_tiles
        The slide's tissue tiles.
    reason
        Why nothing was found; empty if something was.
    options
        What was allowed.
    """

    found: bool
    tiles: Alternatives
    score_before: float
    score_after: float
    group_before: str
    group_after: str | None
    covered: dict[str, float]
    candidates: int
    tissue_tiles: int
    reason: str
    options: FragilityOptions

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        n = len(self.tiles)
        share = n / self.tissue_tiles
        if self.found:
            return (
                f"If {n} doubtful tile{'s' * (n != 1)} ({share:.2%} of the tissue) "
                f"{'were' if n != 1 else 'was'} of another class, the group would be "
                f"{self.group_after} instead of {self.group_before}. "
                "There may be a smaller set; there is one of this size."
            )
        return self.reason

    def as_frame(self) -> pd.DataFrame:
        """Return the tiles in order: row, col, class, other class, probabilities."""
        table = self.tiles.as_frame()
        table.insert(0, "order", np.arange(1, len(table) + 1))
        return table


def fragility(
    features: SpatialFeatures, model: RiskModel, options: FragilityOptions | None = None
) -> Generator[Progress, None, Fragility]:
    """Search the smallest set of doubtful tiles whose relabeling flips the risk group.

    The group depends on which features lie beyond their cut-offs. Every smallest set of features
    that must change sides for the other group is tried (at most `MOST_TERMS` features, the
    `MOST_TARGETS` sets that seem nearest), each with as many tiles as still beat the best. Gains
    are estimated with the tumor regions as they are; score and group are computed in full.
    Tiles that a reader accepted or corrected stay as they are. Closing the generator cancels.

    Parameters
    ----------
    features
        The SOFs of the map as it is. Its map must not be changed while this goes on.
    model
        The risk model, with cut-offs.

    Yields
    ------
    Progress
        In tiles relabeled so far.

    Raises
    ------
    ReviewError
        If the slide gets no risk or no group.
    """
    options = options or FragilityOptions()
    before = _assessed(features, model)
    yield Progress(STAGE, 0, 0, "tiles")
    search = Search(features, model, options)
    best: Fragility | None = None
    limit = options.max_tiles
    for terms in search.targets():
        trial = yield from search.greedy(terms, limit)
        if search.flips(trial.risk):
            trial = yield from search.pruned(trial)
        tried = _told(search, trial, limit)
        if best is None or _better(tried, best):
            best = tried
        if best.found:
            limit = len(best.tiles) - 1
        if limit == 0:
            break
    return best or _nothing(search, before)


def _assessed(features: SpatialFeatures, model: RiskModel) -> RiskAssessment:
    if features.refusal is not None:
        raise ReviewError(f"There is no risk group to flip. {features.refusal}")
    before = assess_risk(features, model)
    if before.group is None:
        raise ReviewError(f"There is no risk group to flip. {before.reason}")
    if before.score is None:
        raise ReviewError(
            f"What would flip the group cannot be told. {before.reason} Use distance thresholds "
            "that were fitted to several slides, or set them by hand, so that it can be."
        )
    return before


def _better(one: Fragility, other: Fragility) -> bool:
    """Found beats not found, then fewer tiles; of those not found, the one that came farther."""
    if one.found != other.found:
        return one.found
    if one.found:
        return len(one.tiles) < len(other.tiles)
    return min(one.covered.values()) > min(other.covered.values())


def _told(search: Search, trial: Trial, limit: int) -> Fragility:
    """Say what a trial came to."""
    covered, found = search.covered(trial), search.flips(trial.risk)
    before, after = search.before, trial.risk
    return Fragility(
        found=found,
        tiles=search.doubtful.take(np.array(trial.picked, np.intp)),
        score_before=_score(before),
        score_after=_score(before) if after is None else _score(after),
        group_before=before.group or "",
        group_after=None if after is None else after.group,
        covered=covered,
        candidates=search.n_candidates,
        tissue_tiles=search.features.tissue_tiles,
        reason="" if found else _why_not(search, trial, covered, limit),
        options=search.options,
    )


def _nothing(search: Search, before: RiskAssessment) -> Fragility:
    """Say that no features could flip the group."""
    return Fragility(
        found=False,
        tiles=search.doubtful.take(np.empty(0, np.intp)),
        score_before=_score(before),
        score_after=_score(before),
        group_before=before.group or "",
        group_after=before.group,
        covered={},
        candidates=search.n_candidates,
        tissue_tiles=search.features.tissue_tiles,
        reason=(
            f"No {MOST_TERMS} features of {search.model.name} together could bring this slide "
            "into the other group, whatever its tiles were."
        ),
        options=search.options,
    )


def _score(risk: RiskAssessment) -> float:
    return float("nan") if risk.score is None else risk.score


def _why_not(search: Search, trial: Trial, covered: dict[str, float], limit: int) -> str:
    n = len(trial.picked)
    if trial.risk is None:
        return (
            f"After {n} tiles there would be too little tumor for a risk; "
            "no set that flips the group was found."
        )
    way = ", ".join(f"{column} {share:.0%}" for column, share in covered.items())
    which = (
        f"{limit} tiles were allowed"
        if n >= limit
        else f"only {n} of {search.n_candidates} doubtful tiles help"
    )
    return (
        f"No set of doubtful tiles that flips the group was found: {which}. "
        f"Way to the cut-offs that they cover: {way}."
    )
