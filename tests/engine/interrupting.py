"""Run by tests in a process of its own: interrupts in the midst of calls, then a look at memory.

``python interrupting.py ALPHA SIZE INTERRUPTS`` prints how many interrupts there were, how many
foreign arrays changed, and how many later answers were wrong.
"""

import random
import signal
import sys
import time

import numpy as np

from npmobilenet.architecture import mobilenet_v1
from npmobilenet.engine import NumbaProgram
from npmobilenet.initializers import random_weights


class InterruptError(Exception):
    """What the handler of a notebook or a server raises."""


def interrupt(*_):
    raise InterruptError


def main(alpha, size, interrupts):
    network = mobilenet_v1((size, size, 3), alpha)
    program = NumbaProgram(network, random_weights(network, 0))
    x = np.random.default_rng(0).uniform(-1, 1, (1, size, size, 3)).astype(np.float32)
    expected = program(x, threads=1)
    program(x, threads=2)
    began = time.perf_counter()
    for _ in range(20):
        program(x, threads=2)
    each = (time.perf_counter() - began) / 20
    signal.signal(signal.SIGALRM, interrupt)
    changed = wrong = 0
    for _ in range(interrupts):
        try:
            signal.setitimer(signal.ITIMER_REAL, random.uniform(0.2, 3) * each)
            while True:
                # Copies: the input of an interrupted call is gone with it.
                program(x.copy(), threads=2)
        except InterruptError:
            pass
        sizes = (x.size, 1000, 100_000, 400_000)
        fresh = [np.full(count, 7, np.float32) for count in sizes]
        time.sleep(each)
        changed += any((values != 7).any() for values in fresh)
        wrong += not np.array_equal(program(x, threads=2), expected)
    sys.stdout.write(f"{interrupts} {changed} {wrong}\n")


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
