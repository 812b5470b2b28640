"""Loops as machine code: the same answers, wherever their cache may or may not be kept."""

import numba
import numpy as np
import pytest

from napari_crlm_spa.core.compiled import compiled

VALUES = np.arange(10.0)


def total(values):
    found = 0.0
    for value in values:
        found += value
    return found


def test_a_loop_runs_as_machine_code_and_keeps_its_name():
    assert compiled(total)(VALUES) == 45
    assert compiled(total).__name__ == "total"


def test_a_loop_runs_where_no_folder_may_be_written(monkeypatch):
    def njit(loop, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return real(loop, **options)

    real = numba.njit
    monkeypatch.setattr(numba, "njit", njit)
    assert compiled(total)(VALUES) == 45


def test_a_loop_runs_where_the_disk_of_its_cache_is_full(monkeypatch):
    def njit(loop, cache=False, **options):
        def full(*args):
            raise OSError(28, "No space left on device")

        return full if cache else real(loop, **options)

    real = numba.njit
    monkeypatch.setattr(numba, "njit", njit)
    assert compiled(total)(VALUES) == 45


def test_nothing_is_compiled_before_the_first_call(monkeypatch):
    monkeypatch.setattr(numba, "njit", lambda *args, **kwargs: pytest.fail("compiled"))
    compiled(total)
