"""Peaks are measured, so only what holds on every machine is asserted."""

import pytest

from npmobilenet.kernels.host import LANES
from npmobilenet.kernels.peak import fma_peak, level_sizes, read_bandwidth

CLOCK = 7e9  # no CPU has a faster clock
UNITS = 4  # nor more vector units for one thread


@pytest.mark.parametrize("threads", [1, 2])
def test_peak_is_between_scalar_and_impossible(threads):
    peak = fma_peak(threads, seconds=0.005)
    assert 1e8 < peak < threads * 2 * LANES * UNITS * CLOCK


@pytest.mark.parametrize("threads", [1, 2])
def test_bandwidth_is_possible(threads):
    read = read_bandwidth(16 << 10, threads, seconds=0.005)
    assert 1e8 < read < threads * 4 * LANES * UNITS * CLOCK


def test_a_size_below_one_tile_is_rounded_up():
    assert read_bandwidth(1, seconds=0.001) > 0


def test_levels_grow():
    sizes = level_sizes()
    assert list(sizes) == ["L1", "L2", "L3", "memory"]
    assert sizes["L1"] < sizes["L2"] < sizes["L3"]
    assert sizes["L3"] <= sizes["memory"] <= 1 << 30


def test_levels_without_cache_information(monkeypatch, tmp_path):
    monkeypatch.setattr("npmobilenet.kernels.peak._CACHES", tmp_path)
    assert level_sizes()["L1"] == 16 << 10


@pytest.mark.timeout(60)
def test_nobody_waits_for_a_thread_that_cannot_be_started(one_more_thread):
    with pytest.raises(RuntimeError, match="can't start new thread"):
        fma_peak(3, seconds=0.001)
