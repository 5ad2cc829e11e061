"""``jit`` and ``inlined`` for what kernels are made of, ``entry`` for what Python calls.

Only entries are cached on disk: each holds all that it calls. Numba's own cache looks at the one
source file of the entry and mixes CPUs in one index; here the folder is named after everything
that the machine code depends on, so that a cache entry is either right or not there.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numba
import platformdirs
from numba.core import caching, config
from numba.core.registry import cpu_target

jit = numba.njit(error_model="numpy", boundscheck=False, nogil=True)

inlined = numba.njit(error_model="numpy", boundscheck=False, nogil=True, inline="always")
"""For functions with one or two callers: LLVM works on each level of calls anew."""


def entry(function: Callable[..., Any]) -> Any:
    """Compile ``function`` at its first call, or load it from the cache on disk."""
    dispatcher = jit(function)
    if cache_folder() is not None:
        dispatcher._cache = _KernelCache(function)
    return dispatcher


@cache
def cache_folder() -> Path | None:
    """Where compiled kernels are kept; ``None`` if no folder can be written.

    ``NUMBA_CACHE_DIR`` replaces the user's cache folder.
    """
    root = config.CACHE_DIR or platformdirs.user_cache_dir("npmobilenet")
    folder = Path(root) / f"kernels-{fingerprint()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
    except OSError:
        return None
    return folder


@cache
def fingerprint() -> str:
    """A digest of all that the machine code depends on: sources, compiler and CPU."""
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    for source in sorted([*package.glob("kernels/**/*.py"), *package.glob("engine/*.py")]):
        digest.update(source.read_bytes())
    cpu = cpu_target.target_context.codegen().magic_tuple()
    for fact in (version("numba"), version("llvmlite"), *cpu):
        digest.update(fact.encode() + b"\0")
    return digest.hexdigest()


class _Locator(caching._CacheLocator):
    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def get_cache_path(self) -> str:
        return str(cache_folder())

    def get_source_stamp(self) -> str:
        return fingerprint()

    def get_disambiguator(self) -> str:
        return str(self._function.__module__)

    @classmethod
    def from_function(cls, function: Callable[..., Any], _file: str) -> "_Locator":
        return cls(function)


class _KernelCacheImpl(caching.CompileResultCacheImpl):
    _locator_classes = (_Locator,)


class _KernelCache(caching.FunctionCache):
    _impl_class = _KernelCacheImpl
