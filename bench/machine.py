"""What a table must say of the machine that it was measured on."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from time import sleep

from bench.peers import versions


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


def today() -> str:
    """The date, as in 2026-01-31."""
    return datetime.now(UTC).date().isoformat()


def busy_cores(seconds: float = 0.3) -> float:
    """How many cores other processes keep busy while this one waits; 0 where Linux cannot tell."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0
    used = _used_seconds(stat)
    sleep(seconds)
    return (_used_seconds(stat) - used) / seconds


def _used_seconds(stat: Path) -> float:
    """Seconds that all cores together have worked since the machine started."""
    user, nice, system, _idle, _wait, *others = map(int, stat.read_text().split()[1:9])
    return (user + nice + system + sum(others)) / os.sysconf("SC_CLK_TCK")


def describe(threads: list[int]) -> dict[str, object]:
    """Name, vector unit, peaks, bandwidth, versions and date."""
    from npmobilenet.kernels.host import LANES
    from npmobilenet.kernels.peak import fma_peak, level_sizes, read_bandwidth

    return {
        "cpu": cpu_name(),
        "cores": len(cores()),
        "float32_lanes": LANES,
        "fma_peak_gflops": {n: fma_peak(n) / 1e9 for n in threads},
        "read_bandwidth_gb_s": {
            level: read_bandwidth(size) / 1e9 for level, size in level_sizes().items()
        },
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": versions(),
        "date": today(),
    }
