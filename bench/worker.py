"""One library in a process of its own, which runs as often as it is told.

``python -m bench.worker LIBRARY MODEL BATCH OUTPUT THREADS CORES``: the first output is written to
the file OUTPUT and a line with ``[]`` says so; then every number on a line of standard input
answers with as many seconds, as a JSON list. The library ``peak`` answers with the FLOP/s of a
multiply-add loop instead.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

PEAK = "peak"

Measure = Callable[[int], list[float]]


def main() -> None:
    """Read the arguments above, then serve."""
    library, model, batch, output, threads, cores = sys.argv[1:]
    pin(cores)  # before any library counts the cores
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print must not mix with the answers
    if library == PEAK:
        measure = peak(int(threads))
    else:
        measure = timed(library, Path(model), Path(batch), Path(output), int(threads))
    print("[]", file=answers)
    for line in sys.stdin:
        print(json.dumps(measure(int(line))), file=answers)


def pin(cores: str) -> None:
    """Keep this process on some cores, ``"0,1"``, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, [int(core) for core in cores.split(",")])


def peak(threads: int) -> Measure:
    """FLOP/s of the multiply-add loop."""
    from npmobilenet.kernels.peak import fma_peak

    return lambda calls: [fma_peak(threads) for _ in range(calls)]


def timed(library: str, model: Path, batch: Path, output: Path, threads: int) -> Measure:
    """Seconds of a library's calls, after one that is not counted: another's data is in the caches.

    The first output is kept in a file; the last of every measurement must equal it.
    """
    import numpy as np

    from bench.peers import PEERS

    run = PEERS[library].load(model, np.load(batch), threads)
    first = np.array(run())
    np.save(output, first)

    def measure(calls: int) -> list[float]:
        run()
        seconds = []
        for _ in range(calls):
            start = perf_counter()
            last = run()
            seconds.append(perf_counter() - start)
        np.testing.assert_allclose(last, first, rtol=1e-4, atol=1e-6)
        return seconds

    return measure


if __name__ == "__main__":
    main()
