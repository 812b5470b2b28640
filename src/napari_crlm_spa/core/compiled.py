"""Loops over pixels as machine code: numba, imported and compiled when first called."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


def compiled(loop: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a function of arrays and numbers on its first call, without Python's lock.

    The machine code is kept on disk, beside the package or else in the user's cache folder, so
    that only the first run on a machine compiles; where neither can be written each process does.
    Sums may be reordered (they are exact to rounding only); not-a-number must not occur.
    """
    machine_code: Callable[..., Any] | None = None

    @functools.wraps(loop)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        nonlocal machine_code
        if machine_code is None:
            machine_code = _compile(loop)
        result: _R = machine_code(*args, **kwargs)
        return result

    return call


def _compile(loop: Callable[..., Any]) -> Callable[..., Any]:
    import numba

    njit: Callable[..., Callable[..., Any]] = numba.njit
    kept = {"nogil": True, "fastmath": True, "error_model": "numpy"}
    in_memory = njit(loop, **kept)
    try:
        on_disk = njit(loop, cache=True, **kept)
    # numba says so where it finds no folder that it may write to.
    except RuntimeError:
        return in_memory

    def call(*args: Any) -> Any:
        try:
            return on_disk(*args)
        # The loops themselves touch no file: the cache's disk is full or gone.
        except OSError:
            return in_memory(*args)

    return call
