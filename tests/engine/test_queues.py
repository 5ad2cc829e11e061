"""The queues of units: nobody takes one twice, none is left, and who does it is seen nowhere."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from npmobilenet.architecture import mobilenet_v2
from npmobilenet.engine import NumbaProgram
from npmobilenet.engine.execute import NONE, take


@njit
def take_all(counters, units, own, taken):
    """Take units until there is none; their numbers in the order in which they came."""
    count = 0
    while True:
        unit = take(counters, 0, units, own)
        if unit == NONE:
            return count
        taken[count] = unit
        count += 1


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.booleans(), max_size=12), st.integers(0, 8))
def test_owners_take_the_first_and_others_the_last(who, units):
    counters = np.zeros(1, np.int64)
    left = list(range(units))
    for own in who:
        expected = (left.pop(0) if own else left.pop()) if left else NONE
        assert take(counters, 0, units, own) == expected


def test_no_unit_is_taken_twice():
    units, callers = 200_000, 4
    counters = np.zeros(1, np.int64)
    taken = np.full((callers, units), -1)
    take_all(counters, 0, True, taken[0])  # compiled
    counts = [0] * callers
    begin = threading.Barrier(callers)

    def work(caller):
        begin.wait()
        counts[caller] = take_all(counters, units, caller == 0, taken[caller])

    threads = [threading.Thread(target=work, args=(caller,)) for caller in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [unit for caller in range(callers) for unit in taken[caller, : counts[caller]]]
    assert sorted(found) == list(range(units))


@pytest.mark.parametrize("size", [64, 96])
def test_expanded_rows_are_kept_from_unit_to_unit(random_weights, rng, size):
    """Large maps: a thread goes on where its last unit ended, or begins anew after a stolen one."""
    network = mobilenet_v2((size, size, 3), 0.35, classes=7)
    program = NumbaProgram(network, random_weights(network))
    x = rng.uniform(-1, 1, (1, size, size, 3)).astype(np.float32)
    expected = program(x, threads=1)
    for threads in (2, 3, 7):
        for _ in range(5):
            np.testing.assert_array_equal(program(x, threads=threads), expected)
