"""How long each layer takes when the engine runs a network, beside what the layer costs.

Method: each step of the engine (a layer with its batch norm and activation; fused, a whole block)
is run as a job of its own (:mod:`npmobilenet.engine.pieces`): the same compiled code, weights and
buffers, called in the network's order, so that each finds the caches as it does in the run. The
clock is read around each. Every step is finished before the next begins, also where a whole call
runs the first ones depth first (:mod:`npmobilenet.engine.depth_first`). A time has the start of a
job in it, some microseconds: what a job without work takes stands beside the layers, and is not
subtracted, because inside one call passing from layer to layer takes time too.

The whole network is called in the same rounds, and ``accounted`` says which share of its time the
layers add up to: within 5 % of 1, or the machine was not quiet (10 % where all takes less than a
millisecond). The difference is Python at the two ends of a call, and the starts of the jobs.

One image, medians over the rounds, the rounds that warm up left out. 1 MAC = 2 FLOP, and the FMA
peak is measured after every round. Bytes are those of :mod:`npmobilenet.analysis.cost`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter, sleep

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.calibrated import calibrated_weights, natural_images
from npmobilenet.analysis.cost import LayerCost, stage_costs
from npmobilenet.analysis.machine import Neighbours, cpu_name, pinned
from npmobilenet.analysis.rounds import Clock, measure
from npmobilenet.analysis.stages import Stage
from npmobilenet.architecture import Network, Shape
from npmobilenet.engine import NumbaProgram
from npmobilenet.engine.pieces import idle
from npmobilenet.kernels.peak import fma_peak

Weights = Mapping[str, NDArray[np.float32]]

_PEAK_SECONDS = 0.002
_HELPERS_SLEEP = 0.003  # after so long the engine's threads leave the cores to others


@dataclass(frozen=True)
class LayerTime:
    """One step of the engine."""

    cost: LayerCost
    kind: str
    """As :attr:`Stage.kind` names it."""
    seconds: float
    total: float
    """Seconds of all layers together."""
    peak: float
    """FMA peak of as many threads, in FLOP/s."""

    @property
    def flops_per_second(self) -> float:
        """Multiply-adds only, two FLOP for each."""
        return self.cost.flops / self.seconds if self.seconds else 0.0

    @property
    def bytes_per_second(self) -> float:
        """Weights and activations, read and written."""
        return self.cost.bytes / self.seconds if self.seconds else 0.0

    @property
    def share_of_peak(self) -> float:
        """FLOP/s over the FMA peak."""
        return self.flops_per_second / self.peak

    @property
    def share_of_time(self) -> float:
        """Of the seconds of all layers."""
        return self.seconds / self.total if self.total else 0.0


@dataclass(frozen=True)
class Profile:
    """A network's layers in running order, and what was measured beside them."""

    network: str
    input_shape: Shape
    fused: bool
    threads: int
    layers: tuple[LayerTime, ...]
    seconds: float
    """One call of the whole program."""
    copy_seconds: float
    """Of a copy of the input, which networks need that do not begin with a convolution."""
    idle_seconds: float
    """Of a job without work: shorter times mean nothing."""
    peak: float
    """FMA peak of as many threads, in FLOP/s."""
    rounds: int
    cpu: str
    busy: float
    """Cores that other processes kept busy meanwhile."""

    @property
    def layers_seconds(self) -> float:
        """All layers, without the copy of the input."""
        return sum(layer.seconds for layer in self.layers)

    @property
    def accounted(self) -> float:
        """Share of the whole call that the layers and the copy add up to."""
        return (self.layers_seconds + self.copy_seconds) / self.seconds

    @property
    def macs(self) -> int:
        """Multiply-adds of the network."""
        return sum(layer.cost.macs for layer in self.layers)

    @property
    def share_of_peak(self) -> float:
        """FLOP/s of the whole call over the FMA peak."""
        return 2 * self.macs / self.seconds / self.peak


@dataclass(frozen=True)
class Subject:
    """A network to be measured; without weights it gets random ones that suit it."""

    network: Network
    weights: Weights | None = None
    fused: bool = True


def profile(
    network: Network,
    weights: Weights | None = None,
    *,
    fused: bool = True,
    threads: int = 1,
    seconds: float = 1.0,
    clock: Clock = perf_counter,
) -> Profile:
    """Measure the layers of a network.

    Parameters
    ----------
    network : Network
        Its height and width must be known.
    weights : mapping of str to array, optional
        By default :func:`~npmobilenet.analysis.calibrated.calibrated_weights`.
    fused : bool
        Whether blocks run as one kernel, as they do in ``predict``.
    threads : int
    seconds : float
        How long to measure, about.
    clock : callable
        Gives seconds.

    Raises
    ------
    ValueError
        If a size is not known or ``threads`` is below 1.
    """
    subject = Subject(network, weights, fused)
    return profile_together([subject], threads=threads, seconds=seconds, clock=clock)[0]


def profile_together(
    subjects: Sequence[Subject],
    *,
    threads: int = 1,
    seconds: float = 1.0,
    clock: Clock = perf_counter,
) -> list[Profile]:
    """Measure networks in the same rounds, so that their times may be compared.

    Parameters and errors as :func:`profile`, for each subject; ``seconds`` is for all.
    """
    prepared = [_with_weights(subject) for subject in subjects]
    with pinned(threads):
        runs = [_Run(*one, threads) for one in prepared]
        calls = [call for run in runs for call in run.calls]
        peaks: list[float] = []
        neighbours = Neighbours()
        empty_job = idle(threads)
        calls += [empty_job, empty_job]
        times = measure(
            calls, seconds, between=lambda: peaks.append(measure_peak(threads)), clock=clock
        )
        busy = neighbours.busy()
    medians = [median(taken) for taken in times]
    empty, _ = medians.pop(), medians.pop()  # the first finds its code out of the caches
    found = []
    for run in runs:
        own, medians = medians[: len(run.calls)], medians[len(run.calls) :]
        found.append(run.result(own, empty, median(peaks), len(times[0]), busy))
    return found


def measure_peak(threads: int) -> float:
    """The FMA peak, in FLOP/s, a moment after calls of the engine."""
    sleep(_HELPERS_SLEEP if threads > 1 else 0)
    return fma_peak(threads, _PEAK_SECONDS)


def _with_weights(subject: Subject) -> tuple[Subject, Weights, NDArray[np.float32]]:
    """The subject with weights, and an image for it."""
    network = subject.network
    if None in network.input_shape:
        raise ValueError(
            f"network {network.name!r} takes any input size, and its time depends on it: give "
            f"one (Network.with_input_shape); its input shape is {network.input_shape}"
        )
    image = natural_images(network)
    weights = subject.weights
    return subject, calibrated_weights(network, image) if weights is None else weights, image


class _Run:
    """A subject ready to run: the whole, its steps, the whole again."""

    def __init__(
        self, subject: Subject, weights: Weights, image: NDArray[np.float32], threads: int
    ) -> None:
        self._subject, self._threads = subject, threads
        program = NumbaProgram(subject.network, weights, fused=subject.fused)
        self._pieces, _ = program.pieces(image, threads)

        def whole() -> None:
            program(image, threads)

        # The first brings the network's data back into the caches; its time is not used.
        self.calls: list[Callable[[], object]] = [
            whole,
            *(piece.call for piece in self._pieces),
            whole,
        ]

    def result(
        self, medians: list[float], empty: float, peak: float, rounds: int, busy: float
    ) -> Profile:
        network = self._subject.network
        grouped = grouped_layers(network, [piece.layers for piece in self._pieces])
        stages = [Stage(tuple(network[name] for name in layers)) for layers, _ in grouped]
        steps = medians[1:-1]
        seconds = [steps[number] for _, number in grouped]
        total = sum(seconds)
        costs = stage_costs(network, stages)
        return Profile(
            network=network.name,
            input_shape=network.input_shape,
            fused=self._subject.fused,
            threads=self._threads,
            layers=tuple(
                LayerTime(cost, stage.kind, taken, total, peak)
                for cost, stage, taken in zip(costs, stages, seconds, strict=True)
            ),
            seconds=medians[-1],
            copy_seconds=sum(
                taken for piece, taken in zip(self._pieces, steps, strict=True) if not piece.layers
            ),
            idle_seconds=empty,
            peak=peak,
            rounds=rounds,
            cpu=cpu_name(),
            busy=busy,
        )


def grouped_layers(
    network: Network, pieces: Sequence[tuple[str, ...]]
) -> list[tuple[tuple[str, ...], int]]:
    """Which layers each row of a profile has, every layer in one row, and which piece.

    A layer that two rows use (padding) counts to the first, one in no piece (a view) to the row
    that it reads. Pieces without layers are in no row.
    """
    rows = [number for number, layers in enumerate(pieces) if layers]
    row_of: dict[str, int] = {}
    for row, number in enumerate(rows):
        for name in pieces[number]:
            row_of.setdefault(name, row)
    members: list[list[str]] = [[] for _ in rows]
    for node in network.nodes[1:]:
        row = row_of.setdefault(node.name, row_of.get(node.inputs[0], 0))
        members[row].append(node.name)
    return [(tuple(names), number) for names, number in zip(members, rows, strict=True)]
