"""The bound on the memory of the tests themselves; see conftest.py."""

import pytest


@pytest.fixture
def guarded(request):
    """``guarded(most, peaks)``: a guard of the suite's kind over peaks that are made up."""
    guard = request.config.pluginmanager.get_plugin("memory-guard")
    if guard is None:
        pytest.skip("memory is not watched on this system")

    def make(most, peaks):
        return type(guard)(most, iter(peaks).__next__)

    return make


def test_the_run_is_watched(request, guarded):
    guard = request.config.pluginmanager.get_plugin("memory-guard")
    assert guard.most == 4 << 30
    assert guard.peak() > 20 << 20
    assert guard.before > 20 << 20


def test_the_test_that_crosses_the_bound_fails_once_and_the_greediest_is_named(guarded):
    mib = 1 << 20
    guard = guarded(100 * mib, [10 * mib, 70 * mib, 90 * mib, 101 * mib, 200 * mib])
    guard.judge("greedy")
    guard.judge("modest")
    with pytest.raises(pytest.fail.Exception, match=r"101 MiB, .* 100; with greedy .* 60 MiB"):
        guard.judge("last")
    guard.judge("after")  # it has been said


def test_within_the_bound_nothing_happens(guarded):
    guard = guarded(100, [0, 50, 100])
    guard.judge("one")
    guard.judge("two")
