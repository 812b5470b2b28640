"""Tiles that can be used but should be known of: counted, and said in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from napari_crlm_spa.core.classifier.card import ModelCard
from napari_crlm_spa.core.classifier.training.cache import TileCache

#: How many files a sentence names.
_SHOWN = 5


def describe_tiles(class_names: Sequence[str], train: TileCache, held: TileCache) -> list[str]:
    """Return a sentence for each thing that a user should know of the tiles."""
    return [
        *describe_broken(train, held),
        *describe_converted(train, held),
        *describe_contradictions(class_names, train, held),
        *describe_leaks(train, held),
        *describe_unjudged(class_names, train, held),
    ]


def describe_broken(*caches: TileCache) -> Iterator[str]:
    """Say which tiles could not be decoded."""
    broken = [line for cache in caches for line in cache.broken]
    if not broken:
        return
    yield f"{len(broken)} tiles could not be decoded and are left out: {_some(broken)}."


def describe_converted(*caches: TileCache) -> Iterator[str]:
    """Say how many tiles were not stored as RGB."""
    kinds: Counter[str] = Counter()
    for cache in caches:
        kinds.update(cache.converted)
    if not kinds:
        return
    text = ", ".join(f"{kind} ({count})" for kind, count in sorted(kinds.items()))
    yield (
        f"Tiles that are not stored as RGB and were converted: {text}. Slides give RGB; look "
        "whether they were exported as they should."
    )


def describe_contradictions(class_names: Sequence[str], *caches: TileCache) -> Iterator[str]:
    """Say which pictures stand under more than one class, pixel for pixel."""
    found: dict[bytes, dict[int, str]] = {}
    for cache in caches:
        for digest, label, path in zip(cache.digests, cache.labels, cache.paths, strict=True):
            found.setdefault(digest, {}).setdefault(int(label), path.name)
    twice = [names for names in found.values() if len(names) > 1]
    if not twice:
        return
    pairs = [
        " = ".join(f"{class_names[label]}/{name}" for label, name in names.items())
        for names in twice
    ]
    yield (
        f"Pictures that stand under more than one class: {len(twice)} ({_some(pairs)}). The "
        "network is told both; remove the wrong ones."
    )


def describe_leaks(train: TileCache, held: TileCache) -> Iterator[str]:
    """Say which held-back tiles are trained on, too, under another name."""
    known = set(train.digests)
    leaks = [
        path.name for digest, path in zip(held.digests, held.paths, strict=True) if digest in known
    ]
    if not leaks:
        return
    yield (
        f"Held-back tiles that are pixel for pixel among those trained on: {len(leaks)} of "
        f"{len(held)} ({_some(leaks)}). The validation flatters."
    )


def describe_unjudged(
    class_names: Sequence[str], train: TileCache, held: TileCache
) -> Iterator[str]:
    """Say which classes are learned but not judged."""
    if not len(held):
        return
    missing = sorted(set(np.unique(train.labels)) - set(np.unique(held.labels)))
    if not missing:
        return
    yield (
        f"No tiles of {', '.join(class_names[label] for label in missing)} are held back: the "
        "validation, and the choice of the epoch with it, rests on the other classes."
    )


def describe_start(start: ModelCard, card: ModelCard) -> Iterator[str]:
    """Say in what the model that a training starts from saw tiles otherwise."""
    seen = {
        "pixels across": (start.input_px, card.input_px),
        "µm/px": (start.mpp, card.mpp),
        "px a tile": (start.tile_px, card.tile_px),
        "stain normalization": (start.stain.method, card.stain.method),
        "wide layers": (start.architecture.hidden, card.architecture.hidden),
    }
    differing = [f"{old} {what}, now {new}" for what, (old, new) in seen.items() if old != new]
    if differing:
        yield (
            f"{start.name}, from which the training starts, was trained otherwise: "
            f"{'; '.join(differing)}. What it has learned serves less then."
        )


def _some(items: Sequence[str]) -> str:
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return f"{'; '.join(items[:_SHOWN])}{more}"
