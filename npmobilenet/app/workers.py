"""Threads that compute for the event loop, and a bound on how much work may wait for them."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from npmobilenet.app.failures import BusyError
from npmobilenet.app.limits import Limits
from npmobilenet.engine.crew import default_threads

T = TypeVar("T")


class GivenUpError(Exception):
    """Nobody waits for the result of some work any more; it never reaches a client."""


class Call:
    """A request that is being answered, as its work sees it.

    Attributes
    ----------
    over : bool
        Whether it has been answered, if only that it took too long, or its client has left.
    """

    over = False

    def check(self) -> None:
        """Go on only if somebody waits; for work of several steps to call between them.

        Raises
        ------
        GivenUpError
            If nobody does.
        """
        if self.over:
            raise GivenUpError


class Workers:
    """A pool of threads behind a door that lets a bounded number in.

    Decoding and the kernels release the interpreter's lock, so threads are enough.

    Parameters
    ----------
    limits : Limits
        ``running``, ``waiting`` and ``answer_seconds`` count here.
    """

    def __init__(self, limits: Limits) -> None:
        running = limits.running or default_threads()
        self._most = running + limits.waiting
        self._seconds = limits.answer_seconds
        self._admitted = 0  # only the event loop's thread changes it
        self._pool = ThreadPoolExecutor(running, thread_name_prefix="npmobilenet-app")

    @property
    def admitted(self) -> int:
        """Requests that run or wait now."""
        return self._admitted

    @contextmanager
    def admit(self) -> Iterator["Call"]:
        """Hold a place while a request is answered; for the work, whether anybody still waits.

        Raises
        ------
        BusyError
            If no place is free.
        """
        if self._admitted >= self._most:
            raise BusyError(f"{self._admitted} requests are being answered, come back later")
        self._admitted += 1
        call = Call()
        try:
            yield call
        finally:
            call.over = True
            self._admitted -= 1

    async def run(self, function: Callable[[], T]) -> T:
        """Call a function in a thread and wait for its result.

        One that has not begun when time is up, or when its caller goes away, never begins.

        Raises
        ------
        BusyError
            If it takes longer than ``answer_seconds``.
        """
        work = self._pool.submit(function)
        try:
            async with asyncio.timeout(self._seconds) as limit:
                return await asyncio.wrap_future(work)
        except TimeoutError:
            if not limit.expired():  # the function's own
                raise
            raise BusyError(f"no answer within {self._seconds:g} s, come back later") from None
        finally:
            work.cancel()

    def close(self) -> None:
        """Begin nothing more; what runs comes to its end."""
        self._pool.shutdown(wait=False, cancel_futures=True)
