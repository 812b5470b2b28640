"""Settling the number format of a network on tiles of the slide that it will classify."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from napari_crlm_spa.core.classifier.engine import Engine, choose_engine
from napari_crlm_spa.core.classifier.fused import FusedNetwork, answers_alike, fuse
from napari_crlm_spa.core.classifier.int8 import Calibration, QuantizedNetwork, why_no_int8
from napari_crlm_spa.core.classifier.network import TileNetwork
from napari_crlm_spa.core.classifier.openvino_network import OpenVinoNetwork
from napari_crlm_spa.core.classifier.precision import (
    CALIBRATION_TILES,
    CHECK_TILES,
    HALF,
    Agreement,
    Precision,
    choose_precision,
    fall_back,
)

logger = logging.getLogger(__name__)

#: Operators and libraries without a promise of stability: whatever goes wrong, there is the other
#: way.
_FAILURES = (
    RuntimeError,
    AttributeError,
    TypeError,
    NotImplementedError,
    ImportError,
    OSError,
    ValueError,
    LookupError,
)

#: Tiles that are computed at once where formats are compared; few in 32 bits, while both networks
#: are in memory.
_AT_ONCE, _EXACT_AT_ONCE = 16, 4

_Tiles = NDArray[np.uint8]
#: A network in its form for inference, and its number format.
Settled = tuple[nn.Module, Precision]
#: Returns at most so many stain-normalized tissue tiles, shape (n, tile_px, tile_px, 3).
Sample = Callable[[int], _Tiles]


@dataclass(frozen=True, slots=True)
class Settling:
    """What is known before any tile was seen.

    Parameters
    ----------
    plain
        The network as it was trained.
    device
        Where it runs.
    begun
        Its form for inference and number format so far.
    trusted
        Whether the model is known to keep its classes in 16 bits.
    score
        Returns the probabilities that a network gives tiles, so many of which are computed at once.
    """

    plain: TileNetwork
    device: torch.device
    begun: Settled
    trusted: bool
    score: Callable[[nn.Module, _Tiles, int], NDArray[np.float32]]

    @property
    def needed(self) -> bool:
        """Whether tiles can change anything."""
        return self._may_be_int8 or (self.begun[1].used in HALF and not self.trusted)

    @property
    def _may_be_int8(self) -> bool:
        return _may_be_int8(self.device, self.begun[1].asked)

    def on(self, sample: Sample) -> Settled:
        """Return the quickest network that gives the classes of 32 bits on tiles of the slide."""
        if not self.needed:
            return self.begun
        tiles = sample(CALIBRATION_TILES + CHECK_TILES)
        settled = self.begun
        if self._may_be_int8 or self.device.type != "cpu":
            exact = fuse(self.plain, torch.float32, self.device)
        else:
            # Operators of its own would not pay for so few tiles, and they cost memory.
            exact = FusedNetwork(self.plain)
        if self._may_be_int8:
            settled = self._int8(exact, tiles)
        if settled[1].used in HALF and not self.trusted and len(tiles):
            settled = self._half(settled, exact, tiles[-CHECK_TILES:])
        return settled

    def _int8(self, exact: FusedNetwork, tiles: _Tiles) -> Settled:
        if len(tiles) < CALIBRATION_TILES + CHECK_TILES:
            why = (
                f"the slide has {len(tiles)} tissue tiles to look at, and 8 bits need "
                f"{CALIBRATION_TILES + CHECK_TILES} to be calibrated and checked"
            )
            return self._without_int8(why)
        seen, unseen = tiles[:CALIBRATION_TILES], tiles[CALIBRATION_TILES:]
        calibration = Calibration.of(exact, torch.from_numpy(seen))
        engine, agreement, reasons = self._engine_for("int8"), None, []
        while True:
            try:
                quick = self._quantized(exact, engine, calibration)
                agreement = self._agreement(quick, exact, unseen)
            except _FAILURES as error:
                why = f"{engine.name} cannot do 8 bits here ({_brief(error)})"
            else:
                why = f"8 bits{_in(engine)} give {agreement.in_words()} of this slide"
                if agreement.suffices:
                    return quick, Precision("int8", "int8", f"{why}.", agreement, engine=engine)
            reasons.append(why)
            if not engine.is_openvino:
                return self._without_int8(", and ".join(reasons), agreement)
            engine = engine.torch_instead(why)
            logger.warning("%s", engine.why)

    def _without_int8(self, why: str, agreement: Agreement | None = None) -> Settled:
        precision = self.begun[1]
        instead = fall_back(precision, precision.used, why, agreement)
        engine = self._engine_for(precision.used)
        return _formed(self.plain, self.device, dataclasses.replace(instead, engine=engine))

    def _engine_for(self, number_format: str) -> Engine:
        engine = self.begun[1].engine
        if engine.fell_back:  # What has failed once is not tried again.
            return engine
        return choose_engine(engine.asked, self.device, number_format)

    def _quantized(
        self, exact: FusedNetwork, engine: Engine, calibration: Calibration
    ) -> nn.Module:
        dtype = self.begun[1].dtype
        if engine.is_openvino:
            return OpenVinoNetwork(exact, dtype, calibration)
        return QuantizedNetwork(exact, fuse(self.plain, dtype, self.device), calibration)

    def _half(self, settled: Settled, exact: FusedNetwork, tiles: _Tiles) -> Settled:
        network, precision = settled
        agreement = self._agreement(network, exact, tiles)
        if agreement.suffices:
            checked = precision.checked or agreement
            return network, dataclasses.replace(precision, checked=checked)
        why = f"{precision.used}{_in(precision.engine)} gives {agreement.in_words()} of this slide"
        if precision.fell_back:
            why = f"{precision.why.partition(': ')[2].removesuffix('.')}, and {why}"
        in_full = fall_back(precision, "fp32", why, agreement)
        engine = self._engine_for("fp32")
        return _formed(self.plain, self.device, dataclasses.replace(in_full, engine=engine))

    def _agreement(self, quick: nn.Module, exact: nn.Module, tiles: _Tiles) -> Agreement:
        return Agreement.between(
            self.score(quick, tiles, _AT_ONCE), self.score(exact, tiles, _EXACT_AT_ONCE)
        )


def begin(plain: TileNetwork, device: torch.device, asked: str, engine: str = "torch") -> Settled:
    """Return a network's form for inference before any tile was seen.

    Parameters
    ----------
    plain
        The network as it was trained, on the CPU.
    device
        Where it shall run.
    asked
        As in `choose_precision`.
    engine
        As in `choose_engine`.
    """
    precision = choose_precision(device, asked)
    if _may_be_int8(device, asked):
        # Compiling what will hardly be used takes time and memory.
        chosen = Engine(engine, why="8 bits are not calibrated yet.")
    else:
        chosen = choose_engine(engine, device, precision.used)
    return _formed(plain, device, dataclasses.replace(precision, engine=chosen))


def _may_be_int8(device: torch.device, asked: str) -> bool:
    return asked == "int8" and device.type == "cpu" and not why_no_int8()


def _formed(plain: TileNetwork, device: torch.device, precision: Precision) -> Settled:
    """Return a network in a number format; in PyTorch if its engine fails."""
    engine = precision.engine
    if engine.is_openvino:
        try:
            # Only drawn from, so that it needs no operators of its own: they cost memory.
            network = OpenVinoNetwork(FusedNetwork(plain), precision.dtype)
            if answers_alike(network, plain, precision.dtype, plain.tile_px):
                return network, precision
            why = f"{engine.name} answers otherwise"
        except _FAILURES as error:
            why = f"{engine.name} cannot run it here ({_brief(error)})"
        engine = engine.torch_instead(why)
        logger.warning("%s", engine.why)
    return fuse(plain, precision.dtype, device), dataclasses.replace(precision, engine=engine)


def _in(engine: Engine) -> str:
    return f" in {engine.name}" if engine.is_openvino else ""


def _brief(error: Exception) -> str:
    """Return the last line, which says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else type(error).__name__
