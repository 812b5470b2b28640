"""Loops as machine code: the same answers, wherever their cache may or may not be kept."""

import os
import subprocess
import sys

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
    def njit(loop, cache, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return real(loop, **options)

    real = numba.njit
    monkeypatch.setattr(numba, "njit", njit)
    assert compiled(total)(VALUES) == 45


def test_a_loop_runs_where_the_disk_of_its_cache_is_full(monkeypatch):
    def njit(loop, cache, **options):
        def full(*args):
            raise OSError(28, "No space left on device")

        return full if cache else real(loop, **options)

    real = numba.njit
    monkeypatch.setattr(numba, "njit", njit)
    assert compiled(total)(VALUES) == 45


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("left", [0, 20])
def test_a_loop_runs_where_its_cache_was_cut_off(tmp_path, suffix, left):
    code = (
        "import numpy as np; from napari_crlm_spa.core.stain.macenko import percentile;"
        "print(percentile(np.arange(11, dtype=np.float32), 50))"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", code]
    subprocess.run(command, env=environment, check=True)
    kept = [path for path in tmp_path.rglob("*") if path.suffix == suffix]
    assert kept
    for path in kept:
        path.write_bytes(path.read_bytes()[:left])
    assert subprocess.check_output(command, env=environment, text=True).strip() == "5.0"


def test_parts_of_a_loop_have_no_files_of_their_own(tmp_path):
    """Two processes that begin together could write the index of one and the code of the other."""
    code = (
        "import numpy as np; from napari_crlm_spa._tests.core.test_compiled import sum_of_squares;"
        "print(sum_of_squares(np.arange(10.0)))"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert {path.name.split("-")[0] for path in tmp_path.rglob("*.nb?")} == {
        "test_compiled.sum_of_squares"
    }


def test_nothing_is_compiled_before_the_first_call(monkeypatch):
    monkeypatch.setattr(numba, "njit", lambda *args, **kwargs: pytest.fail("compiled"))
    compiled(total)


@compiled
def squared(value):
    return value * value


@compiled
def sum_of_squares(values):
    found = 0.0
    for value in values:
        found += squared(value)
    return found


def test_loops_of_one_file_call_each_other():
    assert sum_of_squares(VALUES) == 285


stranger = compiled(total)
stranger.__module__ = "elsewhere"


@compiled
def calling_a_stranger(values):
    return stranger(values)


def test_a_loop_of_another_file_is_refused():
    """Its changes would not be seen in what is kept on disk."""
    with pytest.raises(TypeError, match="stranger of another file"):
        calling_a_stranger(VALUES)
