"""The reference set of a model: after its training, or from the tiles of a training long ago."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np
import torch

from napari_crlm_spa.core.classifier.card import (
    CARD_NAME,
    WEIGHTS_NAME,
    ModelCard,
    load_card,
    model_folder,
)
from napari_crlm_spa.core.classifier.devices import choose_device
from napari_crlm_spa.core.classifier.network import TileNetwork
from napari_crlm_spa.core.classifier.reference_set import (
    PER_CLASS,
    ReferenceSet,
    build_reference_set,
    choose_reference,
    save_reference_set,
)
from napari_crlm_spa.core.classifier.training.cache import TileCache, load_tiles
from napari_crlm_spa.core.classifier.training.data import LabeledTile, find_tiles
from napari_crlm_spa.core.classifier.training.recipe import parse_merge
from napari_crlm_spa.core.classifier.weights import load_model
from napari_crlm_spa.core.files import is_file, write_bytes
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import TrainingError

_STAGE = "Keeping a reference set"


def reference_of(
    network: TileNetwork,
    train: TileCache,
    held: TileCache,
    stain: str,
    device: torch.device,
    *,
    per_class: int = PER_CLASS,
    seed: int = 0,
) -> ReferenceSet:
    """Return the reference set of tiles trained on and of tiles held back.

    Parameters
    ----------
    network
        On `device`.
    stain
        Stain method of the card; both caches hold that variant.
    per_class
        Tiles of a class that are kept of those trained on; of those held back half as many.
    """
    labels = np.concatenate([train.labels, held.labels])
    slides = [*train.slides, *held.slides]
    held_out = np.repeat([False, True], [len(train), len(held)])
    drawn = np.concatenate([train.drawn, held.drawn])
    half = per_class // 2
    chosen = choose_reference(
        labels, slides, held_out, drawn, per_class=per_class, held_per_class=half, seed=seed
    )
    trained, judged = chosen[chosen < len(train)], chosen[chosen >= len(train)] - len(train)
    tiles = [train.variants[stain][trained], held.variants[stain][judged]]
    return build_reference_set(
        network, np.concatenate(tiles), labels[chosen], [slides[i] for i in chosen],
        held_out[chosen], device, drawn=drawn[chosen], per_class=per_class, held_per_class=half,
        seed=seed,
    )  # fmt: skip


def add_reference_set(
    model: str | Path,
    data: Path | Sequence[Path],
    out_dir: Path | None = None,
    *,
    held_out_slides: Sequence[str] = (),
    per_class: int = PER_CLASS,
    merge: str = "TUM_SARCOMA=TUM",
    device: str = "auto",
) -> Generator[Progress, None, ModelCard]:
    """Give a model that was trained before a reference set.

    Parameters
    ----------
    model
        ``"default"`` or a model folder.
    data
        The tiles that it was trained on and those that it was not; those of a manifest's test
        split are left alone, and drawn ones that it was not trained on.
    out_dir
        Where to write a copy of the model with the set; None writes into the model's folder.
    held_out_slides
        Slides that the model was not trained on. Empty takes those that its card does not list;
        a manifest's validation split counts as held back in any case.
    per_class
        Tiles of a class that are kept of those trained on; of those held back half as many.
    merge
        Folders that count as another class.
    device
        Where the network runs.

    Returns
    -------
    ModelCard
        The card as written.

    Raises
    ------
    TrainingError
        If there are no such tiles or slides, or `out_dir` holds another model.
    ModelError
        If the model cannot be used.
    """
    card, network = load_model(model)
    folders = [data] if isinstance(data, Path) else list(data)
    found = find_tiles(folders, card.scheme, parse_merge(merge))
    usable = [tile for tile in found.tiles if tile.split != "test"]
    if not usable:
        raise TrainingError(
            f"There are no tiles of the scheme {card.scheme_name} (outside a test split) in "
            f"{', '.join(str(folder) for folder in folders)}."
        )
    folder = model_folder(model)
    target = folder if out_dir is None else out_dir
    _refuse_other_model(target, card)
    unseen = _unseen(card, usable, held_out_slides)
    usable = [tile for tile in usable if not (tile.drawn and _is_held(tile, unseen))]
    stain, size = card.stain.method, (card.tile_px, card.input_px)
    known = [tile for tile in usable if not _is_held(tile, unseen)]
    others = [tile for tile in usable if _is_held(tile, unseen)]
    train = yield from load_tiles(known, *size, (stain,), "Reading tiles trained on")
    held = yield from load_tiles(others, *size, (stain,), "Reading tiles held back")
    where = choose_device(device)
    yield Progress(_STAGE, 0, 1)
    reference = reference_of(network.to(where), train, held, stain, where, per_class=per_class)
    if target.resolve() != folder.resolve():
        for name in (WEIGHTS_NAME, CARD_NAME):
            write_bytes(target / name, (folder / name).read_bytes())
    written = save_reference_set(target, reference)
    yield Progress(_STAGE, 1, 1)
    return written


def _unseen(
    card: ModelCard, tiles: Sequence[LabeledTile], held_out_slides: Sequence[str]
) -> set[str]:
    """Return the slides that the model was not trained on."""
    there = {tile.slide for tile in tiles}
    unknown = sorted(set(held_out_slides) - there)
    if unknown:
        raise TrainingError(
            f"There is no slide {unknown[0]!r} among the tiles; the slides are "
            f"{', '.join(sorted(there))}."
        )
    if held_out_slides:
        return set(held_out_slides)
    listed = set(card.training_data.slides)  # drawn tiles by a common name, once by their slides'
    if not listed:
        return set()
    return {tile.slide for tile in tiles if listed.isdisjoint((tile.slide, tile.counted_as))}


def _is_held(tile: LabeledTile, unseen: set[str]) -> bool:
    return tile.split == "validation" or tile.slide in unseen


def _refuse_other_model(folder: Path, card: ModelCard) -> None:
    if is_file(folder / CARD_NAME) and load_card(folder).sha256 != card.sha256:
        raise TrainingError(
            f"{folder} holds another model, which a copy of {card.name} would replace. Choose "
            "another folder."
        )
