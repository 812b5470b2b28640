"""Trying which doubtful tiles flip the risk group; what comes of it stands in `fragility`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.review.alternatives import (
    open_to_doubt,
    other_classes,
    second_classes,
)
from napari_crlm_spa.core.review.relabeling import Floats, Relabeling
from napari_crlm_spa.core.risk import RiskAssessment, RiskModel, assess_risk
from napari_crlm_spa.core.risk.score import DECIMALS
from napari_crlm_spa.core.spatial import SpatialFeatures, spatial_features

STAGE = "Searching tiles that flip the group"
ALTERNATIVES = ("second", "weighted")
#: So many terms at most are flipped together, and so many such sets of terms are tried.
MOST_TERMS, MOST_TARGETS = 4, 8
#: A batch is this part of the tiles that are still expected to be needed.
BATCH_PART = 4
#: What a step away from a wanted side costs, relative to a step towards one.
LEAVING = 0.5
#: Sets up to this size are searched for tiles that turn out not to be needed.
MOST_PRUNED = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class FragilityOptions(Options):
    """Which tiles may be relabeled, and how many."""

    max_tiles: int = option(
        500, "Give up beyond so many tiles", min=1, max=1_000_000, unit="tiles", label="Most tiles"
    )
    min_other_probability: float = option(
        0.1,
        "A tile is doubtful if another class has at least this probability (our choice)",
        min=0,
        max=0.5,
        label="Least probability of the other class",
    )
    min_entropy: float = option(
        0.0,
        "... and if the entropy of its probabilities is at least this (0 to 1)",
        min=0,
        max=1,
        advanced=True,
    )
    alternatives: str = option(
        "second",
        "second: the second likeliest class; weighted: any other, by gain times probability",
        choices=ALTERNATIVES,
        label="Relabeled as",
        advanced=True,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Some tiles relabeled to bring some terms to their other side.

    Parameters
    ----------
    terms
        Positions of the risk model's features that are to change sides.
    picked
        Positions among the doubtful tiles, in the order in which they were taken.
    features, risk
        Of the map with all of them relabeled; risk None: the slide would be refused one.
    """

    terms: tuple[int, ...]
    picked: list[int]
    features: SpatialFeatures
    risk: RiskAssessment | None


class Search:
    """The doubtful tiles of a map, and trying them.

    Parameters
    ----------
    features
        The SOFs of the map as it is.
    model
        The risk model, with cut-offs.
    options
        Which tiles may be relabeled.
    """

    def __init__(
        self, features: SpatialFeatures, model: RiskModel, options: FragilityOptions
    ) -> None:
        self.features, self.model, self.options = features, model, options
        self.columns = [feature.column for feature in model.features]
        self.cutoffs = np.array([feature.cutoff for feature in model.features], np.float64)
        tissue_map = features.tissue_map
        tiles = open_to_doubt(tissue_map)
        if options.min_entropy > 0:
            tiles &= tissue_map.entropy() >= options.min_entropy
        if options.alternatives == "second":
            found = second_classes(tissue_map, tiles)
            least = max(options.min_other_probability, np.finfo(np.float64).tiny)
            found = found.take(found.other_probability >= least)
        else:
            found = other_classes(tissue_map, tiles, max(options.min_other_probability, 1e-9))
        self.doubtful = found
        self.at = found.rows * tissue_map.shape[1] + found.cols
        self.n_candidates = len(np.unique(self.at))
        self.before = assess_risk(features, model)

    def targets(self) -> list[tuple[int, ...]]:
        """Smallest sets of terms that flip the group by changing sides, the nearest first."""
        splits = [int(row.split or 0) for row in self.before.rows]
        weights = [feature.coefficient for feature in self.model.features]
        high = self.before.group == "high"
        found: list[tuple[int, ...]] = []
        for size in range(1, min(MOST_TERMS, len(splits)) + 1):
            for terms in itertools.combinations(range(len(splits)), size):
                if any(set(smaller) <= set(terms) for smaller in found):
                    continue
                parts = [
                    w * (s ^ (i in terms))
                    for i, (w, s) in enumerate(zip(weights, splits, strict=True))
                ]
                if self.model.is_high(round(math.fsum(parts), DECIMALS) + 0.0) != high:
                    found.append(terms)
        changes, values = self._changes(self.features, np.ones(len(self.at), np.bool_))
        expected = {terms: self._expected(changes, values, terms) for terms in found}
        return sorted(found, key=lambda terms: (expected[terms], len(terms)))[:MOST_TARGETS]

    def _changes(
        self, features: SpatialFeatures, usable: NDArray[np.bool_]
    ) -> tuple[Floats, Floats]:
        """Tell what each usable relabeling changes, shape (usable, terms), and the values now."""
        counted = Relabeling(features, self.columns)
        after = counted.values(self.at[usable], self.doubtful.to_codes[usable])
        return np.nan_to_num(after - counted.before), counted.before

    def _directions(self) -> Floats:
        """By term: +1 if its feature must rise to change sides, else -1."""
        return np.array([1.0 if row.split == 0 else -1.0 for row in self.before.rows])

    def _needs(self, values: Floats) -> Floats:
        """How far each feature is from changing sides; at most 0 once it has."""
        return (self.cutoffs - values) * self._directions()

    def _expected(self, changes: Floats, values: Floats, terms: tuple[int, ...]) -> float:
        """About how many tiles it takes, if each term had the best tiles for itself."""
        directed = changes * self._directions()
        worst = 0.0
        for term in terms:
            gains = np.sort(directed[:, term][directed[:, term] > 0])[::-1]
            sums = np.cumsum(gains)
            need = self._needs(values)[term]
            enough = int(np.searchsorted(sums, need)) + 1
            missing = need / sums[-1] * len(gains) if len(gains) else math.inf
            worst = max(worst, enough if enough <= len(gains) else len(gains) + missing)
        return worst

    def greedy(self, terms: tuple[int, ...], limit: int) -> Generator[Progress, None, Trial]:
        """Relabel the most helpful tiles until the group flips, at most `limit`."""
        now = self.features
        risk: RiskAssessment | None = self.before
        picked: list[int] = []
        usable = np.ones(len(self.at), np.bool_)
        while len(picked) < limit and usable.any():
            batch = self._batch(now, terms, usable, limit - len(picked))
            if not batch:
                break
            now, risk, batch = self._apply(picked, batch)
            picked.extend(batch)
            usable &= ~np.isin(self.at, self.at[batch])
            yield Progress(STAGE, len(picked), self.options.max_tiles, "tiles")
            if risk is None or risk.group != self.before.group:
                break
        return Trial(terms, picked, now, risk)

    def _batch(
        self, now: SpatialFeatures, terms: tuple[int, ...], usable: NDArray[np.bool_], most: int
    ) -> list[int]:
        """Choose the next tiles to relabel, as positions among the doubtful."""
        changes, values = self._changes(now, usable)
        positions = np.flatnonzero(usable)
        likely = self.doubtful.other_probability[positions]
        at_once = np.flatnonzero(self._flipping(values + changes))
        if len(at_once):
            return [int(positions[at_once[likely[at_once].argmax()]])]
        shares, missing = self._shares(changes, values, terms)
        worth = np.clip(shares[:, missing], -1.0, 1.0).sum(axis=1)
        # To leave the side on which a term shall be is worse than no gain, better than a detour.
        worth += LEAVING * np.clip(shares[:, ~missing], -1.0, 0.0).sum(axis=1)
        if self.options.alternatives == "weighted":
            worth *= likely
        # Of equal gains the likelier relabeling.
        order = np.lexsort((-likely, -np.round(worth, 12)))
        order = order[worth[order] > 0]
        _, first = np.unique(self.at[positions[order]], return_index=True)
        order = order[np.sort(first)]
        reached = np.cumsum(shares[order][:, missing], axis=0)
        expected = int((reached < 1).any(axis=1).sum()) + 1
        size = math.ceil(expected / BATCH_PART) if expected > BATCH_PART else 1
        return [int(p) for p in positions[order[: min(size, most)]]]

    def _shares(
        self, changes: Floats, values: Floats, terms: tuple[int, ...]
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """Give each relabeling's share of the way to where each term shall be.

        Returns
        -------
        ndarray, ndarray
            Shape (relabelings, terms): 1 is all the way to the cut-off; and which terms are not
            where they shall be, shape (terms,).
        """
        changed = np.array([self._has_changed(values, t) for t in range(len(self.columns))])
        to_change = np.isin(np.arange(len(self.columns)), terms)
        toward = np.where(to_change, self._directions(), -self._directions())
        way = np.maximum(np.abs(self.cutoffs - values), np.finfo(np.float64).tiny)
        return np.clip(changes * toward / way, -1e9, 1e9), changed != to_change

    def _flipping(self, values: Floats) -> NDArray[np.bool_]:
        """Tell for each row of values whether the group would be the other one."""
        score = np.zeros(len(values))
        for feature, column in zip(self.model.features, values.T, strict=True):
            above = (
                column > feature.cutoff if feature.direction == ">" else column >= feature.cutoff
            )
            score += feature.coefficient * above
        score, least = np.round(score, DECIMALS), self.model.threshold
        high = score >= least if self.model.comparison == ">=" else score > least
        found: NDArray[np.bool_] = high != (self.before.group == "high")
        return found

    def _has_changed(self, values: Floats, term: int) -> bool:
        return self.model.features[term].split(float(values[term])) != self.before.rows[term].split

    def _apply(
        self, picked: list[int], batch: list[int]
    ) -> tuple[SpatialFeatures, RiskAssessment | None, list[int]]:
        """Relabel a batch; of a batch that flips the group only as many as are needed."""
        now, risk = self._of([*picked, *batch])
        if len(batch) == 1 or not self.flips(risk):
            return now, risk, batch
        low, high = 1, len(batch)
        while low < high:
            middle = (low + high) // 2
            tried = self._of([*picked, *batch[:middle]])
            if self.flips(tried[1]):
                high, now, risk = middle, *tried
            else:
                low = middle + 1
        return now, risk, batch[:high]

    def flips(self, risk: RiskAssessment | None) -> bool:
        """Whether a risk is of the other group."""
        return risk is not None and risk.group not in (None, self.before.group)

    def _of(self, picked: list[int]) -> tuple[SpatialFeatures, RiskAssessment | None]:
        """Features and risk with some tiles relabeled, computed in full."""
        tissue_map = self.features.tissue_map
        classes = tissue_map.classes.copy()
        classes.flat[self.at[picked]] = self.doubtful.to_codes[picked]
        found = spatial_features(
            replace(tissue_map, classes=classes), self.features.options, self.features.mixture
        )
        return found, None if found.refusal else assess_risk(found, self.model)

    def pruned(self, trial: Trial) -> Generator[Progress, None, Trial]:
        """Take out tiles without which the group flips as well."""
        picked = trial.picked
        if not 1 < len(picked) <= MOST_PRUNED:
            return trial
        for one in list(picked):
            rest = [p for p in picked if p != one]
            if rest and self.flips(self._of(rest)[1]):
                picked = rest
            yield Progress(STAGE, len(picked), self.options.max_tiles, "tiles")
        return Trial(trial.terms, picked, *self._of(picked))

    def covered(self, trial: Trial) -> dict[str, float]:
        """By column of the trial's terms: share of the way to the cut-off, 1 on the other side."""
        now, first = self._values(trial.features), self._values(self.features)
        shares = {}
        for term in trial.terms:
            need, way = self._needs(now)[term], self._needs(first)[term]
            share = 1.0 if self._has_changed(now, term) else (1 - need / way if way else 0.0)
            shares[self.columns[term]] = float(share)
        return shares

    def _values(self, features: SpatialFeatures) -> Floats:
        return np.array([features.values[column] for column in self.columns])
