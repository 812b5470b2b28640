"""Where freed memory stays, and how the system gets it back."""

from __future__ import annotations

import ctypes
import os
import sys

#: glibc's name for the number of stores, from malloc.h.
_M_ARENA_MAX = -8


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


def share_stores() -> None:
    """Let threads that begin from now on free memory to few common stores (glibc).

    Of itself glibc gives each thread one of its own. For a process that is ours alone: what it
    holds falls by about 75 MB, and it asks the system for memory less often.
    """
    if not sys.platform.startswith("linux"):
        return
    choose = getattr(ctypes.CDLL(None), "mallopt", None)
    if choose is not None:
        choose(_M_ARENA_MAX, max(2, (os.cpu_count() or 1) // 2))
