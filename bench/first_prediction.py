"""``python -m bench.first_prediction LIBRARY THREADS BATCH MODEL...``: from a file to a prediction.

Imports nothing but the library: the time from the start of this process to the line that it prints
is the library's cold start. The line is the largest memory that the process had, in KiB.
"""

import resource
import sys
from pathlib import Path

import numpy as np

from bench.peers import PEERS


def main() -> None:
    """Read the arguments above; predict once with each model."""
    library, threads, batch, *models = sys.argv[1:]
    images = np.load(batch)
    for model in models:
        PEERS[library].load(Path(model), images, int(threads))()
    print(f"\n{peak_memory()}", flush=True)


def peak_memory() -> int:
    """Largest resident memory of this process in KiB.

    Linux counts the memory of the process that started this one in ``ru_maxrss``, but not here.
    """
    status = Path("/proc/self/status")
    if status.exists():
        facts = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(facts["VmHWM"].split()[0])
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used // 1024 if sys.platform == "darwin" else used


if __name__ == "__main__":
    main()
