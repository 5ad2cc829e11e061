"""The limits of the machine: multiply-adds a second, and bytes a second by how much is read.

Measured with the kernels of :mod:`npmobilenet.kernels.peak`: sizes from half of L1 to beyond the
last cache in turn, round after round, and medians of the rounds. What lies between the levels is
a part of the picture: a shared cache never belongs to one process alone.
"""

from bisect import bisect_left
from dataclasses import dataclass
from math import log
from statistics import median

from npmobilenet.analysis.machine import cpu_name, pinned
from npmobilenet.counts import whole_number
from npmobilenet.kernels.host import LANES
from npmobilenet.kernels.peak import (
    cache_sizes,
    copy_bandwidth,
    fma_peak,
    level_sizes,
    read_bandwidth,
)

_SHORT = 0.003
_MEMORY = "memory"


@dataclass(frozen=True)
class Level:
    """A cache, or the memory behind all of them."""

    name: str
    capacity: int | None
    """Bytes, of all threads together where each has its own; ``None`` for memory."""
    read: float
    """Bytes a second that are read from it."""
    copy: float
    """Bytes a second, read and written, that are copied inside it."""


@dataclass(frozen=True)
class Roofs:
    """What a number of threads can do at most."""

    cpu: str
    lanes: int
    """Float32 values of a vector."""
    threads: int
    peak: float
    """FLOP/s of multiply-adds out of registers and L1."""
    levels: tuple[Level, ...]
    curve: tuple[tuple[int, float], ...]
    """Bytes read over and over, and bytes a second, from small to large."""

    def bandwidth(self, size: int) -> float:
        """Bytes a second that are read where ``size`` bytes are in use: the curve, interpolated."""
        sizes = [point for point, _ in self.curve]
        right = bisect_left(sizes, size)
        if right == 0:
            return self.curve[0][1]
        if right == len(sizes):
            return self.curve[-1][1]
        (low, slow), (high, fast) = self.curve[right - 1 : right + 1]
        weight = log(size / low) / log(high / low)
        return slow + weight * (fast - slow)

    def level(self, size: int) -> str:
        """The name of the first level that holds ``size`` bytes."""
        fitting = [level for level in self.levels if level.capacity and size <= level.capacity]
        return fitting[0].name if fitting else _MEMORY

    def ridge(self, level: Level) -> float:
        """Operations a byte at which reading from a level and the peak take the same time."""
        return self.peak / level.read


def measure_roofs(threads: int = 1, rounds: int = 5) -> Roofs:
    """Measure the machine; takes about a second.

    Parameters
    ----------
    threads : int
        That compute at the same time, each on data of its own.
    rounds : int

    Raises
    ------
    ValueError
        If ``threads`` or ``rounds`` is below 1.
    """
    rounds = whole_number(rounds, "rounds")
    caches, measured_at = cache_sizes(), level_sizes()
    sizes = set(measured_at.values())
    size = measured_at["L1"]
    while size < measured_at[_MEMORY]:
        sizes.add(size)
        size *= 2
    peaks: list[float] = []
    reads: dict[int, list[float]] = {size: [] for size in sorted(sizes)}
    copies: dict[int, list[float]] = {size: [] for size in measured_at.values()}
    with pinned(threads):
        for _ in range(rounds):
            peaks.append(fma_peak(threads, _SHORT))
            for size, found in reads.items():
                found.append(read_bandwidth(size, threads, _SHORT))
            for size, found in copies.items():
                found.append(copy_bandwidth(size, threads, _SHORT))
    private = {"L1": threads, "L2": threads, "L3": 1}
    return Roofs(
        cpu=cpu_name(),
        lanes=LANES,
        threads=threads,
        peak=median(peaks),
        levels=tuple(
            Level(
                name,
                caches[name] * private[name] if name in caches else None,
                median(reads[size]),
                median(copies[size]),
            )
            for name, size in measured_at.items()
        ),
        curve=tuple((size * threads, median(found)) for size, found in reads.items()),
    )
