"""Memory that was freed and that the system has not got back."""

from __future__ import annotations

import ctypes
import sys


def give_back_memory() -> None:
    """Let the C library return freed memory to the system, where it keeps it (glibc).

    Each thread that read tiles has freed its pixels to a store of its own, from which no other
    thread takes: without this the pixels of the report come on top of them.
    """
    if not sys.platform.startswith("linux"):
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
    if trim is not None:
        trim(ctypes.c_size_t(0))
