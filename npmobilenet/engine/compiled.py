"""A network whose layers all have kernels, ready to run."""

import ctypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.architecture import Network
from npmobilenet.engine import table as t
from npmobilenet.engine.crew import run
from npmobilenet.engine.drawing import ZEROS
from npmobilenet.engine.fold import fold
from npmobilenet.engine.fuse import fuse
from npmobilenet.engine.packing import aligned, pack
from npmobilenet.engine.pieces import Piece, cut
from npmobilenet.engine.plan import Plan, Planner
from npmobilenet.engine.strassen import choose_strassen

Float32 = NDArray[np.float32]
_PLANS = 16
_IDLE_BUFFERS = 4


@dataclass(frozen=True)
class _Buffers:
    """What one call writes to."""

    job: NDArray[np.int64]
    address: int  # of the job; asking NumPy for it takes longer than a small layer
    counters: NDArray[np.int64]
    store: Float32


@dataclass(frozen=True)
class _Ready:
    """A plan with the buffers of calls that have ended."""

    plan: Plan
    output_shape: tuple[int, ...]
    shapes: Mapping[str, tuple[int, ...]]
    idle: list[_Buffers] = field(default_factory=list)

    def take(self, weights: Float32) -> _Buffers:
        """Buffers that no other call is using."""
        try:
            return self.idle.pop()
        except IndexError:
            pass
        plan, batch = self.plan, self.output_shape[0]
        store = aligned(plan.store_size)
        store[:ZEROS] = 0
        job = plan.job()
        counters = np.zeros(plan.counters(batch) * t.COUNTER_STEP, np.int64)
        job[t.BATCH], job[t.COUNTERS] = batch, counters.ctypes.data
        job[t.STORE], job[t.WEIGHTS] = store.ctypes.data, weights.ctypes.data
        return _Buffers(job, job.ctypes.data, counters, store)

    def give(self, buffers: _Buffers) -> None:
        """Keep the buffers for the next call."""
        if len(self.idle) < _IDLE_BUFFERS:
            self.idle.append(buffers)


class CompiledNetwork:
    """Packed weights and plans. Raises ``UnsupportedError`` if a layer has no kernel."""

    def __init__(
        self, network: Network, weights: Mapping[str, NDArray[Any]], *, fused: bool = True
    ) -> None:
        self.network = network
        steps = fold(network, weights)
        self.steps = fuse(steps) if fused else steps
        choose_strassen(self.steps, network.shapes)
        self._weights, self._places = pack(self.steps)
        self._weights.flags.writeable = False
        self._plan = lru_cache(_PLANS)(self._make_plan)

    def _make_plan(
        self,
        shape: tuple[int, ...],
        batch: int,
        threads: int,
        *,
        keep: bool = False,
        chains: bool = True,
    ) -> _Ready:
        network = self.network.with_input_shape(shape)
        shapes: dict[str, Any] = network.shapes
        planner = Planner(self.steps, self._places, shapes, shape)
        plan = planner.plan(batch, threads, keep=keep, chains=chains)
        return _Ready(plan, (batch, *shapes[network.nodes[-1].name]), shapes)

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
        y, buffers = self._prepare(ready, x)
        buffers.counters.fill(0)
        run(buffers.address, threads)
        return y, buffers

    def _prepare(self, ready: _Ready, x: Float32) -> tuple[Float32, _Buffers]:
        y = np.empty(ready.output_shape, np.float32)
        buffers = ready.take(self._weights)
        buffers.job[t.X], buffers.job[t.Y] = _address(x), _address(y)
        return y, buffers

    def pieces(self, x: Float32, threads: int) -> tuple[list[Piece], Float32]:
        """The steps to be called one by one, for one image, and what the last writes to."""
        ready = self._make_plan(x.shape[1:], 1, threads, chains=False)
        y, buffers = self._prepare(ready, x)
        held = (x, y, buffers)  # the jobs have addresses only
        return cut(ready.plan, buffers.job, buffers.counters, threads, held), y

    def activations(self, x: Float32, threads: int) -> Iterator[tuple[list[str], Float32]]:
        """For each step the layers that it covers and its result, the output of the last."""
        ready = self._make_plan(x.shape[1:], x.shape[0], threads, keep=True)
        y, buffers = self._run(ready, x, threads)
        for step in self.steps[:-1]:
            shape = (x.shape[0], *ready.shapes[step.name])
            begin = ready.plan.kept[step]
            yield step.layers, buffers.store[begin : begin + prod(shape)].reshape(shape).copy()
        yield self.steps[-1].layers, y


def _address(array: Float32) -> int:
    """Where an array's data begin; ``array.ctypes`` takes four times as long to say so."""
    if array.flags.writeable:
        return ctypes.addressof(ctypes.c_char.from_buffer(array.data))
    return array.ctypes.data
