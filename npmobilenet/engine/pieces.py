"""A network's steps one by one, each as a job of its own: for looking at the clock between them.

A step of the engine is some rows of its table. A job over these rows alone runs the same compiled
code on the same weights and buffers, so jobs called in order compute what one call computes and
find the caches as it does. What a job costs beside its rows is what one without work costs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from npmobilenet.engine import table as t
from npmobilenet.engine.crew import run
from npmobilenet.engine.job import Job, Placed, address_of
from npmobilenet.engine.plan import Plan


@dataclass(frozen=True)
class Piece:
    """A part of a program that can be called by itself.

    Parameters
    ----------
    layers : tuple of str
        Nodes of the network that it covers; none for a copy of the input.
    call : callable
        Runs it. What it reads must be there: pieces are called in order.
    """

    layers: tuple[str, ...]
    call: Callable[[], object]


@dataclass(frozen=True)
class _JobCall(Placed):
    """Runs a job; ``held`` are the input and the output."""

    job: Job
    threads: int
    held: object = None

    def __call__(self) -> None:
        self.job.counters.fill(0)
        run(self.job, self.threads)


def cut(plan: Plan, whole: Job, threads: int, held: object) -> list[Piece]:
    """The steps of a plan for one image, in running order.

    Parameters
    ----------
    plan : Plan
    whole : Job
        Of a call that runs all of them.
    threads : int
    held : object
        The input and the output, which must live as long as the pieces do.
    """
    pieces = []
    begin = 0
    for end, (step, row) in enumerate(zip(plan.steps, plan.table, strict=True), start=1):
        if step is None and row[t.KIND] != t.COPY:
            continue  # the first part of a step that takes several operations
        part = whole.numbers.copy()
        part[t.TABLE] += begin * plan.table.strides[0]
        local = begin < plan.operations
        part[t.OPERATIONS], part[t.TAIL] = (end - begin, 0) if local else (0, end - begin)
        layers = () if step is None else tuple(step.layers)
        job = Job(part, address_of(part), whole.counters, whole.held)
        pieces.append(Piece(layers, _JobCall(job, threads, held)))
        begin = end
    return pieces


def idle(threads: int) -> Callable[[], None]:
    """A job of one operation that has nothing to do."""
    table = np.zeros((1, t.WIDTH), np.int64)
    counters = np.zeros(2 * (1 + threads) * t.COUNTER_STEP, np.int64)
    numbers = np.zeros(t.JOB_SIZE, np.int64)
    numbers[t.TABLE], numbers[t.COUNTERS] = address_of(table), address_of(counters)
    numbers[t.OPERATIONS] = numbers[t.BATCH] = 1
    numbers[t.QUEUES] = threads
    return _JobCall(Job(numbers, address_of(numbers), counters, table), threads)
