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
    print(f"\n{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}", flush=True)


if __name__ == "__main__":
    main()
