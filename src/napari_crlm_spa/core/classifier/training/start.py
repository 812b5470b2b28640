"""The model that a retraining starts from, and which of its reference tiles judge."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classifier.card import ModelCard, model_folder
from napari_crlm_spa.core.classifier.network import TileNetwork
from napari_crlm_spa.core.classifier.reference_set import ReferenceSet, load_reference_set
from napari_crlm_spa.core.classifier.training.compare import FEW_TILES
from napari_crlm_spa.core.classifier.training.recipe import TrainingOptions, fixed_by
from napari_crlm_spa.core.classifier.weights import load_model
from napari_crlm_spa.errors import TrainingError

#: Share of a class's reference tiles that is judged by, not rehearsed, where too few were held
#: back from the old model's training (our assumption).
JUDGED_SHARE = 1 / 3


_NO_REFERENCE = (
    "{name} has no reference set: its old classes cannot be rehearsed, and whether they suffer "
    "cannot be seen. Make one with crlm-spa models reference."
)
_SEEN = (
    "{classes}: too few tiles were held back from the training of {name}, so these old classes "
    "are judged by tiles that it was trained on. Both recalls flatter; a loss shows all the same."
)


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """A model to start from.

    Parameters
    ----------
    card, network
        The model.
    reference
        Its reference set; empty where it has none.
    judged
        Shape (n,), bool: reference tiles that judge; of the others those that were trained on
        are rehearsed.
    seen
        Names of classes that are judged by tiles which the model was trained on.
    """

    card: ModelCard
    network: TileNetwork
    reference: ReferenceSet
    judged: NDArray[np.bool_]
    seen: tuple[str, ...]

    @property
    def rehearsed(self) -> ReferenceSet:
        """Reference tiles to be learned again: trained on before, and not judging."""
        return self.reference.take(~self.judged & ~self.reference.held_out)

    @property
    def honest(self) -> NDArray[np.bool_]:
        """Among the judging tiles, those that the model was not trained on."""
        return self.reference.held_out[self.judged]

    def notes(self) -> list[str]:
        """Return what the reference set cannot do."""
        name = self.card.name
        if not len(self.reference):
            return [_NO_REFERENCE.format(name=name)]
        if not self.seen:
            return []
        return [_SEEN.format(classes=", ".join(self.seen), name=name)]


def load_start(out_dir: Path, options: TrainingOptions, slides: Collection[str]) -> Start:
    """Load the model of ``options.init``, without held-back reference tiles of `slides`.

    `slides` are those of the new training tiles: reference tiles of them are unseen no longer.

    Raises
    ------
    TrainingError
        If none is named, it does not fit the options, or it would be overwritten.
    """
    if not options.init:
        raise TrainingError(
            "To train the head alone, say with --init which model's trunk it stands on."
        )
    refuse_replacing_start(out_dir, options)
    folder = model_folder(options.init)
    card, network = load_model(options.init)
    for name, value in fixed_by(card).items():
        if getattr(options, name) != value:
            raise TrainingError(
                f"{options.init} has {name} {value}, not {getattr(options, name)}: with its trunk "
                f"as it is that cannot change. Leave --{name.replace('_', '-')} away, or train "
                "more than the head (--train-part all)."
            )
    reference = load_reference_set(folder, card)
    if reference is None:
        reference = _empty(network.n_features)
    known = np.isin(np.array(reference.slides, dtype=object), list(slides))
    reference = reference.take(~(known & reference.held_out))
    judged, seen = split_reference(reference, card.classes, options.seed)
    return Start(card, network, reference, judged, seen)


def refuse_replacing_start(out_dir: Path, options: TrainingOptions) -> None:
    """Refuse to write over the model that the training starts from: it could not be resumed.

    Raises
    ------
    TrainingError
        If `out_dir` is the folder of ``options.init``.
    """
    if options.init and model_folder(options.init).resolve() == out_dir.resolve():
        raise TrainingError(
            f"{out_dir} is the model to start from; a retrained one must not replace it. Choose "
            "another folder with -o."
        )


def split_reference(
    reference: ReferenceSet, classes: tuple[str, ...], seed: int
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Choose the tiles that judge: those held back, and where these are few others beside them.

    Returns
    -------
    ndarray of bool, shape (n,)
        Which tiles judge.
    tuple of str
        Classes that are also judged by tiles which the model was trained on.
    """
    judged = reference.held_out.copy()
    seen = []
    rng = np.random.default_rng(seed)
    for label in np.unique(reference.labels):
        of_class = reference.labels == label
        if np.count_nonzero(of_class & judged) >= FEW_TILES:
            continue
        trained = np.flatnonzero(of_class & ~judged)
        count = round(len(trained) * JUDGED_SHARE)
        if count:
            judged[rng.permutation(trained)[:count]] = True
            seen.append(classes[label])
    return judged, tuple(seen)


def _empty(n_features: int) -> ReferenceSet:
    features = np.empty((0, n_features), np.float16)
    return ReferenceSet(features, np.empty(0, np.int16), (), np.empty(0, bool))
