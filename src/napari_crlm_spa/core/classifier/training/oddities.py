"""Tiles that can be used but should be known of: counted, and said in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

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
        f"{kinds.total()} tiles are not stored as RGB and were converted: {text}. Slides give RGB; "
        "look whether they were exported as they should."
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
        f"{len(twice)} pictures stand under more than one class: {_some(pairs)}. The network is "
        "told both; remove the wrong ones."
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
        f"{len(leaks)} of {len(held)} held-back tiles are pixel for pixel among those trained on, "
        f"so the validation flatters: {_some(leaks)}."
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
        f"No tiles of {', '.join(class_names[label] for label in missing)} are held back: how well "
        "these are told is not known, and the balanced accuracy is that of the other classes."
    )


def _some(items: Sequence[str]) -> str:
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return f"{'; '.join(items[:_SHOWN])}{more}"
