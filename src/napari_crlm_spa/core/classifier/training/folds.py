"""Folds of a cross-validation: whole slides, and blocks of those that alone carry a class.

Every real tile is held out exactly once. A slide goes into one fold as a whole (with the other
slides of its patient, where the manifest names patients), so that its tiles are judged by a
network that never saw it. A slide that alone carries a class (more than
`CARRIER_SHARE` of it) would take the class away from the training: it is cut along x into one
block a fold, and what lies within one tile of the block in work is not trained on. Drawn tiles
beside real ones are always trained on and never judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classifier.training.data import LabeledTile
from napari_crlm_spa.core.classifier.training.split import carriers_of, count_tiles, level0_width
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.errors import TrainingError

#: How many placements of slides are compared for each slide there is, at most.
_TRIALS = 200
_PLACEMENTS = 20_000
#: A fold that takes a class away from the training costs more than any unevenness.
_LOST = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldOptions(Options):
    """How the tiles are divided for a cross-validation."""

    folds: int = option(
        5, "Parts that are held out in turn; 0 holds out one slide at a time", min=0, max=1000
    )
    strict: bool = option(
        False,
        "Hold out wholly even a slide that alone carries a class; what else there is of the "
        "class (other slides, drawn tiles) must teach it then",
    )


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Indices into the tiles: what is trained on, what is judged.

    Parameters
    ----------
    number
        Counted from 1.
    train, held_out
        Indices into the tiles.
    unseen
        For each held-out tile: nothing of its slide (or patient) is trained on.
    slides, blocks
        Slides that are held out as a whole, and those of which a block is.
    dropped
        Tiles too near to a block, which are not trained on in this fold.
    drawn_only
        Labels that are learned from drawn tiles alone.
    """

    number: int
    train: NDArray[np.int64]
    held_out: NDArray[np.int64]
    unseen: NDArray[np.bool_]
    slides: tuple[str, ...]
    blocks: tuple[str, ...]
    dropped: int
    drawn_only: tuple[int, ...]


def make_folds(
    tiles: Sequence[LabeledTile],
    class_names: Sequence[str],
    options: FoldOptions,
    seed: int,
    tile_um: float = 112.0,
) -> list[Fold]:
    """Divide tiles into folds.

    Slides are placed so that no fold takes a class away from the training where that can be
    avoided, that the classes are spread evenly, and that the folds are of like size.

    Parameters
    ----------
    tiles
        What is to be judged and trained on, in any order; drawn ones are trained on only.
    class_names
        What the tiles' labels index.
    seed
        Of the placements that are compared; the best of them is taken.
    tile_um
        Side of a tile in micrometers, for the gap beside a block.

    Raises
    ------
    TrainingError
        If there are too few slides, or a class would have no tiles to learn from.
    """
    names_of = np.array([tile.group for tile in tiles])
    labels = np.array([tile.label for tile in tiles])
    real = ~np.array([tile.drawn for tile in tiles])
    real = real if real.any() else ~real
    counts, names = count_tiles(names_of[real], labels[real])
    carriers = {} if options.strict else carriers_of(counts, names)
    free = [i for i, name in enumerate(names) if name not in carriers]
    k = _how_many(options.folds, len(free), bool(carriers))
    place = dict(
        zip([names[i] for i in free], _place(counts[free], counts, k, seed).tolist(), strict=True)
    )
    fold_of = np.array([place.get(str(name), -1) for name in names_of])
    fold_of[~real] = -1
    for name, carried in sorted(carriers.items()):
        at = np.flatnonzero((names_of == name) & real)
        fold_of[at] = _blocks([tiles[int(i)] for i in at], carried, k, class_names)
    folds = [_fold(number, tiles, fold_of, set(carriers), tile_um) for number in range(k)]
    folds = [fold for fold in folds if len(fold.held_out)]
    for fold in folds:
        _require_classes(fold, labels, names_of, class_names, options.strict)
    return folds


def _how_many(wanted: int, free: int, carriers: bool) -> int:
    """Return the number of folds: not more than there are slides, unless some are cut."""
    if free < 2 and not carriers:
        raise TrainingError(
            "All tiles are of one slide: there is none to hold out. Add tiles of other slides, or "
            "give the slide's tiles their coordinates (<slide>_x<X>_y<Y>)."
        )
    if not wanted:
        return max(free, 2)
    if wanted == 1:
        raise TrainingError("A cross-validation has at least two folds; pass --folds 2 or more.")
    return wanted if carriers else min(wanted, free)


def _place(
    slides: NDArray[np.int64], counts: NDArray[np.int64], k: int, seed: int
) -> NDArray[np.int64]:
    """Return the fold of each slide, shape (n,); `slides` and `counts` are tiles by class.

    Greedy, the large slides first or in random order; the placement of the lowest cost wins.
    """
    if not len(slides):
        return np.zeros(0, np.int64)
    shares = slides / np.maximum(counts.sum(axis=0), 1)
    shares = np.column_stack([shares, slides.sum(axis=1) / counts.sum()])
    rng = np.random.default_rng(seed)
    order = np.argsort(-shares[:, -1], kind="stable")
    best, lowest = np.zeros(len(slides), np.int64), np.inf
    for _ in range(max(1, min(_TRIALS, _PLACEMENTS // len(slides)))):
        place = _greedy(shares, order, k)
        held = np.zeros((k, shares.shape[1]))
        np.add.at(held, place, shares)
        lost = np.count_nonzero(held[:, :-1] > 1 - 1e-9)
        cost = float((held**2).sum() + _LOST * lost)
        if cost < lowest:
            best, lowest = place, cost
        order = rng.permutation(len(slides))
    return best


def _greedy(shares: NDArray[np.float64], order: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Put each slide where the sum of squared shares grows least."""
    held = np.zeros((k, shares.shape[1]))
    place = np.zeros(len(shares), np.int64)
    for i in order:
        place[i] = int((held @ shares[i]).argmin())
        held[place[i]] += shares[i]
    return place


def _blocks(
    tiles: Sequence[LabeledTile], carried: set[int], k: int, class_names: Sequence[str]
) -> NDArray[np.int64]:
    """Return the block of each tile of a slide, cut along x: equal parts of the carried classes."""
    if any(tile.x0 is None for tile in tiles):
        raise TrainingError(
            f"The slide {tiles[0].slide} alone carries "
            f"{' and '.join(class_names[label] for label in sorted(carried))}, but its tiles do "
            "not say where they lie (x0 in the manifest, or <slide>_x<X>_y<Y>), so it cannot be "
            "cut into blocks. Add the coordinates, or pass --strict."
        )
    x0 = np.array([tile.x0 for tile in tiles], float)
    label = np.array([tile.label for tile in tiles])
    weight = np.isin(label, list(carried)) / np.bincount(label)[label]
    order = np.argsort(x0, kind="stable")
    reached = np.cumsum(weight[order]) / weight.sum()
    first = np.searchsorted(reached, np.arange(1, k) / k + 1e-9, side="left")
    cuts = x0[order][np.minimum(first, len(x0) - 1)]
    return np.asarray(np.searchsorted(cuts, x0, side="right"), np.int64)


def _fold(
    number: int,
    tiles: Sequence[LabeledTile],
    fold_of: NDArray[np.int64],
    carriers: set[str],
    tile_um: float,
) -> Fold:
    held = np.flatnonzero(fold_of == number)
    train = np.flatnonzero(fold_of != number)
    names_of = np.array([tile.slide for tile in tiles])
    groups = np.array([tile.group for tile in tiles])
    near = np.zeros(len(tiles), bool)
    for name in sorted(set(names_of[held[np.isin(groups[held], sorted(carriers))]].tolist())):
        of_slide = train[(names_of[train] == name) & (fold_of[train] >= 0)]
        block = held[names_of[held] == name]
        gap = 2 * level0_width([tiles[int(i)] for i in block], tile_um)
        near[of_slide] = _distance(_x0(tiles, of_slide), _x0(tiles, block)) < gap
    kept = train[~near[train]]
    seen = set(groups[kept[fold_of[kept] >= 0]].tolist())
    unseen = np.array([name not in seen for name in groups[held]], bool)
    labels = np.array([tile.label for tile in tiles])
    learned = set(labels[kept].tolist()) - set(labels[kept[fold_of[kept] >= 0]].tolist())
    return Fold(
        number + 1,
        kept,
        held,
        unseen,
        tuple(sorted(set(names_of[held[unseen]].tolist()))),
        tuple(sorted(set(names_of[held[~unseen]].tolist()))),
        int(np.count_nonzero(near)),
        tuple(sorted(int(label) for label in learned)),
    )


def _x0(tiles: Sequence[LabeledTile], at: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.array([tiles[int(i)].x0 for i in at], float)


def _distance(points: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of each point to the nearest of the others, along a line."""
    line = np.sort(others)
    right = np.clip(np.searchsorted(line, points), 0, len(line) - 1)
    left = np.clip(right - 1, 0, len(line) - 1)
    nearest: NDArray[np.float64] = np.minimum(
        np.abs(points - line[left]), np.abs(points - line[right])
    )
    return nearest


def _require_classes(
    fold: Fold,
    labels: NDArray[np.int64],
    names_of: NDArray[np.str_],
    class_names: Sequence[str],
    strict: bool,
) -> None:
    counts = np.bincount(labels[fold.train], minlength=len(class_names))
    missing = np.flatnonzero(counts == 0)
    if not len(missing):
        return
    label = int(missing[0])
    owners = sorted(set(names_of[labels == label].tolist()))
    if not owners:
        raise TrainingError(
            f"There are no tiles of {class_names[label]}. Add some: the network learns every "
            "class of the scheme."
        )
    way_out = "leave out --strict" if strict else "pass another number of --folds"
    raise TrainingError(
        f"Fold {fold.number} would have no tiles of {class_names[label]} to learn from: all of "
        f"them are held out ({', '.join(owners)}). Add tiles of other slides or drawn ones, or "
        f"{way_out}."
    )
