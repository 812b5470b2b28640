"""Freed memory goes back to the system before the report needs some."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from napari_crlm_spa.core.pipeline import analyze_to_end, memory, run

READ_AND_FREE = """
import threading
import numpy as np
from napari_crlm_spa.core.pipeline.memory import give_back_memory

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


def has_trim():
    return sys.platform.startswith("linux") and hasattr(ctypes.CDLL(None), "malloc_trim")


@pytest.mark.skipif(not has_trim(), reason="this C library gives memory back by itself")
def test_what_a_thread_has_freed_goes_back_to_the_system():
    told = subprocess.run(
        [sys.executable, "-c", READ_AND_FREE], capture_output=True, text=True, check=True
    )
    assert float(told.stdout) > 60


def test_a_run_gives_it_back_once_the_tiles_are_classified(slide, options, monkeypatch, tmp_path):
    seen = []

    def record():
        (folder,) = Path(tmp_path / "out").iterdir()
        seen.append({path.name for path in folder.iterdir()})

    monkeypatch.setattr(run, "give_back_memory", record)
    analyze_to_end(slide, tmp_path / "out", options)
    (there,) = seen
    assert "report.html" not in there
    assert any("journal" in name for name in there)


def test_elsewhere_nothing_is_asked_of_the_c_library(monkeypatch):
    monkeypatch.setattr(memory.sys, "platform", "win32")
    monkeypatch.setattr(memory.ctypes, "CDLL", None)
    memory.give_back_memory()
