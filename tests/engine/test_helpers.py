"""Helpers: how many there are, which of them wake, and what happens where none can be started."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from npmobilenet.architecture import mobilenet_v1
from npmobilenet.engine import NumbaProgram, crew, execute
from npmobilenet.engine.crew import Crew
from npmobilenet.engine.pieces import idle
from npmobilenet.engine.warmup import compiled_entry


class Helper(crew._Helper):
    """Notes whether it was woken."""

    woken = False

    def ring(self):
        self.woken |= self.asleep and self.bell.locked()
        super().ring()


class Watched(Crew):
    """A crew of its own, for as many cores as a test says."""

    def __init__(self, monkeypatch, cores):
        super().__init__()
        monkeypatch.setattr(crew, "usable_cores", lambda: cores)
        monkeypatch.setattr(crew, "_Helper", Helper)
        self._job = idle(64).job

    def call(self, threads):
        self.run(self._job, threads)

    def settle(self):
        """Wait until everybody sleeps."""
        for _ in range(2):
            until(lambda: all(one.asleep and one.bell.locked() for one in self._helpers))
            time.sleep(0.01)  # who was just woken still looks asleep
        for helper in self._helpers:
            helper.woken = False

    def woken(self):
        return {number for number, one in enumerate(self._helpers, start=1) if one.woken}


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.fixture
def watched(monkeypatch):
    made = []

    def make(cores):
        made.append(Watched(monkeypatch, cores))
        return made[-1]

    yield make
    for one in made:
        one.close()
        until(lambda: not one._helpers)  # noqa: B023


def test_no_more_helpers_than_other_cores(watched):
    helped = watched(cores=4)
    for threads in (1, 2, 3, 64, 64):
        helped.call(threads)
    until(lambda: len(helped._helpers) == 3)
    assert len(helped._helpers) == 3


def test_alone_on_one_core(watched):
    alone = watched(cores=1)
    alone.call(64)
    assert not alone._helpers
    assert alone._mail[execute.MAIL_CALL] == 0


def test_only_who_is_wanted_wakes(watched):
    helped = watched(cores=6)
    helped.call(6)
    until(lambda: len(helped._helpers) == 5)
    for threads in (2, 4, 3, 6):
        helped.settle()
        helped.call(threads)
        assert helped.woken() == set(range(1, threads))


def test_a_helper_that_is_not_wanted_goes_to_sleep():
    """It returns from compiled code at the first call with fewer helpers than its number."""
    mail = np.zeros(execute.MAIL_SIZE, np.int64)
    address, enter = mail.ctypes.data, compiled_entry()
    left = threading.Event()

    def help_as(number):
        enter(address, 0, number, 0)
        left.set()

    helper = threading.Thread(target=help_as, args=(2,), daemon=True)
    mail[execute.MAIL_CALL], mail[execute.MAIL_WANTED] = 1, 1
    helper.start()
    assert left.wait(20)
    assert mail[execute.MAIL_ACTIVE] == 0
    assert enter(address, 0, 2, 0) == 1  # it has noticed the call


def test_two_helpers_with_one_number_share_no_memory():
    """Seats are counted where jobs are announced: no more than the job has scratch for."""
    mail = np.zeros(execute.MAIL_SIZE, np.int64)
    call = idle(2)
    compiled_entry()(mail.ctypes.data, call.job.address, 63, 0)
    assert mail[execute.MAIL_WANTED] == mail[execute.MAIL_SEATS] == 1


def test_helpers_whose_start_fails(watched, monkeypatch):
    helped = watched(cores=4)
    start, left = crew.start_new_thread, [1]

    def refused(*arguments):
        if not left:
            raise RuntimeError("can't start new thread")
        left.pop()
        return start(*arguments)

    monkeypatch.setattr(crew, "start_new_thread", refused)
    helped.call(4)
    until(lambda: len(helped._helpers) == 1)
    helped.call(4)
    assert len(helped._helpers) == 1
    # Later there are threads again.
    monkeypatch.setattr(crew, "start_new_thread", start)
    helped._again = 0.0
    helped.call(4)
    until(lambda: len(helped._helpers) == 3)


def test_callers_at_once_start_no_more_than_they_want(watched):
    helped = watched(cores=3)
    begin = threading.Barrier(8)

    def call():
        begin.wait()
        for _ in range(50):
            helped.call(3)

    callers = [threading.Thread(target=call) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    until(lambda: len(helped._helpers) == 2)
    time.sleep(0.01)
    assert len(helped._helpers) == 2


def test_a_helper_that_ends_is_replaced(watched):
    helped = watched(cores=2)
    helped.call(2)
    until(lambda: helped._helpers)
    helped.close()
    assert not helped._helpers
    helped._closed, helped._again = False, 0.0
    helped.call(2)
    until(lambda: helped._helpers)


LIMITED = """
import resource, sys, os
import numpy as np
from npmobilenet.architecture import mobilenet_v1
from npmobilenet.engine import NumbaProgram, crew
from npmobilenet.initializers import random_weights
crew.usable_cores = lambda: 64
network = mobilenet_v1((96, 96, 3), 0.25)
program = NumbaProgram(network, random_weights(network, 0))
x = np.ones((1, 96, 96, 3), np.float32)
expected = program(x, threads=1)
{limit}
for _ in range(30):
    assert np.array_equal(program(x, threads=64), expected)
    assert np.array_equal(program(x, threads=2), expected)
running = len(os.listdir("/proc/self/task"))
assert len(crew._crew._helpers) < 63, running
print("gone on")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads as Linux does")
@pytest.mark.parametrize(
    "limit",
    [
        pytest.param(
            "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\\n"
            "resource.setrlimit(resource.RLIMIT_AS, (used + (60 << 20),) * 2)",
            id="address space",
        ),
        pytest.param(
            "os.setuid(12345)\\nresource.setrlimit(resource.RLIMIT_NPROC, (3, 3))",
            id="processes",
        ),
    ],
)
def test_a_call_goes_on_with_the_threads_that_it_could_get(limit):
    if "setuid" in limit and os.getuid() != 0:
        pytest.skip("only root can become a user without processes")
    script = LIMITED.format(limit=limit.replace("\\n", "\n"))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("gone on\n", "", 0)


def test_values_do_not_depend_on_absurd_numbers_of_threads(random_weights, rng):
    """And the plan for a million threads takes no more memory than one for all cores."""
    network = mobilenet_v1((64, 64, 3), 0.25)
    program = NumbaProgram(network, random_weights(network))
    x = rng.uniform(-1, 1, (1, 64, 64, 3)).astype(np.float32)
    expected = program(x, threads=1)
    for threads in (64, 1_000_000, 10**30):
        np.testing.assert_array_equal(program(x, threads=threads), expected)
