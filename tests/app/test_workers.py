"""Admission, time limits, and functions that never begin once nobody waits for them."""

import asyncio
import threading

import pytest

from npmobilenet.app.failures import BusyError
from npmobilenet.app.limits import Limits, Settings
from npmobilenet.app.service import Service
from npmobilenet.app.workers import Workers


@pytest.fixture
def gate():
    """An event that functions of a test wait for; it opens at the end of the test."""
    event = threading.Event()
    yield event
    event.set()


def test_results_and_failures_come_back():
    async def run():
        workers = Workers(Limits(running=2))
        assert await workers.run(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await workers.run(lambda: 1 // 0)
        with pytest.raises(TimeoutError):  # the function's own, not the limit's
            await workers.run(timed_out)
        workers.close()

    def timed_out():
        raise TimeoutError

    asyncio.run(run())


def test_no_more_are_let_in_than_may_run_and_wait():
    workers = Workers(Limits(running=2, waiting=1))
    with workers.admit(), workers.admit(), workers.admit():
        assert workers.admitted == 3
        with pytest.raises(BusyError, match="3 requests"), workers.admit():
            pass
    assert workers.admitted == 0
    with workers.admit():
        assert workers.admitted == 1
    workers.close()


def test_the_event_loop_goes_on_while_threads_compute(gate):
    async def run():
        workers = Workers(Limits(running=1))
        work = asyncio.create_task(workers.run(gate.wait))
        await asyncio.sleep(0.01)
        assert not work.done()
        gate.set()
        assert await work
        workers.close()

    asyncio.run(run())


def test_what_has_not_begun_in_time_never_begins(gate):
    begun = []

    async def run():
        workers = Workers(Limits(running=1, answer_seconds=0.05))
        first = asyncio.create_task(workers.run(gate.wait))
        await asyncio.sleep(0.01)
        with pytest.raises(BusyError, match="within"):
            await workers.run(lambda: begun.append(1))
        with pytest.raises(BusyError):
            await first
        gate.set()
        assert await workers.run(lambda: 5) == 5
        workers.close()

    asyncio.run(run())
    assert begun == []


def test_what_is_given_up_never_begins(gate):
    begun = []

    async def run():
        workers = Workers(Limits(running=1))
        first = asyncio.create_task(workers.run(gate.wait))
        second = asyncio.create_task(workers.run(lambda: begun.append(1)))
        await asyncio.sleep(0.01)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        gate.set()
        await first
        workers.close()

    asyncio.run(run())
    assert begun == []


def test_the_service_turns_away_who_cannot_wait(model_file, gate):
    limits = Limits(running=1, waiting=1)

    async def run():
        service = Service(Settings(models=(model_file,), limits=limits))
        waiting = [asyncio.create_task(service.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0.01)
        with pytest.raises(BusyError):
            await service.run(lambda: 1)
        gate.set()
        assert await asyncio.gather(*waiting) == [True, True]
        assert await service.run(lambda: 1) == 1
        service.close()

    asyncio.run(run())
