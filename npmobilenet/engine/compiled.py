"""A network whose layers all have kernels, ready to run."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.architecture import Network
from npmobilenet.engine import table as t
from npmobilenet.engine.checking import checking, verifying
from npmobilenet.engine.crew import run
from npmobilenet.engine.drawing import ZEROS
from npmobilenet.engine.fold import fold
from npmobilenet.engine.fuse import fuse
from npmobilenet.engine.guarded import guarded, seal
from npmobilenet.engine.inspection import guarded_copy, inspect
from npmobilenet.engine.job import Job, Placed, address_of
from npmobilenet.engine.packing import Packed, aligned, pack
from npmobilenet.engine.pieces import Piece, cut
from npmobilenet.engine.plan import Plan, Planner
from npmobilenet.engine.steps import Linear, Step, name_whole_layers
from npmobilenet.engine.strassen import choose_strassen
from npmobilenet.engine.verify import Subject, verify

Float32 = NDArray[np.float32]
_PLANS = 16
_IDLE_BUFFERS = 4


@dataclass(frozen=True)
class _Buffers(Placed):
    """What one call writes to, the output apart."""

    job: Job
    store: Float32


@dataclass(frozen=True)
class _Ready(Placed):
    """A plan with the buffers of calls that have ended."""

    plan: Plan
    output_shape: tuple[int, ...]
    shapes: Mapping[str, tuple[int, ...]]
    weights: Float32
    checked: bool
    idle: list[_Buffers] = field(default_factory=list)

    def take(self) -> _Buffers:
        """Buffers that no other call is using."""
        try:
            return self.idle.pop()
        except IndexError:
            pass
        plan, batch = self.plan, self.output_shape[0]
        store = aligned(plan.store_size)
        store[:ZEROS] = 0
        numbers = plan.job()
        size = plan.counters(batch) * t.COUNTER_STEP
        counters = guarded(size, np.int64) if self.checked else np.zeros(size, np.int64)
        numbers[t.BATCH], numbers[t.COUNTERS] = batch, address_of(counters)
        numbers[t.STORE], numbers[t.WEIGHTS] = address_of(store), address_of(self.weights)
        job = Job(numbers, address_of(numbers), counters, (plan, self.weights, store))
        return _Buffers(job, store)

    def give(self, buffers: _Buffers) -> None:
        """Keep the buffers for the next call."""
        if len(self.idle) < _IDLE_BUFFERS:
            self.idle.append(buffers)


class _Plans:
    """Makes plans, and keeps the last few."""

    def __init__(
        self, network: Network, steps: list[Step], places: Mapping[Linear, Packed], weights: Float32
    ) -> None:
        self._network, self._steps, self._places = network, steps, places
        self._weights = weights

    def make(
        self,
        shape: tuple[int, ...],
        batch: int,
        threads: int,
        *,
        keep: bool = False,
        chains: bool = True,
    ) -> _Ready:
        """A plan as :class:`Planner` makes it, for an input shape."""
        network = self._network.with_input_shape(shape)
        shapes: dict[str, Any] = network.shapes
        planner = Planner(self._steps, self._places, shapes, shape)
        plan = planner.plan(batch, threads, keep=keep, chains=chains)
        if verifying():
            subject = Subject(self._steps, self._places, self._weights.size, shapes, shape, batch)
            verify(plan, subject)
        output_shape = (batch, *shapes[network.nodes[-1].name])
        return _Ready(plan, output_shape, shapes, self._weights, checking())


class CompiledNetwork(Placed):
    """Packed weights and plans. Raises ``UnsupportedError`` if a layer has no kernel."""

    def __init__(
        self, network: Network, weights: Mapping[str, NDArray[Any]], *, fused: bool = True
    ) -> None:
        self.network = network
        steps = fold(network, weights)
        self.steps = fuse(steps) if fused else steps
        name_whole_layers(self.steps)
        choose_strassen(self.steps, network.shapes, network.input_shape[-1] or 0)
        packed, places = pack(self.steps)
        packed.flags.writeable = False
        if checking():
            seal(packed)
        # Of another object, so that nothing here refers to itself: memory is free at once.
        self._make_plan = _Plans(network, self.steps, places, packed).make
        self._plan = lru_cache(_PLANS)(self._make_plan)

    def __call__(self, x: Float32, threads: int) -> Float32:
        """The output for a batch: C-ordered float32 of a shape that fits the network."""
        if not x.shape[0]:
            output = self.network.with_input_shape(x.shape[1:]).output_shape
            return np.empty((0, *(size or 0 for size in output)), np.float32)
        ready = self._plan(x.shape[1:], x.shape[0], threads)
        y, buffers = self._run(ready, x, threads)
        ready.give(buffers)
        return y

    def _run(self, ready: _Ready, x: Float32, threads: int) -> tuple[Float32, _Buffers]:
        if ready.checked:
            return self._inspected(ready, x, threads)
        y = np.empty(ready.output_shape, np.float32)
        buffers = self._prepare(ready, x, y)
        buffers.job.counters.fill(0)
        run(buffers.job, threads)
        return y, buffers

    def _inspected(self, ready: _Ready, x: Float32, threads: int) -> tuple[Float32, _Buffers]:
        used: list[_Buffers] = []

        def call(x: Float32, y: Float32, prepare: Callable[[Float32], None]) -> Float32:
            used.append(self._prepare(ready, x, y))
            prepare(used[-1].store)
            used[-1].job.counters.fill(0)
            run(used[-1].job, threads)
            return used[-1].store

        y = inspect(ready.plan, x, ready.output_shape, call)
        return y, used[-1]

    def _prepare(self, ready: _Ready, x: Float32, y: Float32) -> _Buffers:
        buffers = ready.take()
        numbers = buffers.job.numbers
        numbers[t.X], numbers[t.Y] = address_of(x), address_of(y)
        return buffers

    def pieces(self, x: Float32, threads: int) -> tuple[list[Piece], Float32]:
        """The steps to be called one by one, for one image, and what the last writes to."""
        ready = self._make_plan(x.shape[1:], 1, threads, chains=False)
        y: Float32 = np.empty(ready.output_shape, np.float32)
        if ready.checked:
            x, y = guarded_copy(x, end=True), guarded(y.size, line=False).reshape(y.shape)
        buffers = self._prepare(ready, x, y)
        return cut(ready.plan, buffers.job, threads, (x, y)), y

    def activations(self, x: Float32, threads: int) -> Iterator[tuple[list[str], Float32]]:
        """For each step the layers that it covers and its result, the output of the last."""
        ready = self._make_plan(x.shape[1:], x.shape[0], threads, keep=True)
        y, buffers = self._run(ready, x, threads)
        for step in self.steps:
            if step.inner:
                continue
            value = y
            if step is not self.steps[-1]:
                begin = ready.plan.kept[step]
                end = begin + x.shape[0] * prod(ready.shapes[step.name])
                value = buffers.store[begin:end].copy()
            for layers in (step.layers, *([name] for name in step.views)):
                yield layers, value.reshape(x.shape[0], *ready.shapes[layers[-1]])
