"""The machine under a measurement: its name, its cores, and who else was at work."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time, sleep

from npmobilenet.counts import whole_number

QUIET = 0.1
"""Cores that other processes may keep busy before a result says so."""

_STAT = Path("/proc/stat")


def cpu_name() -> str:
    """The processor's name, as the system gives it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cores() -> list[int]:
    """Numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def threads_text(threads: int) -> str:
    """``"1 thread"``, ``"2 threads"``."""
    return "1 thread" if threads == 1 else f"{threads} threads"


@contextmanager
def pinned(threads: int) -> Iterator[None]:
    """Keep this thread, and those it starts, on as many cores as ``threads``, where Linux can.

    Raises
    ------
    ValueError
        If ``threads`` is below 1.
    """
    threads = whole_number(threads, "threads")
    allowed = cores()
    if not hasattr(os, "sched_setaffinity") or threads >= len(allowed):
        yield
        return
    os.sched_setaffinity(0, allowed[:threads])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def busy_cores(seconds: float = 0.3) -> float:
    """How many cores other processes keep busy while this one waits; 0 where Linux cannot tell."""
    neighbours = Neighbours()
    sleep(seconds)
    return neighbours.busy()


class Neighbours:
    """Watches, from its creation on, how much other processes work."""

    def __init__(self) -> None:
        self._began = perf_counter()
        self._used = _foreign_seconds()

    def busy(self) -> float:
        """How many cores they have kept busy, on average; 0 where Linux cannot tell."""
        used = _foreign_seconds() - self._used
        return max(0.0, used / (perf_counter() - self._began))


def _foreign_seconds() -> float:
    """Seconds that all cores have worked since the machine started, but not for this process."""
    if not _STAT.exists():
        return 0.0
    user, nice, system, _idle, _wait, *others = map(int, _STAT.read_text().split()[1:9])
    ticks: int = user + nice + system + sum(others)
    return ticks / os.sysconf("SC_CLK_TCK") - process_time()
