"""The most that this machine does: multiply-adds a second, and bytes read a second from each level.

Measured with the register tile itself, so a kernel's share of the peak says how much of the tile's
own speed it keeps.
"""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from npmobilenet.kernels.blocks import PANEL, ROWS
from npmobilenet.kernels.host import LANES
from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.tile import tile_add, tile_bias, tile_outer, tile_store, tile_zero

_DEPTH = 64  # steps of the product; its operands stay in L1
_FLOP_PER_ROUND = 2 * ROWS * PANEL * _DEPTH
_TILE = ROWS * PANEL
_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


@entry
def _multiply_add(a, w, out, rounds):
    tile = tile_bias(ROWS, PANEL, w, 0)
    for _ in range(rounds):
        for k in range(_DEPTH):
            tile = tile_outer(tile, a, k, _DEPTH, w, k * PANEL)
    tile_store(tile, out, 0, PANEL, LANES)


@entry
def _read(a, out, rounds):
    tile = tile_bias(ROWS, PANEL, a, 0)
    for _ in range(rounds):
        for at in range(0, a.size, _TILE):
            tile = tile_add(tile, a, at, PANEL)
    tile_store(tile, out, 0, PANEL, LANES)


@entry
def _copy(a, out, rounds):
    for _ in range(rounds):
        for at in range(0, a.size, _TILE):
            tile = tile_add(tile_zero(ROWS, PANEL), a, at, PANEL)
            tile_store(tile, out, at, PANEL, LANES)


def fma_peak(threads: int = 1, seconds: float = 0.03) -> float:
    """FLOP/s of float32 multiply-adds out of L1; 1 multiply-add is 2 FLOP.

    Parameters
    ----------
    threads : int
        How many threads compute at the same time.
    seconds : float
        How long to measure, about.
    """
    a = [_aligned(ROWS * _DEPTH) for _ in range(threads)]
    w = [_aligned(_DEPTH * PANEL) for _ in range(threads)]
    out = [_aligned(_TILE) for _ in range(threads)]

    def work(thread: int, rounds: int) -> None:
        _multiply_add(a[thread], w[thread], out[thread], rounds)

    return _FLOP_PER_ROUND * _rounds_per_second(work, threads, seconds)


def read_bandwidth(size: int, threads: int = 1, seconds: float = 0.03) -> float:
    """Bytes a second that can be read, over and over, from ``size`` bytes for each thread.

    Parameters
    ----------
    size : int
        Bytes; rounded down to whole tiles. Each thread reads its own.
    threads, seconds
        As in :func:`fma_peak`.
    """
    floats = max(size // 4 // _TILE, 1) * _TILE
    a = [_aligned(floats) for _ in range(threads)]
    out = [_aligned(_TILE) for _ in range(threads)]

    def work(thread: int, rounds: int) -> None:
        _read(a[thread], out[thread], rounds)

    return 4 * floats * _rounds_per_second(work, threads, seconds)


def copy_bandwidth(size: int, threads: int = 1, seconds: float = 0.03) -> float:
    """Bytes a second, read and written, of copying one half of ``size`` bytes to the other.

    Parameters as for :func:`read_bandwidth`.
    """
    floats = max(size // 8 // _TILE, 1) * _TILE
    a = [_aligned(floats) for _ in range(threads)]
    out = [_aligned(floats) for _ in range(threads)]

    def work(thread: int, rounds: int) -> None:
        _copy(a[thread], out[thread], rounds)

    return 8 * floats * _rounds_per_second(work, threads, seconds)


def cache_sizes() -> dict[str, int]:
    """Bytes of the data caches L1, L2 and L3 as Linux tells them, else common sizes.

    Without an L3 the last level stands for it.
    """
    first, second, last = 32 << 10, 1 << 20, 32 << 20
    for cache in sorted(_CACHES.glob("index*")):
        level = (cache / "level").read_text().strip()
        size = int((cache / "size").read_text().strip().removesuffix("K")) << 10
        if (cache / "type").read_text().strip() == "Instruction":
            continue
        if level == "1":
            first = size
        elif level == "2":
            second = size
        last = size
    return {"L1": first, "L2": second, "L3": last}


def level_sizes() -> dict[str, int]:
    """Bytes to read so as to measure L1, L2, L3 and memory.

    Half of L1 and L2, so that nothing else pushes the data out; four times L2 for L3; for memory
    twice the last level, but at most 1 GiB.
    """
    caches = cache_sizes()
    return {
        "L1": caches["L1"] // 2,
        "L2": caches["L2"] // 2,
        "L3": 4 * caches["L2"],
        "memory": min(2 * caches["L3"], 1 << 30),
    }


def _rounds_per_second(work: Callable[[int, int], None], threads: int, seconds: float) -> float:
    """Rounds that all threads together do in a second; each thread is timed by itself."""
    start = Barrier(threads)

    def rate(thread: int, rounds: int) -> float:
        with all_or_none(start):
            start.wait()
        return rounds / _seconds(work, thread, rounds)

    work(0, 1)  # compiled, or loaded, before the clock runs
    rounds = 1
    while (taken := _seconds(work, 0, rounds)) < seconds / 2:
        rounds = math.ceil(rounds * min(seconds / taken, 1000))
    with ThreadPoolExecutor(threads) as pool, all_or_none(start):
        return sum(pool.map(rate, range(threads), [rounds] * threads))


@contextmanager
def all_or_none(start: Barrier) -> Iterator[None]:
    """Where one thread fails or cannot be started, the others wait for it no longer."""
    try:
        yield
    except BaseException:
        start.abort()
        raise


def _seconds(work: Callable[[int, int], None], thread: int, rounds: int) -> float:
    began = perf_counter()
    work(thread, rounds)
    return perf_counter() - began


def _aligned(size: int) -> NDArray[np.float32]:
    """Ones that begin at a cache line: loads that cross two lines cost twice."""
    buffer = np.ones(size + 16, np.float32)
    start = -buffer.ctypes.data // 4 % 16
    return buffer[start : start + size]
