"""The threads that help a caller: started when first asked for, asleep while nothing is to do.

They are threads of Python inside compiled code that needs no interpreter lock. A helper that has
just finished looks out for the next call for some milliseconds, so a caller in a loop never has to
wake one; then it sleeps. Helpers have numbers, and a call wants the first few: the others sleep on.

An exception may come between any two steps of Python here, from a handler of a signal for one. No
lock is held by a caller, and nothing is counted, that it could leave in a wrong state: the job
itself is begun and ended inside one call of compiled code
(:func:`npmobilenet.engine.execute.enter`), and helpers count themselves.
"""

import atexit
import os
import time
from _thread import start_new_thread
from contextlib import suppress
from threading import Lock

import numpy as np

from npmobilenet.engine.execute import MAIL_SIZE
from npmobilenet.engine.job import Job
from npmobilenet.engine.warmup import compiled_entry

_AGAIN = 0.1  # seconds until helpers that have not come are asked for again
_REFUSED = 1.0  # the same where the system gave no more threads
_LEAVE = 1.0  # seconds that the end of the process waits for helpers at most


class _Helper:
    """Who sleeps until the bell, a lock, is released."""

    __slots__ = ("asleep", "bell")

    def __init__(self) -> None:
        self.asleep = False
        self.bell = Lock()
        self.bell.acquire()

    def ring(self) -> None:
        """Wake this helper, if it sleeps and nobody has rung."""
        if self.asleep and self.bell.locked():
            with suppress(RuntimeError):  # somebody else was faster
                self.bell.release()


class Crew:
    """The helping threads of this process. One call at a time has their help."""

    def __init__(self) -> None:
        self._mail = np.zeros(MAIL_SIZE, np.int64)
        self._mail_address = self._mail.ctypes.data
        self.forget()

    def forget(self) -> None:
        """Begin anew without helpers, as a forked child must: it has none of its parent's threads.

        The mailbox stays where it is, because a handler of a signal may fork in the midst of
        :meth:`run`.
        """
        self._mail.fill(0)
        self._helpers: list[_Helper] = []
        self._door = Lock()  # only helpers pass it, and no handler of a signal runs in those
        self._most = 0
        self._again = 0.0
        self._closed = False

    def run(self, job: Job, threads: int) -> None:
        """Run a job with the help of up to ``threads - 1`` others.

        A second caller at the same time does its job by itself: the values are the same.
        """
        enter = compiled_entry()
        helpers = self._call(threads - 1) if threads > 1 and not self._closed else 0
        enter(self._mail_address, job.address, helpers, 0)

    def close(self) -> None:
        """Have the helpers leave, so that none is at work when the interpreter ends."""
        self._closed = True
        until = time.monotonic() + _LEAVE
        while self._helpers and time.monotonic() < until:
            for helper in self._helpers.copy():
                helper.ring()
            time.sleep(0.0005)

    def _call(self, wanted: int) -> int:
        """Wake as many helpers as there are cores for; how many that is."""
        wanted = min(wanted, usable_cores() - 1)
        if len(self._helpers) < wanted:
            self._start(wanted)
        for helper in self._helpers[:wanted]:
            helper.ring()
        return wanted

    def _start(self, wanted: int) -> None:
        if wanted <= self._most and time.monotonic() < self._again:
            return
        self._again = time.monotonic() + _AGAIN
        self._most = max(self._most, wanted)
        try:
            for _ in range(wanted - len(self._helpers)):
                # threading.Thread would wait for a sign of life, which a thread short of memory
                # does not give.
                start_new_thread(self._help, ())
        except (RuntimeError, MemoryError):  # those that there are will do
            self._again = time.monotonic() + _REFUSED

    def _help(self) -> None:
        helper = _Helper()
        with self._door:
            if len(self._helpers) >= self._most:
                return  # two callers have asked at once
            self._helpers.append(helper)
        try:
            enter, seen = compiled_entry(), 0
            while not self._closed:
                number = 1 + self._helpers.index(helper)
                seen = enter(self._mail_address, 0, number, seen)
                helper.asleep = True
                helper.bell.acquire()
                helper.asleep = False
        finally:
            self._helpers.remove(helper)


_crew = Crew()


def run(job: Job, threads: int) -> None:
    """Run a job on up to ``threads`` threads of this process."""
    _crew.run(job, threads)


def usable_cores() -> int:
    """How many cores this process may use at present."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def default_threads() -> int:
    """``NPMOBILENET_NUM_THREADS``, or the cores that this process may use."""
    text = os.environ.get("NPMOBILENET_NUM_THREADS")
    if text is not None:
        if not text.isdecimal() or int(text) < 1:
            raise ValueError(f"NPMOBILENET_NUM_THREADS must be 1 or more, found {text!r}")
        return int(text)
    return usable_cores()


atexit.register(_crew.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_crew.forget)
