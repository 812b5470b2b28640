"""How unlike all known tissue a tile looks to the network: 1 is the limit of the usual.

Source: Lee et al., NeurIPS 2018 (a Gaussian per class with one covariance, distance to the
nearest class), on features of length 1 as in Müller and Hein, ICML 2025. That an earlier stage
than the last tells more is Anthony and Kamnitsas, UNSURE 2023, and what our slides show
(docs/methods/uncertainty.md): the last stage keeps what tells the known classes apart and drops
the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from napari_crlm_spa.core.classifier.reference_set import ReferenceSet

#: The limit: this share of unseen tiles of known tissue lies within it, the rest beyond.
USUAL_SHARE = 0.95
#: Fewer held out tiles than this, or tiles of fewer than half of the classes, don't set the limit
#: (our assumption).
MIN_HELD_OUT = 50
#: Without enough of them slides are left out one at a time, at most so many; a class of a slide
#: counts from so many tiles on (our assumptions).
MOST_SLIDES_LEFT_OUT = 20
MIN_GROUP_TILES = 20
#: Share of the covariance that is replaced by its mean diagonal, so that it can be inverted
#: (our assumption; 0.001 to 0.1 rank tiles nearly alike).
SHRINKAGE = 0.01
#: Nothing is stranger than this: it must fit into a 16-bit float.
STRANGEST = 1000.0

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class KnownTissue:
    """What tiles of known tissue look like to the middle of a network.

    Parameters
    ----------
    whitening
        Shape (g, g): turns features of length 1 so that a class scatters alike in all directions.
    centers
        Shape (classes, g): mean of each class, turned so.
    limit
        Distance that is called 1.
    """

    whitening: Tensor
    centers: Tensor
    limit: float

    @classmethod
    def of(cls, reference: ReferenceSet) -> Self | None:
        """Learn from the tiles of a reference set; None where they don't suffice.

        They don't if the set was made without the trunk's middle, or if nothing says how far
        unseen tiles lie: too few are held out, and no class comes from two slides.
        """
        if reference.middle is None or not len(reference):
            return None
        looks = _unit(reference.middle)
        drawn = np.zeros(len(looks), bool) if reference.drawn is None else reference.drawn
        trained = ~reference.held_out & ~drawn
        if not trained.any():
            trained = ~reference.held_out
        if not trained.any():
            return None
        labels, slides = reference.labels, np.array(reference.slides)
        whitening, centers = _fit(looks[trained], labels[trained])
        unseen = reference.held_out & ~drawn
        enough_classes = 2 * len(np.unique(labels[unseen])) >= len(centers)
        if unseen.sum() >= MIN_HELD_OUT and enough_classes:
            far = _distances(looks[unseen], whitening, centers)
            limit: float | None = float(np.quantile(far, USUAL_SHARE))
        else:
            limit = _limit_by_slides(looks[trained], labels[trained], slides[trained])
        if limit is None:
            return None
        # Tiles that are all alike have no scatter; their limit must not be 0.
        return cls(_tensor(whitening), _tensor(centers), max(limit, 1e-6))

    def to(self, device: torch.device) -> Self:
        """Return the same on a device."""
        return type(self)(self.whitening.to(device), self.centers.to(device), self.limit)

    def strangeness(self, middle: Tensor) -> Tensor:
        """Return the distance to the nearest class in units of the limit.

        Parameters
        ----------
        middle
            Shape (n, g), the first of `TileNetwork.stages`; on the device of this object.

        Returns
        -------
        Tensor of float32, shape (n,)
            1 is as far as the farthest 5 % of unseen tiles of known tissue.
        """
        # Half precision would be coarser than the distances within a class.
        with torch.autocast(middle.device.type, enabled=False):
            turned = functional.normalize(middle.float(), dim=1) @ self.whitening
            apart = turned[:, None] - self.centers[None]
            nearest = apart.square().sum(dim=2).amin(dim=1).sqrt()
        return (nearest / self.limit).clamp(max=STRANGEST)


def _unit(middle: NDArray[np.float16]) -> _Array:
    looks = middle.astype(np.float64)
    return np.asarray(looks / np.maximum(np.linalg.norm(looks, axis=1, keepdims=True), 1e-12))


def _fit(looks: _Array, labels: NDArray[np.int16]) -> tuple[_Array, _Array]:
    """Return the whitening of the covariance within classes and the whitened class means."""
    names, index = np.unique(labels, return_inverse=True)
    means = np.stack([looks[index == i].mean(axis=0) for i in range(len(names))])
    within = looks - means[index]
    covariance = within.T @ within / len(looks)
    size = len(covariance)
    level = max(float(np.trace(covariance)) / size, 1e-12)
    shrunk = (1 - SHRINKAGE) * covariance + SHRINKAGE * level * np.eye(size)
    values, vectors = np.linalg.eigh(shrunk)
    whitening = vectors / np.sqrt(values)
    return whitening, means @ whitening


def _distances(looks: _Array, whitening: _Array, centers: _Array) -> _Array:
    turned = looks @ whitening
    squares = [np.square(turned - center).sum(axis=1) for center in centers]
    return np.asarray(np.sqrt(np.min(squares, axis=0)))


def _limit_by_slides(
    looks: _Array, labels: NDArray[np.int16], slides: NDArray[np.str_]
) -> float | None:
    """Leave one slide out at a time and look how far its tiles of classes that remain lie.

    The median over the slides of a class, then over the classes: neither one odd slide nor a
    class that is alike everywhere shall set the limit. None if no class comes from two slides.
    The network has seen these tiles, so the limit is only a makeshift for one from tiles that
    were held out.
    """
    names, counts = np.unique(slides, return_counts=True)
    far: dict[int, list[float]] = {}
    for name in names[np.argsort(-counts, kind="stable")][:MOST_SLIDES_LEFT_OUT]:
        left_out = slides == name
        groups = {int(k): left_out & (labels == k) for k in np.unique(labels[~left_out])}
        groups = {k: group for k, group in groups.items() if group.sum() >= MIN_GROUP_TILES}
        if not groups:
            continue
        whitening, centers = _fit(looks[~left_out], labels[~left_out])
        for k, group in groups.items():
            distances = _distances(looks[group], whitening, centers)
            far.setdefault(k, []).append(float(np.quantile(distances, USUAL_SHARE)))
    by_class = [float(np.median(of_class)) for of_class in far.values()]
    return float(np.median(by_class)) if by_class else None


def _tensor(values: _Array) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))
