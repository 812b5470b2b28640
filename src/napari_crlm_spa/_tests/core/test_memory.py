"""Where the C library keeps freed memory, and how the system gets it back."""

import ctypes
import subprocess
import sys

import pytest

from napari_crlm_spa.core import memory

READ_AND_FREE = """
import threading
import numpy as np
from napari_crlm_spa.core.memory import give_back_memory

def resident_mb():
    words = open("/proc/self/status").read().split()
    return int(words[words.index("VmRSS:") + 1]) / 1024

def read():
    pixels = [np.ones(64 * 1024, np.uint8) for _ in range(2000)]
    # What is freed below something that lives on is kept by the C library.
    last.append(pixels[-1])

last = []
thread = threading.Thread(target=read)
thread.start()
thread.join()
before = resident_mb()
give_back_memory()
print(before - resident_mb())
"""


IN_STORES = """
import os, sys, threading
from pathlib import Path
from napari_crlm_spa.core.memory import share_stores

def take(barrier):
    kept.append([bytearray(1000) for _ in range(100)])
    barrier.wait()

os.cpu_count = lambda: 2
if sys.argv[1] == "shared":
    share_stores()
kept = []
barrier = threading.Barrier(6)
threads = [threading.Thread(target=take, args=(barrier,)) for _ in range(6)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
# A store of a thread begins at a multiple of 64 MiB.
stores = {line.split("-")[0] for line in Path("/proc/self/maps").read_text().splitlines()}
print(sum(int(start, 16) % (64 << 20) == 0 for start in stores))
"""


def is_glibc():
    return sys.platform.startswith("linux") and hasattr(ctypes.CDLL(None), "malloc_trim")


@pytest.mark.skipif(not is_glibc(), reason="another C library")
def test_threads_share_two_stores_on_two_processors():
    shared, own = (
        int(subprocess.check_output([sys.executable, "-c", IN_STORES, how], text=True))
        for how in ("shared", "own")
    )
    assert shared <= 2 < own


@pytest.mark.skipif(not is_glibc(), reason="this C library gives memory back by itself")
def test_what_a_thread_has_freed_goes_back_to_the_system():
    told = subprocess.run(
        [sys.executable, "-c", READ_AND_FREE], capture_output=True, text=True, check=True
    )
    assert float(told.stdout) > 60


def test_elsewhere_nothing_is_asked_of_the_c_library(monkeypatch):
    monkeypatch.setattr(memory.sys, "platform", "win32")
    monkeypatch.setattr(memory.ctypes, "CDLL", None)
    memory.give_back_memory()
    memory.share_stores()
