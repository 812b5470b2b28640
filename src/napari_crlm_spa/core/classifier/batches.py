"""Batches on a GPU: bytes go there from pinned memory, and the next is prepared meanwhile.

Every batch has the same size, so that its kernels can be recorded once (a CUDA graph) and played
again without Python; the last one is filled up, and the filling cut from the answers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

logger = logging.getLogger(__name__)

#: Runs before recording, in which libraries choose their algorithms.
_WARM_UP = 3

#: What is found of n tiles, each (n, ...): probabilities first; None is what cannot be told.
Answer = tuple[NDArray[Any] | None, ...]
#: The same on the device.
Found = tuple[Tensor | None, ...]
#: Takes tiles (n, px, px, 3) on the device.
Network = Callable[[Tensor], Found]


@dataclass(frozen=True, slots=True)
class SentBatch:
    """A batch that is on its way.

    Parameters
    ----------
    tiles
        What was sent, as it was: it can be sent again.
    answer
        Waits for the device and returns the answer.
    """

    tiles: NDArray[np.uint8]
    answer: Callable[[], Answer]


class BatchSender:
    """Sends batches of one size to a device.

    Parameters
    ----------
    network
        What the device shall do.
    size
        Tiles in a batch.
    device
        Where; on another than CUDA `send` does the work before it returns.
    """

    def __init__(self, network: Network, size: int, device: torch.device) -> None:
        self.size = size
        self._network = network
        self._device = device
        self._cuda = device.type == "cuda"
        self._input: Tensor | None = None
        self._play: Callable[[], Found] | None = None

    @torch.inference_mode()
    def send(self, tiles: NDArray[np.uint8]) -> SentBatch:
        """Begin with at most `size` tiles and return without waiting for a GPU.

        Parameters
        ----------
        tiles
            Shape (n, px, px, 3); copied, so that their memory may be used again.

        Raises
        ------
        torch.OutOfMemoryError
            If the device has too little memory for a batch.
        """
        n = len(tiles)
        # Pinned memory is kept by PyTorch and given out again only after the copy from it.
        packed = torch.empty(
            (self.size, *tiles.shape[1:]), dtype=torch.uint8, pin_memory=self._cuda
        )
        own = packed.numpy()
        own[:n] = tiles
        own[n:] = 0
        found = self._answer(packed)
        back = [None if part is None else self._home(part[:n]) for part in found]
        # Waiting for it shall not keep a processor busy that could decode.
        arrived = torch.cuda.Event(blocking=True) if self._cuda else None  # type: ignore[no-untyped-call]
        if arrived is not None:
            arrived.record()

        def wait() -> Answer:
            if arrived is not None:
                arrived.synchronize()
            return tuple(None if part is None else part.numpy() for part in back)

        return SentBatch(own[:n], wait)

    def _answer(self, packed: Tensor) -> Found:
        if self._input is None:
            self._input = packed.to(self._device, copy=True)
            self._play = self._recorded() if self._cuda else None
        self._input.copy_(packed, non_blocking=True)
        return self._play() if self._play else self._network(self._input)

    def _home(self, result: Tensor) -> Tensor:
        home = torch.empty(result.shape, dtype=result.dtype, pin_memory=self._cuda)
        return home.copy_(result, non_blocking=True)

    def _recorded(self) -> Callable[[], Found] | None:
        """Record the kernels of a batch; None where that fails, and they are started one by one."""
        assert self._input is not None
        graph = torch.cuda.CUDAGraph()
        try:
            aside = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
            aside.wait_stream(torch.cuda.current_stream(self._device))
            with torch.cuda.stream(aside):
                for _ in range(_WARM_UP):
                    self._network(self._input)
            torch.cuda.current_stream(self._device).wait_stream(aside)
            # What other threads of this process do on the GPU is no part of the batch.
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                answer = self._network(self._input)
        except torch.OutOfMemoryError:
            self._input = None
            raise
        except RuntimeError as error:
            logger.info("The network's kernels are not recorded (%s).", error)
            return None

        def play() -> Found:
            graph.replay()
            return answer

        return play
