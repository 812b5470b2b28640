"""A loaded classifier: device, number format, batch size, and what happens out of memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_crlm_spa.core.classifier.batches import Answer, BatchSender, Found, SentBatch
from napari_crlm_spa.core.classifier.card import ModelCard, is_shipped, model_folder
from napari_crlm_spa.core.classifier.devices import choose_device
from napari_crlm_spa.core.classifier.inference import ClassifyOptions
from napari_crlm_spa.core.classifier.network import TileNetwork
from napari_crlm_spa.core.classifier.precision import AS_TRAINED, Precision
from napari_crlm_spa.core.classifier.protocol import TilePredictions
from napari_crlm_spa.core.classifier.reference_set import read_reference_set
from napari_crlm_spa.core.classifier.settle import Sample, Settling, begin
from napari_crlm_spa.core.classifier.stain_on_device import DeviceStain
from napari_crlm_spa.core.classifier.strangeness import KnownTissue
from napari_crlm_spa.core.classifier.weights import load_model
from napari_crlm_spa.core.memory import give_back_memory
from napari_crlm_spa.core.stain import StainNormalizer
from napari_crlm_spa.errors import DeviceError

logger = logging.getLogger(__name__)

#: First guess of the batch size where none is asked for. A CPU gains nothing from more, and a
#: small batch answers Cancel sooner.
CPU_BATCH = 16
GPU_BATCH = 256


@dataclass(slots=True)
class Classifier:
    """A network on a device.

    Parameters
    ----------
    card
        What the model is.
    network
        Takes uint8 tiles (n, px, px, 3), returns logits and the averaged middle of the trunk.
    device
        Where it runs.
    batch_size
        Tiles per batch; halved whenever the device runs out of memory.
    known
        Tells how unlike the training tiles a tile looks; None where the model cannot.
    precision
        Number format of the arithmetic and what computes in it, and why it is that.
    plain
        The network as it was trained, which `settle` needs.
    trusted
        Whether the model is known to keep its classes in 16 bits.
    """

    card: ModelCard
    network: nn.Module
    device: torch.device
    batch_size: int
    known: KnownTissue | None = None
    precision: Precision = AS_TRAINED
    plain: TileNetwork | None = None
    trusted: bool = False
    halvings: int = field(default=0, init=False)
    sender: BatchSender | None = field(default=None, init=False)
    stain: DeviceStain | None = field(default=None, init=False)

    def predict(self, tiles: NDArray[np.uint8]) -> TilePredictions:
        """Return class probabilities and strangeness, from one pass through the network.

        Parameters
        ----------
        tiles
            Stain-normalized RGB tiles, shape (n, tile_px, tile_px, 3), uint8.

        Returns
        -------
        TilePredictions
            Of each tile, in order.

        Raises
        ------
        DeviceError
            If not even a single tile fits into the device's memory.
        """
        return self.start(tiles)()

    @property
    def in_flight(self) -> int:
        """Batches that are worth having begun at a time: on a GPU the next waits for none."""
        return 2 if self.device.type == "cuda" else 1

    def start(self, tiles: NDArray[np.uint8]) -> Callable[[], TilePredictions]:
        """Begin to do what `predict` does; call what is returned for the predictions.

        A GPU works meanwhile. The memory of `tiles` may be used again at once.
        """
        return self._start(tiles, None)

    def stains_with(self, normalizer: StainNormalizer) -> bool:
        """Tell whether `start_raw` is quicker than staining in the threads that read tiles."""
        return self.in_flight > 1 and normalizer.options.method != "none"

    def start_raw(
        self, tiles: NDArray[np.uint8], normalizer: StainNormalizer
    ) -> Callable[[], TilePredictions]:
        """Begin as `start` does with tiles whose stain the device shall normalize first.

        Parameters
        ----------
        tiles
            As in `predict`, but as they were read.
        normalizer
            One for which `stains_with` is true.
        """
        return self._start(tiles, normalizer)

    def _start(
        self, tiles: NDArray[np.uint8], normalizer: StainNormalizer | None
    ) -> Callable[[], TilePredictions]:
        sent: list[SentBatch] = []
        start = 0
        while start < len(tiles):
            part = tiles[start : start + self.batch_size]
            try:
                sent.append(self._begin(part, normalizer))
            except torch.OutOfMemoryError as error:
                self._halve(error)
                continue
            start += len(part)
        return lambda: _joined([self._end(batch, normalizer) for batch in sent])

    def _begin(self, tiles: NDArray[np.uint8], normalizer: StainNormalizer | None) -> SentBatch:
        if self.in_flight == 1:
            answer = self._run(self.network, tiles)
            return SentBatch(tiles, lambda: (*answer, None))
        self._stain_with(normalizer)
        if self.sender is None or self.sender.size != self.batch_size:
            self.sender = BatchSender(self._stained_answer, self.batch_size, self.device)
        return self.sender.send(tiles)

    def _stain_with(self, normalizer: StainNormalizer | None) -> None:
        """Take over the stain; a recorded batch holds the one it was recorded with."""
        if normalizer is not (self.stain and self.stain.normalizer):
            self.stain = DeviceStain(normalizer, self.device) if normalizer else None
            self.sender = None

    def _end(self, batch: SentBatch, normalizer: StainNormalizer | None) -> TilePredictions:
        try:
            probabilities, strangeness, fallback = batch.answer()
        except torch.OutOfMemoryError as error:
            self._halve(error)
            return self._start(batch.tiles, normalizer)()
        assert probabilities is not None
        return TilePredictions.of(probabilities, strangeness, fallback)

    @property
    def unsettled(self) -> bool:
        """Whether `settle` would look at tiles."""
        return (settling := self._settling()) is not None and settling.needed

    def settle(self, sample: Sample) -> None:
        """Settle the number format on tiles of the slide that will be classified.

        An 8-bit network is calibrated on some and checked on others, 16 bits are checked; what
        does not give the classes of 32 bits is given up for the next better format. Models that
        come with the package are not asked about 16 bits: our tests have.

        Parameters
        ----------
        sample
            Returns at most so many stain-normalized tissue tiles, as in `predict`.
        """
        settling, self.plain = self._settling(), None
        if settling is None:
            return
        self.network, self.precision = settling.on(sample)
        self.sender = None
        give_back_memory()
        if self.precision.fell_back:
            logger.warning("%s", self.precision.why)

    def _settling(self) -> Settling | None:
        if self.plain is None:
            return None
        begun = (self.network, self.precision)
        return Settling(self.plain, self.device, begun, self.trusted, self._scores)

    def _scores(
        self, network: nn.Module, tiles: NDArray[np.uint8], at_once: int
    ) -> NDArray[np.float32]:
        at_once = min(self.batch_size, at_once)
        parts = [self._run(network, part)[0] for part in _parts(tiles, at_once)]
        return np.concatenate([part for part in parts if part is not None])

    @torch.inference_mode()
    def _run(self, network: nn.Module, tiles: NDArray[np.uint8]) -> Answer:
        batch = torch.from_numpy(np.ascontiguousarray(tiles)).to(self.device)
        found = self._answer(network, batch)
        return tuple(None if part is None else part.cpu().numpy() for part in found)

    def _stained_answer(self, batch: Tensor) -> Found:
        tiles, fallback = self.stain(batch) if self.stain else (batch, None)
        return *self._answer(self.network, tiles), fallback

    def _answer(self, network: nn.Module, batch: Tensor) -> tuple[Tensor, Tensor | None]:
        # By default cuDNN takes the first algorithm that fits, and rounds 32 bits to 19. A GPU's
        # batches are of one size, so that a trial of its algorithms pays.
        cudnn = torch.backends.cudnn
        with cudnn.flags(enabled=cudnn.enabled, benchmark=self.in_flight > 1, allow_tf32=False):
            logits, middle = network(batch)
        probabilities = torch.softmax(logits.float() / self.card.temperature, dim=1)
        return probabilities, None if self.known is None else self.known.strangeness(middle)

    def _halve(self, error: Exception) -> None:
        if self.batch_size == 1:
            raise DeviceError(
                f"{self.device} has too little free memory for a single tile of the model "
                f"{self.card.name}. Close other programs that use it, or choose --device cpu."
            ) from error
        self.batch_size = max(1, self.batch_size // 2)
        self.halvings += 1
        # Its memory is needed for the smaller batch.
        self.sender = None
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        logger.warning(
            "%s ran out of memory; going on with batches of %d tiles.", self.device, self.batch_size
        )


def load_classifier(
    model: str | Path = "default", options: ClassifyOptions | None = None
) -> Classifier:
    """Load a model and put it on a device.

    Parameters
    ----------
    model
        ``"default"``, or the folder of a model (card.json and weights.safetensors).
    options
        Device, precision, engine and batch size. 8 bits begin with `Classifier.settle`.

    Raises
    ------
    ModelError
        If the model or the device cannot be used.
    """
    options = options or ClassifyOptions()
    device = choose_device(options.device)
    card, plain = load_model(model)
    known = _known_tissue(model, device)
    batch = options.batch_size or (GPU_BATCH if device.type != "cpu" else CPU_BATCH)
    network, precision = begin(plain, device, options.precision, options.engine)
    trusted = is_shipped(model_folder(model))
    loaded = Classifier(card, network, device, batch, known, precision, plain, trusted)
    if not loaded.unsettled:
        loaded.plain = None
        del plain
    # Of the forms that the network went through.
    give_back_memory()
    return loaded


def _joined(parts: list[TilePredictions]) -> TilePredictions:
    fallback = [part.stain_fallback for part in parts if part.stain_fallback is not None]
    return TilePredictions(
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.strangeness for part in parts]),
        np.concatenate(fallback) if fallback else None,
    )


def _parts(tiles: NDArray[np.uint8], size: int) -> Iterator[NDArray[np.uint8]]:
    return (tiles[start : start + size] for start in range(0, len(tiles), size))


def _known_tissue(model: str | Path, device: torch.device) -> KnownTissue | None:
    reference = read_reference_set(model)
    known = None if reference is None else KnownTissue.of(reference)
    return None if known is None else known.to(device)
