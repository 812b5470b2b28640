"""The reference set of a model: trunk features of tiles that it was trained on or judged by.

It lies in the model folder beside the weights and stands for the tiles where these are not at
hand: how far a new tile lies from all that the model knows, what a retrained head must not
forget, and how well old classes are still found. Features are the trunk's, so they stay valid
while only the head changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.numpy as sn
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError

from napari_crlm_spa.core.classifier.card import load_card, model_folder, save_card
from napari_crlm_spa.core.classifier.predict import predict_stages
from napari_crlm_spa.core.files import is_file, write_bytes
from napari_crlm_spa.errors import DamagedReference

if TYPE_CHECKING:
    from napari_crlm_spa.core.classifier.card import ModelCard
    from napari_crlm_spa.core.classifier.network import TileNetwork

REFERENCE_NAME = "reference.safetensors"
#: Tiles kept of each class, of those trained on and of those held back (our assumption): with
#: 512 features and seven classes at most 2.2 and 1.1 MB.
PER_CLASS = 300
HELD_PER_CLASS = 150
#: At most this share of a class's tiles is drawn, where there are photographed ones.
DRAWN_SHARE = 0.2
_FP16_MAX = float(np.finfo(np.float16).max)
_OPTIONAL = ("middle", "drawn")


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceSet:
    """Trunk features of a bounded sample of labeled tiles.

    Parameters
    ----------
    features
        Shape (n, f), float16: what `TileNetwork.features` gives for the tile, not varied,
        prepared with the stain method of the card.
    labels
        Shape (n,), int16: index into the card's classes.
    slides
        Slide of each tile.
    held_out
        Shape (n,), bool: the network was not trained on the tile.
    middle
        Shape (n, g), float16: the averaged output of the trunk's last stage but one, by which
        `strangeness` tells unknown tissue; None in a set that was made without.
    drawn
        Shape (n,), bool: the tile is drawn, not photographed; None where nobody said.
    """

    features: NDArray[np.float16]
    labels: NDArray[np.int16]
    slides: tuple[str, ...]
    held_out: NDArray[np.bool_]
    middle: NDArray[np.float16] | None = None
    drawn: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, at: NDArray[np.int64] | NDArray[np.bool_]) -> ReferenceSet:
        """Return some of the tiles, by index or by mask."""
        index = np.arange(len(self))[at]
        slides = tuple(self.slides[i] for i in index)
        return ReferenceSet(
            self.features[index],
            self.labels[index],
            slides,
            self.held_out[index],
            None if self.middle is None else self.middle[index],
            None if self.drawn is None else self.drawn[index],
        )


def build_reference_set(
    network: TileNetwork,
    tiles: NDArray[np.uint8],
    labels: NDArray[np.int64],
    slides: Sequence[str],
    held_out: NDArray[np.bool_],
    device: torch.device,
    *,
    drawn: NDArray[np.bool_] | None = None,
    per_class: int = PER_CLASS,
    held_per_class: int = HELD_PER_CLASS,
    seed: int = 0,
) -> ReferenceSet:
    """Choose tiles, evenly over classes and slides, and compute their features.

    Parameters
    ----------
    network
        On `device`.
    tiles
        Tiles as the trunk sees them, shape (n, input_px, input_px, 3), in the card's stain.
    labels, slides, held_out
        Of each tile: class index, slide, whether the network was not trained on it.
    drawn
        Of each tile: whether it is drawn; these are at most `DRAWN_SHARE` of a class.
    per_class, held_per_class
        How many tiles of a class are kept of those trained on and of those held back.
    """
    chosen = choose_reference(
        labels, slides, held_out, drawn, per_class=per_class, held_per_class=held_per_class,
        seed=seed,
    )  # fmt: skip
    middle, features = predict_stages(network, tiles[chosen], device)
    return ReferenceSet(
        as_half(features),
        labels[chosen].astype(np.int16),
        tuple(slides[i] for i in chosen),
        np.asarray(held_out[chosen], bool),
        as_half(middle),
        None if drawn is None else np.asarray(drawn[chosen], bool),
    )


def choose_reference(
    labels: NDArray[np.integer],
    slides: Sequence[str],
    held_out: NDArray[np.bool_],
    drawn: NDArray[np.bool_] | None = None,
    *,
    per_class: int = PER_CLASS,
    held_per_class: int = HELD_PER_CLASS,
    seed: int = 0,
) -> NDArray[np.int64]:
    """Return the indices, in order, of the tiles that a reference set keeps.

    Of every class the slides give equally many tiles, as far as they have them.
    """
    rng = np.random.default_rng(seed)
    names = np.array(slides, dtype=object)
    is_drawn = np.zeros(len(labels), bool) if drawn is None else drawn
    kept: list[NDArray[np.int64]] = []
    for held, limit in ((False, per_class), (True, held_per_class)):
        for label in np.unique(labels):
            of_class = (labels == label) & (held_out == held)
            real = np.flatnonzero(of_class & ~is_drawn)
            painted = np.flatnonzero(of_class & is_drawn)
            share = int(limit * DRAWN_SHARE) if len(real) else limit
            some = _evenly(painted, names, share, rng)
            kept += [_evenly(real, names, limit - len(some), rng), some]
    return np.sort(np.concatenate(kept)) if kept else np.empty(0, np.int64)


def merge_reference_sets(
    old: ReferenceSet,
    new: ReferenceSet,
    *,
    per_class: int = PER_CLASS,
    held_per_class: int = HELD_PER_CLASS,
    seed: int = 0,
) -> ReferenceSet:
    """Put two reference sets of one trunk together, within the bounds of one.

    A tile that stands in both, to the last bit of its features, is taken from `old`.
    """
    both = ReferenceSet(
        np.concatenate([old.features, new.features]),
        np.concatenate([old.labels, new.labels]),
        old.slides + new.slides,
        np.concatenate([old.held_out, new.held_out]),
        _joined(old.middle, new.middle) if len(old) else new.middle,
        _joined(old.drawn, new.drawn) if len(old) else new.drawn,
    )
    rows = np.ascontiguousarray(both.features).view(np.uint16)
    first = np.unique(rows, axis=0, return_index=True)[1] if len(rows) else np.empty(0, int)
    both = both.take(np.sort(first))
    kept = choose_reference(
        both.labels,
        both.slides,
        both.held_out,
        both.drawn,
        per_class=per_class,
        held_per_class=held_per_class,
        seed=seed,
    )
    return both.take(kept)


def _joined(old: NDArray[Any] | None, new: NDArray[Any] | None) -> NDArray[Any] | None:
    """Put both together; None unless both are there."""
    return None if old is None or new is None else np.concatenate([old, new])


def _evenly(
    at: NDArray[np.int64], names: NDArray[np.object_], limit: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Choose up to `limit` of the tiles: the rarer slides whole, the others equally often."""
    by_slide = [rng.permutation(at[names[at] == name]) for name in sorted(set(names[at]))]
    chosen: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
    left = limit
    for rank, of_slide in enumerate(sorted(by_slide, key=len)):
        part = of_slide[: left // (len(by_slide) - rank)]
        chosen.append(part)
        left -= len(part)
    return np.concatenate(chosen)


def as_half(features: NDArray[np.floating]) -> NDArray[np.float16]:
    """Return features as 16-bit floats; what lies beyond their range is cut to it."""
    return np.asarray(np.clip(features, -_FP16_MAX, _FP16_MAX), np.float16)


def save_reference_set(folder: Path, reference: ReferenceSet) -> ModelCard:
    """Write the reference set into a model folder: the file first, then its hash on the card.

    Returns
    -------
    ModelCard
        The card as written, with ``reference_sha256``.
    """
    names = sorted(set(reference.slides))
    position = {name: i for i, name in enumerate(names)}
    tensors = {
        "features": np.ascontiguousarray(reference.features, np.float16),
        "labels": np.ascontiguousarray(reference.labels, np.int16),
        "slide_of": np.array([position[name] for name in reference.slides], np.int32),
        "held_out": np.ascontiguousarray(reference.held_out, bool),
    }
    for name in _OPTIONAL:
        if (array := getattr(reference, name)) is not None:
            tensors[name] = np.ascontiguousarray(array)
    data = sn.save(tensors, {"slides": json.dumps(names)})
    card = load_card(folder)
    write_bytes(folder / REFERENCE_NAME, data)
    written = card.model_copy(update={"reference_sha256": hashlib.sha256(data).hexdigest()})
    save_card(folder, written)
    return written


def load_reference_set(folder: Path, card: ModelCard) -> ReferenceSet | None:
    """Read the reference set of a model folder.

    Returns
    -------
    ReferenceSet or None
        None where the model has none: no file, or one that the card does not speak of.

    Raises
    ------
    DamagedReference
        If the file cannot be read or is not the one that the card describes.
    """
    path = folder / REFERENCE_NAME
    if not card.reference_sha256 or not is_file(path):
        return None
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DamagedReference(
            f"{path} cannot be read ({error.strerror or error}). Copy the model folder again."
        ) from error
    if hashlib.sha256(data).hexdigest() != card.reference_sha256:
        raise DamagedReference(
            f"{path} is not the file that its card describes (the SHA-256 differs): it is damaged "
            "or was exchanged. Copy the model folder again, remove the file to go without, or "
            "make a new one with crlm-spa models reference."
        )
    try:
        reference = _unpack(data)
    except (SafetensorError, KeyError, IndexError, TypeError, ValueError) as error:
        raise DamagedReference(
            f"{path} does not hold what a reference set holds ({error}). Make a new one with "
            "crlm-spa models reference."
        ) from error
    _check(path, reference, card)
    return reference


def read_reference_set(model: str | Path = "default") -> ReferenceSet | None:
    """Read the reference set of a model, by name or path; None where it has none."""
    folder = model_folder(model)
    return load_reference_set(folder, load_card(folder))


def _unpack(data: bytes) -> ReferenceSet:
    tensors = sn.load(data)
    # The header of a safetensors file: its length in 8 bytes, then JSON.
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    names = json.loads(header["__metadata__"]["slides"])
    return ReferenceSet(
        tensors["features"],
        tensors["labels"],
        tuple(str(names[i]) for i in tensors["slide_of"]),
        tensors["held_out"],
        *(tensors.get(name) for name in _OPTIONAL),
    )


def _check(path: Path, reference: ReferenceSet, card: ModelCard) -> None:
    """Refuse arrays of unequal length, labels without a class, features that are no numbers."""
    n, middle = len(reference.labels), reference.middle
    whole = (
        reference.features.ndim == 2
        and len(reference.features) == n == len(reference.slides) == len(reference.held_out)
        and bool(np.isfinite(reference.features).all())
        and (reference.drawn is None or reference.drawn.shape == (n,))
        and (middle is None or (middle.ndim == 2 and len(middle) == n))
        and (middle is None or bool(np.isfinite(middle).all()))
        and bool(((reference.labels >= 0) & (reference.labels < len(card.classes))).all())
    )
    if not whole:
        raise DamagedReference(
            f"{path} does not fit its card: features, labels and slides disagree. Make a new one "
            "with crlm-spa models reference."
        )
