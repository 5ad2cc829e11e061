"""Properties that are computed once."""

import os
import signal
import threading

import pytest

from npmobilenet.lazy import lazy


class Slow:
    def __init__(self, compute):
        self.compute = compute

    @lazy
    def value(self):
        """What it is."""
        return self.compute()


def test_it_is_computed_once():
    found = []
    slow = Slow(lambda: found.append(1) or len(found))
    assert "value" not in vars(slow)
    assert (slow.value, slow.value) == (1, 1)
    assert Slow.value.__doc__ == "What it is."


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forking with threads, which is meant
def test_a_forked_child_does_not_wait_for_another_thread():
    begun, end = threading.Event(), threading.Event()
    other = threading.Thread(target=lambda: Slow(lambda: begun.set() or end.wait()).value)
    other.start()
    begun.wait()
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        os._exit(Slow(lambda: 0).value)
    status = os.waitpid(child, 0)[1]
    end.set()
    other.join()
    assert status == 0
