"""Memory between two pages that nobody may touch: who reads or writes beyond it is stopped."""

import ctypes
import mmap
import os
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npmobilenet.kernels.blocks import round_up

_PAGE = mmap.PAGESIZE
_LINE = 64
_NOTHING = 0  # PROT_NONE, which Python's mmap does not name


def guarded(
    size: int, dtype: DTypeLike = np.float32, *, end: bool = True, line: bool = True
) -> NDArray[Any]:
    """Uninitialised values that end where a forbidden page begins, or begin where one ends.

    Where the system has no ``mprotect`` it is plain memory.

    Parameters
    ----------
    size : int
    dtype
    end : bool
        Which of the two.
    line : bool
        Whether they begin on a cache line, so that up to a line is left free before the page.
    """
    kind = np.dtype(dtype)
    used = size * kind.itemsize
    room = round_up(max(round_up(used, _LINE), 1), _PAGE)
    if os.name != "posix":
        return np.empty(size, kind)
    try:
        memory = mmap.mmap(-1, room + 2 * _PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        raise MemoryError(f"no memory for {size} values of {kind}: {error}") from error
    whole = np.frombuffer(memory, np.uint8)
    _protect(whole[:_PAGE], _NOTHING)
    _protect(whole[_PAGE + room :], _NOTHING)
    begin = _PAGE + (room - (round_up(used, _LINE) if line else used) if end else 0)
    return whole[begin : begin + used].view(kind)


def seal(array: NDArray[Any]) -> None:
    """Let nobody write to an array that :func:`guarded` gave, by Python or by machine code."""
    array.flags.writeable = False
    if os.name == "posix" and array.size:
        begin = array.ctypes.data // _PAGE * _PAGE
        _protect_range(begin, round_up(array.ctypes.data + array.nbytes, _PAGE), mmap.PROT_READ)


def _protect(pages: NDArray[np.uint8], allowed: int) -> None:
    _protect_range(pages.ctypes.data, pages.ctypes.data + pages.size, allowed)


def _protect_range(begin: int, end: int, allowed: int) -> None:
    if _mprotect()(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), allowed):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@cache
def _mprotect() -> Any:
    return ctypes.CDLL(None, use_errno=True).mprotect
