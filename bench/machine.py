"""What a table must say of the machine that it was measured on."""

import platform
from datetime import UTC, datetime

from bench.peers import versions
from npmobilenet.analysis.machine import cores, cpu_name


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
