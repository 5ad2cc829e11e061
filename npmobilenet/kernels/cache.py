"""The cache of compiled kernels on disk.

Only entries are cached: each holds all that it calls. Numba's own cache looks at the one source
file of the entry and mixes CPUs in one index; here the folder is named after everything that the
machine code depends on, and each file is sealed and read only where nobody else may write
(:mod:`npmobilenet.kernels.sealed`), so that a cache entry is either right or not there.
"""

import hashlib
import pickle
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
import platformdirs
from llvmlite import binding as llvm
from numba.core import caching, config
from numba.core.registry import cpu_target
from numba.core.runtime import _nrt_python

from npmobilenet.kernels.sealed import DoubtfulError, check_folder, read_sealed, write_sealed

_Function = Callable[..., Any]


@cache
def cache_folder() -> Path | None:
    """Where compiled kernels are kept; ``None`` if there is no folder and none can be made.

    ``NUMBA_CACHE_DIR`` replaces the user's cache folder. Kernels are also loaded from a folder
    that cannot be written, such as one of root's that came with an image of a container. Not from
    one of another user's, or that others may write to, which stderr then says.
    """
    root = config.CACHE_DIR or platformdirs.user_cache_dir("npmobilenet")
    folder = Path(root).absolute() / f"kernels-{fingerprint()[:16]}"
    try:
        _make(folder)
        check_folder(folder)
    except OSError:
        return None
    except DoubtfulError as error:
        _tell(error)
        return None
    return folder


def _make(folder: Path) -> None:
    # The mode does not depend on the umask, which lets a group write on many systems.
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)


@cache  # once in a process
def _say(sentence: str) -> None:
    print(f"npmobilenet: {sentence}", file=sys.stderr)  # noqa: T201


def _tell(error: DoubtfulError) -> None:
    _say(f"kernels kept on disk are not used, but compiled again: {error}")


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

    def ensure_cache_path(self) -> None:
        _make(Path(self.get_cache_path()))

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
        write_sealed(self._path(key), self._seal(key), self._dump(data))

    def load(self, key: Any) -> Any:
        try:
            data = read_sealed(self._path(key), self._seal(key))
        except DoubtfulError as error:
            _tell(error)
            return None
        return None if data is None else pickle.loads(data)  # noqa: S301  # checked before

    def _seal(self, key: Any) -> bytes:
        """All that the machine code depends on, so that no entry passes for another."""
        return repr((self._source_stamp, key)).encode()

    def _path(self, key: Any) -> Path:
        number = int(hashlib.sha256(repr(key).encode()).hexdigest()[:12], 16)
        return Path(self._data_path(self._data_name(number)))


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
        try:
            return self._load_overload(sig, target_context)
        except Exception as error:  # noqa: BLE001  # sound, but of no use to this Python or Numba
            _say(
                "kernels kept on disk are compiled again, because they could not be loaded: "
                f"{type(error).__name__}: {error}"
            )
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        with suppress(OSError):  # no room, or not ours to write: compiled again next time
            super().save_overload(sig, data)
