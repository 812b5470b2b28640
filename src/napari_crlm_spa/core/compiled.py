"""Loops over pixels as machine code: numba, imported and compiled when first called."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any, Generic, ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


#: No folder that may be written to; a disk that is full or gone; a file that was cut off.
_CACHE_FAILURES = (RuntimeError, OSError, EOFError, UnpicklingError, ValueError, LookupError)


class compiled(Generic[_P, _R]):  # noqa: N801 - a decorator
    """Compile a function of arrays and numbers on its first call, without Python's lock.

    The machine code is kept on disk, beside the package or else in the user's cache folder, so
    that only the first run on a machine compiles; where it cannot be kept or read each process
    does. What a loop calls is kept within it alone, so that processes that begin together cannot
    mix up parts.
    (numba pickles it, as Python does with its .pyc files: both are trusted as the source is.)
    Sums may be reordered (they are exact to rounding only); not-a-number must not occur.

    Parameters
    ----------
    loop
        May call other compiled functions of its own file. Not of others: what is kept on disk is
        compiled anew when this file has changed.
    """

    def __init__(self, loop: Callable[_P, _R]) -> None:
        functools.update_wrapper(self, loop)
        self._loop = loop
        self._forms: dict[bool, Callable[..., Any]] = {}
        self._kept = True

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Run the machine code."""
        result: _R
        if self._kept:
            try:
                result = self._form(kept=True)(*args, **kwargs)
                return result
            # The loops themselves raise none of it and touch no file.
            except _CACHE_FAILURES:
                self._kept = False
        result = self._form(kept=False)(*args, **kwargs)
        return result

    def _form(self, *, kept: bool) -> Callable[..., Any]:
        """Return numba's form of the loop, kept on disk or not."""
        if kept not in self._forms:
            import numba

            self._forms[kept] = numba.njit(
                self._with_inner(),
                cache=kept,
                nogil=True,
                fastmath=True,
                error_model="numpy",
            )
        return self._forms[kept]

    def _with_inner(self) -> Callable[..., Any]:
        """Return the loop, with the compiled functions that it names in numba's form."""
        loop = self._loop
        assert isinstance(loop, types.FunctionType)
        names = {name: loop.__globals__.get(name) for name in loop.__code__.co_names}
        inner = {name: each for name, each in names.items() if isinstance(each, compiled)}
        if strange := [name for name, each in inner.items() if each.__module__ != loop.__module__]:
            raise TypeError(f"{loop.__name__} calls {', '.join(strange)} of another file.")
        forms = {name: each._form(kept=False) for name, each in inner.items()}
        return types.FunctionType(loop.__code__, loop.__globals__ | forms, loop.__name__)
