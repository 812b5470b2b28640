"""Recently used pixels, kept within a memory budget."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

import numpy as np
from numpy.typing import NDArray


class PixelCache:
    """Keeps arrays until their bytes exceed a budget; the least recently used goes first.

    Safe to use from several threads. Arrays are handed out as they are: don't write to them.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._arrays: OrderedDict[Hashable, NDArray[np.uint8]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        self._making: dict[Hashable, Lock] = {}

    def get(self, key: Hashable) -> NDArray[np.uint8] | None:
        """Return the array kept under `key`, or None."""
        with self._lock:
            array = self._arrays.get(key)
            if array is not None:
                self._arrays.move_to_end(key)
            return array

    def put(self, key: Hashable, array: NDArray[np.uint8]) -> None:
        """Keep an array; one larger than the whole budget is not kept."""
        if array.nbytes > self.max_bytes:
            return
        with self._lock:
            old = self._arrays.pop(key, None)
            self._bytes += array.nbytes - (0 if old is None else old.nbytes)
            self._arrays[key] = array
            while self._bytes > self.max_bytes:
                _, oldest = self._arrays.popitem(last=False)
                self._bytes -= oldest.nbytes

    def get_or_make(
        self, key: Hashable, make: Callable[[], NDArray[np.uint8] | None]
    ) -> NDArray[np.uint8] | None:
        """Return the array kept under `key`, or make and keep it; None is returned, not kept.

        Threads that want the same array at once wait for the one that makes it.
        """
        array = self.get(key)
        if array is not None:
            return array
        with self._lock:
            turn = self._making.setdefault(key, Lock())
        try:
            with turn:
                array = self.get(key)
                if array is None and (array := make()) is not None:
                    self.put(key, array)
        finally:
            with self._lock:
                self._making.pop(key, None)
        return array

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._arrays.clear()
            self._bytes = 0

    @property
    def nbytes(self) -> int:
        """Bytes kept now."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._arrays)
