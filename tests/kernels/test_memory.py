"""Atomic counters and arrays at an address."""

import threading

import numpy as np
from numba import njit

from npmobilenet.kernels.tile import (
    atomic_add,
    atomic_read,
    float32_at,
    int64_at,
    pause,
    prefetch,
)


@njit
def count(counters, times):
    for _ in range(times):
        atomic_add(counters, 1, 1)
        pause()
    return atomic_read(counters, 1)


def test_no_addition_is_lost_between_threads():
    counters = np.zeros(3, np.int64)
    count(counters, 1)
    threads = [threading.Thread(target=count, args=(counters, 50_000)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters.tolist() == [0, 200_001, 0]


@njit
def first_values(floats, numbers):
    prefetch(float32_at(floats), 10_000_000)  # far outside: only a hint
    return float32_at(floats)[1], int64_at(numbers)[2]


def test_arrays_at_an_address():
    floats, numbers = np.arange(3, dtype=np.float32), np.arange(5, 9)
    assert first_values(floats.ctypes.data, numbers.ctypes.data) == (1.0, 7)
