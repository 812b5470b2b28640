"""Holding tiles back for validation: by slide, never by tile.

A slide goes to one side as a whole, with the other slides of its patient where the
manifest names patients. A slide that alone carries a class (more than
`CARRIER_SHARE` of it) cannot be held back without losing the class: it is cut once, along x,
and all its tiles right of the cut are held back, whatever their class; those within one tile
of the held-back ones are dropped. Drawn tiles beside real ones are never held back: they would
flatter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classifier.training.data import LabeledTile
from napari_crlm_spa.errors import TrainingError

#: A slide with more of a class than this carries it (our assumption).
CARRIER_SHARE = 0.8
#: The training side keeps at least this share of every class (our assumption).
KEPT_SHARE = 0.5
#: Resolution of a slide that does not tell its own: 40x, so that the gap is wide enough.
FINEST_MPP = 0.25
#: How many random choices of slides are compared.
_TRIALS = 400


@dataclass(slots=True)
class Split:
    """Indices into the tiles that were split, and how it was done."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    held_back: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    dropped: int = 0
    uncut: list[str] = field(default_factory=list)

    def describe(self) -> str:
        """Return a sentence for the card."""
        if not len(self.validation):
            return "No tiles held back."
        parts = []
        if self.held_back:
            parts.append(f"whole slides held back: {', '.join(self.held_back)}")
        if self.cut:
            parts.append(
                f"cut along x, right part held back, {self.dropped} tiles between dropped: "
                f"{', '.join(self.cut)}"
            )
        return "; ".join(parts) + "."

    def notes(self) -> list[str]:
        """Say what could not be held back."""
        names = ", ".join(self.uncut)
        note = (
            f"Slides that alone carry a class and do not say where their tiles lie: {names}. They "
            "cannot be cut and are trained on whole; add x0 to the manifest, or <slide>_x<X>_y<Y> "
            "to the file names."
        )
        return [note] if names else []


def split_tiles(
    tiles: Sequence[LabeledTile],
    share: float,
    seed: int,
    slides: Sequence[str] = (),
    tile_um: float = 112.0,
) -> Split:
    """Hold back about a share of the tiles.

    Parameters
    ----------
    tiles
        Tiles of the splits train and validation. Where the manifest has a validation split it
        is used as it is.
    share
        Share to hold back; 0 holds nothing back.
    slides
        Slides to hold back; empty lets the function choose. Carriers are cut all the same.
    tile_um
        Side of a tile in micrometers, for the gap.

    Raises
    ------
    TrainingError
        If a slide to hold back does not exist.
    """
    given = np.array([tile.split == "validation" for tile in tiles], bool)
    everything = np.arange(len(tiles))
    if given.any():
        names = sorted({tile.group for tile in tiles if tile.split == "validation"})
        return Split(everything[~given], everything[given], names)
    if share == 0:
        return Split(everything, everything[:0])
    names_of = np.array([tile.group for tile in tiles])
    labels = np.array([tile.label for tile in tiles])
    real = ~np.array([tile.drawn for tile in tiles])
    real = real if real.any() else ~real
    counts, names = count_tiles(names_of[real], labels[real])
    slides = _groups_named(slides, tiles, names)
    carriers = {k: v for k, v in carriers_of(counts, names).items() if k not in slides}
    unplaced = set(names_of[[tile.x0 is None for tile in tiles]].tolist())
    held = sorted(slides) if slides else _choose(counts, names, set(carriers), share, seed)
    side = np.where(np.isin(names_of, held), 1, 0)
    for name in sorted(set(carriers) - unplaced):
        of_slide = np.flatnonzero(names_of == name)
        side[of_slide] = _cut([tiles[int(i)] for i in of_slide], carriers[name], share, tile_um)
    return Split(
        everything[side == 0],
        everything[side == 1],
        held,
        sorted(set(carriers) - unplaced),
        int(np.count_nonzero(side == 2)),
        sorted(set(carriers) & unplaced),
    )


def _groups_named(
    wanted: Sequence[str], tiles: Sequence[LabeledTile], names: Sequence[str]
) -> list[str]:
    """Return the groups (patients, or slides) that are meant by names of slides or patients."""
    group_of = {tile.slide: tile.group for tile in tiles} | {name: name for name in names}
    unknown = sorted({name for name in wanted if group_of.get(name) not in names})
    if unknown:
        raise TrainingError(
            f"There is no slide {unknown[0]!r} to hold back; the slides are {', '.join(names)}."
        )
    return [group_of[name] for name in wanted]


def count_tiles(
    slides: NDArray[np.str_], labels: NDArray[np.int64]
) -> tuple[NDArray[np.int64], list[str]]:
    """Count tiles by slide and class: shape (slides, classes), and the slides' names."""
    names, rows = np.unique(slides, return_inverse=True)
    counts = np.zeros((len(names), labels.max() + 1), np.int64)
    np.add.at(counts, (rows, labels), 1)
    return counts, [str(name) for name in names]


def carriers_of(counts: NDArray[np.int64], names: Sequence[str]) -> dict[str, set[int]]:
    """Return the slides that alone carry classes, with those classes."""
    carried = counts > CARRIER_SHARE * counts.sum(axis=0)
    return {
        name: {int(label) for label in np.flatnonzero(row)}
        for name, row in zip(names, carried, strict=True)
        if row.any()
    }


def _choose(
    counts: NDArray[np.int64], names: Sequence[str], carriers: set[str], share: float, seed: int
) -> list[str]:
    """Choose slides whose classes come closest to the share, each class keeping enough.

    A class that could be judged on a whole slide and would not be counts like a full miss.
    """
    free = [i for i, name in enumerate(names) if name not in carriers]
    rng = np.random.default_rng(seed)
    totals = np.maximum(counts.sum(axis=0), 1)
    cut = [i for i, name in enumerate(names) if name in carriers]
    judged_by_cut = (counts[cut] > CARRIER_SHARE * totals).any(axis=0)
    wanted = (counts[free] > 0).any(axis=0) & ~judged_by_cut
    best: list[int] = []
    lowest = np.inf
    for _ in range(_TRIALS if free else 0):
        chosen = [i for i in free if rng.random() < max(share, 1 / len(free))]
        shares = counts[chosen].sum(axis=0) / totals
        if (shares > 1 - KEPT_SHARE).any():
            continue
        distance = float(np.abs(shares - share).sum() + np.count_nonzero(wanted & (shares == 0)))
        if distance < lowest:
            best, lowest = chosen, distance
    return [names[i] for i in best]


def _cut(
    tiles: Sequence[LabeledTile], carried: set[int], share: float, tile_um: float
) -> NDArray[np.int64]:
    """Return the side of each tile of a slide: 0 train, 1 validation, 2 dropped."""
    side = np.zeros(len(tiles), np.int64)
    x0 = np.array([tile.x0 for tile in tiles], float)
    width = level0_width(tiles, tile_um)
    of_carried = np.array([tile.label in carried for tile in tiles])
    cut = float(np.quantile(x0[of_carried], 1 - share, method="higher"))
    side[x0 >= cut] = 1
    side[(x0 > cut - 2 * width) & (x0 < cut)] = 2
    return side


def level0_width(tiles: Sequence[LabeledTile], tile_um: float) -> float:
    """Return the side of a slide's tiles in level-0 pixels, rather too large than too small."""
    return tile_um / min((tile.mpp_slide or FINEST_MPP) for tile in tiles)
