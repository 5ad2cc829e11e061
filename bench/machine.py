"""What a table must say of the machine that it was measured on."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

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
