"""``jit`` and ``inlined`` for what kernels are made of, ``entry`` for what Python calls."""

import hashlib
from collections.abc import Callable
from typing import Any, NoReturn

import numba
from numba.core import config

from npmobilenet.errors import KernelsDisabledError
from npmobilenet.kernels.cache import KernelCache, cache_folder
from npmobilenet.kernels.parts import PartCompiler

COMPILED = not config.DISABLE_JIT
"""Whether kernels can run at all: Numba compiles nothing under ``NUMBA_DISABLE_JIT=1``."""

_Function = Callable[..., Any]
_OPTIONS = {"error_model": "numpy", "boundscheck": False, "nogil": True}


def jit(function: _Function) -> Any:
    """For functions that only compiled functions call; Python cannot."""
    options = _OPTIONS | {"pipeline_class": PartCompiler, "no_cpython_wrapper": True}
    return numba.njit(**options)(_named(function))


def inlined(function: _Function) -> Any:
    """For functions with one or two callers: Numba copies them into those."""
    return numba.njit(**_OPTIONS, inline="always")(_named(function))


def _named(function: _Function) -> _Function:
    """The function under a name that tells what it closes over.

    Numba tells functions of one name apart by numbers, and each process counts for itself. Two
    entries from the cache, compiled in different processes, may hold different functions of one
    name and number, and LLVM takes those for the same.
    """
    held = [cell.cell_contents for cell in function.__closure__ or ()]
    if held:
        facts = repr([getattr(value, "__qualname__", value) for value in held])
        function.__qualname__ += "_" + hashlib.sha256(facts.encode()).hexdigest()[:12]
    return function


def entry(function: _Function) -> Any:
    """Compile ``function`` at its first call, or load it from the cache on disk.

    Where nothing is compiled, calling it raises KernelsDisabledError.
    """
    if not COMPILED:
        return _Disabled()
    dispatcher = numba.njit(**_OPTIONS)(_named(function))
    if cache_folder() is not None:
        dispatcher._cache = KernelCache(function)
    return dispatcher


class _Disabled:
    """In place of an entry where Numba compiles nothing.

    As Python, kernels would take hours, and what they tell LLVM directly does not run at all.
    """

    def __call__(self, *_arguments: object) -> NoReturn:
        raise KernelsDisabledError(
            "NUMBA_DISABLE_JIT is set, so that no kernels are compiled, which this needs: unset it"
        )

    compile = __call__
