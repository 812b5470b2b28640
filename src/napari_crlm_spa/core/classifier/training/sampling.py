"""Which tiles an epoch shows, in which stain variant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_crlm_spa.core.classifier.training.cache import TileCache

#: A slide with n tiles of a class is drawn in proportion to n to this power (our assumption):
#: between "every tile equally" (1) and "every slide equally" (0).
_SLIDE_POWER = 0.5


def tile_weights(
    labels: NDArray[np.int64],
    slides: Sequence[str],
    drawn: NDArray[np.bool_],
    drawn_share: float,
) -> NDArray[np.float64]:
    """Return probabilities, shape (n,), with which an epoch picks each tile.

    Every class is picked equally often; within a class drawn tiles together in `drawn_share` of
    the cases (where there are real ones, too), and slides in proportion to the square root of
    their number of tiles.
    """
    groups = [f"{label}/{slide}" for label, slide in zip(labels, slides, strict=True)]
    _, group_of, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    within = sizes[group_of] ** (_SLIDE_POWER - 1.0)
    for label in np.unique(labels):
        of_class = labels == label
        for part, share in ((of_class & drawn, drawn_share), (of_class & ~drawn, 1 - drawn_share)):
            if part.any():
                within[part] *= share / within[part].sum()
    totals = np.bincount(labels, weights=within)
    weights = within / totals[labels]
    return np.asarray(weights / weights.sum(), np.float64)


def slide_priors(
    labels: NDArray[np.int64],
    slides: Sequence[str],
    drawn: NDArray[np.bool_],
    weights: NDArray[np.float64] | None,
    n_classes: int,
    floor: float,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """How often each class is met on each slide, as training draws the tiles.

    Parameters
    ----------
    labels, slides, drawn
        Of the tiles, shape (n,). All drawn tiles count as one slide.
    weights
        Probabilities with which tiles are drawn; None: all equal.
    n_classes
        Number of classes k.
    floor
        Share of the uniform distribution that is mixed in; 1 is nothing but it.

    Returns
    -------
    slide_of, log_priors
        Row of each tile, shape (n,); logarithms of the priors, shape (slides, k).
    """
    names = np.where(drawn, "", np.array(slides, dtype=object)).astype(str)
    _, slide_of = np.unique(names, return_inverse=True)
    mass = np.zeros((slide_of.max(initial=0) + 1, n_classes))
    np.add.at(mass, (slide_of, labels), 1.0 if weights is None else weights)
    prior = (1.0 - floor) * mass / mass.sum(axis=1, keepdims=True) + floor / n_classes
    return slide_of.astype(np.int64), np.log(np.maximum(prior, 1e-12)).astype(np.float32)


def draw_epoch(
    weights: NDArray[np.float64] | None, count: int, generator: torch.Generator
) -> Tensor:
    """Return tile indices of an epoch: drawn by weight, or each tile once in random order."""
    if weights is None:
        return torch.randperm(count, generator=generator)
    probabilities = torch.from_numpy(weights)
    return torch.multinomial(probabilities, count, replacement=True, generator=generator)


def batches(
    cache: TileCache,
    method: str,
    mix: float,
    order: Tensor,
    size: int,
    generator: torch.Generator,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield tiles (n, 3, px, px), uint8, and their indices (n,) in the cache.

    A share `mix` of the tiles comes from another stain variant than `method`. A last batch of a
    single tile is left out: batch normalization cannot use it.
    """
    names = [method, *sorted(set(cache.variants) - {method})]
    for chunk in torch.split(order, size):
        if len(chunk) < 2:
            continue
        kind = torch.zeros(len(chunk), dtype=torch.long)
        if len(names) > 1:
            other = torch.randint(1, len(names), (len(chunk),), generator=generator)
            swap = torch.rand(len(chunk), generator=generator) < mix
            kind = torch.where(swap, other, kind)
        index = chunk.numpy()
        tiles = np.stack(
            [cache.variants[names[k]][i] for k, i in zip(kind.tolist(), index, strict=True)]
        )
        yield torch.from_numpy(tiles).permute(0, 3, 1, 2).contiguous(), chunk
