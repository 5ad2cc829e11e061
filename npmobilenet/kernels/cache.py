"""The cache of compiled kernels on disk.

Only entries are cached: each holds all that it calls. Numba's own cache looks at the one source
file of the entry and mixes CPUs in one index; here the folder is named after everything that the
machine code depends on, so that a cache entry is either right or not there.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import llvmlite
import numba
import platformdirs
from llvmlite import binding as llvm
from numba.core import caching, config
from numba.core.registry import cpu_target
from numba.core.runtime import _nrt_python

_Function = Callable[..., Any]


@cache
def cache_folder() -> Path | None:
    """Where compiled kernels are kept; ``None`` if there is no folder and none can be made.

    ``NUMBA_CACHE_DIR`` replaces the user's cache folder. Kernels are also loaded from a folder
    that cannot be written, such as one that came with an image of a container.
    """
    root = config.CACHE_DIR or platformdirs.user_cache_dir("npmobilenet")
    folder = Path(root) / f"kernels-{fingerprint()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
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
    for fact in (numba.__version__, llvmlite.__version__, *cpu):
        digest.update(fact.encode() + b"\0")
    return digest.hexdigest()


class _Locator(caching._CacheLocator):
    def __init__(self, function: _Function) -> None:
        self._function = function

    def get_cache_path(self) -> str:
        return str(cache_folder())

    def get_source_stamp(self) -> str:
        return fingerprint()

    def get_disambiguator(self) -> str:
        return str(self._function.__module__)

    @classmethod
    def from_function(cls, function: _Function, _file: str) -> "_Locator":
        return cls(function)


class _Impl(caching.CompileResultCacheImpl):
    _locator_classes = (_Locator,)

    def reduce(self, cres: Any) -> Any:
        """What is kept of a compilation: the machine code.

        Numba keeps the LLVM code too, for functions that call this one, and asks it which names
        there are. Nobody calls an entry but Python, through its wrapper; the rest would take
        longer to read than the machine code.
        """
        (name, kind, (machine_code, _)), *others = super().reduce(cres)
        wrapper = cres.fndesc.llvm_cpython_wrapper_name
        module = llvm.parse_assembly(f'define void @"{wrapper}"() {{ ret void }}')
        return (name, kind, (machine_code, module.as_bitcode())), *others


class _Files(caching.IndexDataCacheFile):
    """A file for each signature.

    Numba numbers the files and keeps an index of them, which processes that compile different
    signatures at the same time would mix up.
    """

    def save(self, key: Any, data: Any) -> None:
        self._save_data(self._name(key), data)

    def load(self, key: Any) -> Any:
        try:
            return self._load_data(self._name(key))
        except (OSError, EOFError, UnpicklingError):  # not there, or damaged
            return None

    def _name(self, key: Any) -> str:
        return str(self._data_name(int(hashlib.sha256(repr(key).encode()).hexdigest()[:12], 16)))


class KernelCache(caching.FunctionCache):
    """What Numba asks for the compiled code of an entry."""

    _impl_class = _Impl

    def __init__(self, function: _Function) -> None:
        super().__init__(function)
        locator = self._impl.locator
        self._cache_file = _Files(
            locator.get_cache_path(), self._impl.filename_base, locator.get_source_stamp()
        )

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        # Numba's own way here readies all that a compilation needs, and compiles a runtime of its
        # own, which takes longer than the rest of a start. Its compiler does so by itself; machine
        # code needs to find that runtime's C functions.
        for name, address in _nrt_python.c_helpers.items():
            llvm.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)
        return self._load_overload(sig, target_context)

    def save_overload(self, sig: Any, data: Any) -> None:
        with suppress(OSError):  # no room, or not ours to write: compiled again next time
            super().save_overload(sig, data)
