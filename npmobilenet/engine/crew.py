"""The threads that help a caller: started when first asked for, asleep while nothing is to do.

They are Python threads inside compiled code that needs no interpreter lock. A helper that has just
finished looks out for the next call for about a millisecond, so a caller in a loop never has to
wake one; then it sleeps.
"""

import os
import threading
import time

import numpy as np

from npmobilenet.engine.execute import FINISHED, MAIL_SIZE, NEW
from npmobilenet.engine.warmup import compiled_entry


class Crew:
    """The helping threads of this process. One call at a time has their help."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # held by the caller who is being helped
        self._bell = threading.Semaphore(0)
        self._mail = np.zeros(MAIL_SIZE, np.int64)
        self._mail_address = self._mail.ctypes.data
        self._size = 0
        self._asleep = 0

    def run(self, job: int, threads: int) -> None:
        """Run the job at an address with the help of up to ``threads - 1`` others.

        A second caller at the same time does its job by itself: the values are the same.
        """
        enter = compiled_entry()
        helped = threads > 1 and self._lock.acquire(blocking=False)
        try:
            if helped:
                self._call(threads - 1)
            seats, stage = (threads - 1 if helped else 0), NEW
            while (stage := enter(self._mail_address, job, seats, stage)) != FINISHED:
                time.sleep(0)  # let a helper that has lost its core finish
        finally:
            if helped:
                self._lock.release()

    def _call(self, wanted: int) -> None:
        while self._size < wanted:
            self._size += 1
            threading.Thread(
                target=self._help, name=f"npmobilenet-{self._size}", daemon=True
            ).start()
        for _ in range(min(self._asleep, wanted)):
            self._bell.release()

    def _help(self) -> None:
        enter, seen = compiled_entry(), 0
        while True:
            seen = enter(self._mail_address, 0, 0, seen)
            self._asleep += 1
            self._bell.acquire()
            self._asleep -= 1


_crew = Crew()


def run(job: int, threads: int) -> None:
    """Run the job at an address on up to ``threads`` threads of this process."""
    _crew.run(job, threads)


def default_threads() -> int:
    """``NPMOBILENET_NUM_THREADS``, or the cores that this process may use."""
    text = os.environ.get("NPMOBILENET_NUM_THREADS")
    if text is not None:
        if not text.isdigit() or int(text) < 1:
            raise ValueError(f"NPMOBILENET_NUM_THREADS must be 1 or more, found {text!r}")
        return int(text)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _after_fork() -> None:
    """A forked child has none of its parent's threads, and maybe its locks in any state."""
    global _crew
    _crew = Crew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
