"""What a report must say of the packages and the machine that it was made with."""

import os
import platform

import numpy as np

from npmobilenet.analysis.machine import cpu_name


def provenance() -> dict[str, str]:
    """Versions, processor, vector extensions and BLAS, in words."""
    config = np.show_config(mode="dicts")
    extensions = config.get("SIMD Extensions", {})
    blas = config.get("Build Dependencies", {}).get("blas", {})
    known = (*extensions.get("baseline", ()), *extensions.get("found", ()))
    return {
        "numpy": np.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": f"{cpu_name()}, {os.cpu_count()} cores",
        "vector extensions": " ".join(known) or "unknown",
        "BLAS": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(),
    }
