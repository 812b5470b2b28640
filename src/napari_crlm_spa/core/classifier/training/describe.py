"""What the card says about a training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_crlm_spa.core.classes import ClassScheme
from napari_crlm_spa.core.classifier.card import (
    Architecture,
    ModelCard,
    StainTarget,
    TrainingData,
)
from napari_crlm_spa.core.classifier.training.data import LabeledTile
from napari_crlm_spa.core.classifier.training.recipe import TrainingOptions

_ON_THE_CARD_ELSEWHERE = (
    "name",
    "description",
    "license",
    "attribution",
    "temperature",
    "device",
    "tensorboard",
)
_LIMITS = (
    "Trained on few slides; other scanners, stains and tissues can be told wrongly.",
    "Every tile gets one of the classes, tissue outside the scheme too.",
)


def draft_card(
    options: TrainingOptions,
    scheme: ClassScheme,
    train: Sequence[LabeledTile],
    validation: Sequence[LabeledTile],
    split: str,
) -> ModelCard:
    """Return the card of a training, without metrics and hash."""
    return ModelCard(
        name=options.name,
        scheme_name=scheme.name,
        classes=scheme.names,
        mpp=options.mpp,
        tile_px=options.tile_px,
        input_px=options.input_px,
        architecture=Architecture.model_validate(
            {"name": options.arch, "hidden": options.hidden, "dropout": options.dropout}
        ),
        stain=StainTarget.model_validate({"method": options.stain}),
        training_data=TrainingData(
            description=options.description,
            slides=_by_slide(train, scheme),
            counts=_by_class(train, scheme),
            validation=_by_class(validation, scheme),
            split=split,
            license=options.license,
            attribution=options.attribution,
        ),
        training_recipe=_recipe(options),
        known_limits=_LIMITS,
    )


def retrained_card(
    draft: ModelCard, start: ModelCard, options: TrainingOptions, kept_epoch: int, share: float
) -> ModelCard:
    """Return the card of a model whose head was retrained: the old one with what is new.

    Parameters
    ----------
    draft
        Card of the new tiles alone.
    start
        Card of the model that was started from.
    kept_epoch, share
        Epoch of the new head, and how far the kept head lies on the way from the old to it.
    """
    recipe = {
        **_recipe(options),
        "kept_epoch": kept_epoch,
        "kept_share": share,
        "start": {"name": start.name, "version": start.version, "sha256": start.sha256},
        "start_recipe": start.training_recipe,
    }
    return start.model_copy(
        update={
            "name": options.name,
            "training_data": _joined(start.training_data, draft.training_data),
            "training_recipe": recipe,
            "metrics": {},
            "sha256": "",
            "reference_sha256": "",
        }
    )


def _joined(old: TrainingData, new: TrainingData) -> TrainingData:
    """Return what both describe; slides and texts of the newer beside those of the older."""
    slides = {name: dict(counts) for name, counts in old.slides.items()}
    for name, counts in new.slides.items():
        slides[name] = _sum(slides.get(name, {}), counts)
    tiles = sum(new.counts.values())
    many = "slide" if len(new.slides) == 1 else "slides"
    described = new.description or f"{tiles} tiles of {len(new.slides)} {many}"
    return TrainingData(
        description="; then, the head alone: ".join(filter(None, (old.description, described))),
        slides=slides,
        counts=_sum(old.counts, new.counts),
        validation=new.validation,
        split=new.split,
        license=_both(old.license, new.license),
        attribution=_both(old.attribution, new.attribution),
    )


def _both(old: str, new: str) -> str:
    return "; ".join(dict.fromkeys(filter(None, (old, new))))


def _sum(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return {name: first.get(name, 0) + second.get(name, 0) for name in {**first, **second}}


def _by_class(tiles: Sequence[LabeledTile], scheme: ClassScheme) -> dict[str, int]:
    counts = Counter(tile.label for tile in tiles)
    return {scheme.names[label]: counts[label] for label in sorted(counts)}


def _by_slide(tiles: Sequence[LabeledTile], scheme: ClassScheme) -> dict[str, dict[str, int]]:
    slides: dict[str, list[LabeledTile]] = {}
    for tile in tiles:
        slides.setdefault(tile.counted_as, []).append(tile)
    return {slide: _by_class(part, scheme) for slide, part in sorted(slides.items())}


def _recipe(options: TrainingOptions) -> dict[str, Any]:
    recipe = {
        name: value
        for name, value in options.as_dict().items()
        if name not in _ON_THE_CARD_ELSEWHERE
    }
    # The folder's name says which model it was; where it lay is nobody's business.
    return {**recipe, "init": Path(options.init).name}
