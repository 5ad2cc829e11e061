"""How fast each rung of the ladders in :mod:`npmobilenet.kernels.ladder` is.

All rungs of a ladder and the machine's peak are measured in turn, round after round, so that what
slows the machine down slows all of them down. Measurements are short and many, so that most of
them, and with them the median, escape what else runs. 1 MAC counts as 2 FLOP, as does 1 fused
multiply-add of the peak.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import ceil
from statistics import median
from threading import Barrier
from time import perf_counter

import numpy as np

from npmobilenet.analysis.machine import threads_text
from npmobilenet.kernels.ladder import LADDERS, Rung
from npmobilenet.kernels.ladder.buffers import Array, aligned, aligned_copy
from npmobilenet.kernels.ladder.rung import Run, same_window
from npmobilenet.kernels.peak import all_or_none, fma_peak
from npmobilenet.reference import (
    FloatArray,
    convolution,
    depthwise_convolution,
    pointwise_convolution,
    separable_convolution,
)

FLOP_PER_MAC = 2

DEFAULT_SHAPES: dict[str, tuple[int, int, int]] = {
    "depthwise": (56, 56, 128),
    "pointwise": (14, 14, 512),
    "standard": (28, 28, 128),
    "separable": (56, 56, 128),
}
"""A layer of MobileNet for each operation; the standard convolution takes a tenth of a second."""

_SHORT = 0.002  # seconds that one measurement takes at least
_LONG = 0.02  # a rung that takes longer than this is measured in fewer rounds
_FEW = 5
_LARGEST_ERROR = 1e-4  # of the largest value; float32 sums of 9216 products stay below 1e-5

Call = Callable[[], None]


@dataclass(frozen=True)
class RungSpeed:
    """One rung on one layer.

    Parameters
    ----------
    operation, number, name, idea
        Which rung.
    shape : (height, width, channels)
        Of the image; each thread has one of its own.
    filters, stride, threads : int
    macs : int
        Multiply-accumulates of one image.
    seconds : float
        Median time of one image on one thread.
    flops : float
        Median FLOP/s of all threads together.
    peak : float
        Median FMA peak of as many threads, in FLOP/s: one figure for all rungs.
    error : float
        Largest difference from the reference in float64, relative to the largest value.
    """

    operation: str
    number: int
    name: str
    idea: str
    shape: tuple[int, int, int]
    filters: int
    stride: int
    threads: int
    macs: int
    seconds: float
    flops: float
    peak: float
    error: float

    @property
    def share(self) -> float:
        """Of the FMA peak."""
        return self.flops / self.peak

    @property
    def layer(self) -> str:
        """What was measured, in words."""
        size = "x".join(map(str, self.shape))
        filters = "" if self.operation == "depthwise" else f" to {self.filters} channels"
        return (
            f"{self.operation} convolution, {size}{filters}, stride {self.stride}, "
            f"{threads_text(self.threads)}"
        )


def measure_ladder(
    operation: str,
    shape: tuple[int, int, int] | None = None,
    *,
    filters: int | None = None,
    stride: int = 1,
    threads: int = 1,
    rounds: int = 21,
) -> list[RungSpeed]:
    """Check each rung of an operation against the reference, then measure it.

    Parameters
    ----------
    operation : {"depthwise", "pointwise", "standard", "separable"}
    shape : (height, width, channels), optional
        By default that of a layer of MobileNet.
    filters : int, optional
        Output channels; by default as many as the image has.
    stride : {1, 2}
        1 for a pointwise convolution.
    threads : int
        Threads that work at the same time, each on images of its own.
    rounds : int
        Measurements of each rung; slow rungs are measured in the first five rounds only.

    Returns
    -------
    list of RungSpeed
        Lowest rung first.

    Raises
    ------
    ValueError
        If there is no such operation, or it cannot have such filters or such a stride.
    RuntimeError
        If a rung does not compute what the reference does.
    """
    if operation not in LADDERS:
        raise ValueError(f"there is no ladder {operation!r}, but {', '.join(LADDERS)}")
    shape = shape or DEFAULT_SHAPES[operation]
    filters = filters or shape[2]
    if operation == "depthwise" and filters != shape[2]:
        raise ValueError(f"a depthwise convolution of {shape[2]} channels has as many filters")
    if operation == "pointwise" and stride != 1:
        raise ValueError(f"the pointwise convolution of MobileNet has stride 1, not {stride}")
    random = np.random.default_rng(0)
    image = random.standard_normal((1, *shape), np.float32)
    kernels = [
        random.standard_normal(size, np.float32)
        for size in _kernel_shapes(operation, shape[2], filters)
    ]
    rungs = LADDERS[operation]
    exact = _reference(operation, image, kernels, stride)
    errors = [_error(rung, image, kernels, stride, exact) for rung in rungs]
    macs = exact.shape[1] * exact.shape[2] * sum(kernel.size for kernel in kernels)
    # Every rung finds the same buffers in the caches.
    buffers = [(aligned_copy(image[0]), aligned(exact.shape[1:])) for _ in range(threads)]
    window = same_window(shape, kernels[0].shape[:2], stride)
    calls = [[_call(rung.prepare(window, *kernels), *own) for own in buffers] for rung in rungs]
    rates, peak = _measure(calls, threads, rounds)
    return [
        RungSpeed(
            operation=operation,
            number=rung.number,
            name=rung.name,
            idea=rung.idea,
            shape=shape,
            filters=filters,
            stride=stride,
            threads=threads,
            macs=macs,
            seconds=threads / median(rate),
            flops=FLOP_PER_MAC * macs * median(rate),
            peak=peak,
            error=error,
        )
        for rung, rate, error in zip(rungs, rates, errors, strict=True)
    ]


def _kernel_shapes(operation: str, channels: int, filters: int) -> list[tuple[int, int, int, int]]:
    """Keras' layouts."""
    depthwise, pointwise = (3, 3, channels, 1), (1, 1, channels, filters)
    return {
        "depthwise": [depthwise],
        "pointwise": [pointwise],
        "standard": [(3, 3, channels, filters)],
        "separable": [depthwise, pointwise],
    }[operation]


def _reference(operation: str, image: Array, kernels: list[Array], stride: int) -> FloatArray:
    precise = image.astype(np.float64)
    if operation == "pointwise":
        return pointwise_convolution(precise, *kernels)
    twins: dict[str, Callable[..., FloatArray]] = {
        "depthwise": depthwise_convolution,
        "standard": convolution,
        "separable": separable_convolution,
    }
    return twins[operation](precise, *kernels, strides=(stride, stride), padding="same")


def _error(rung: Rung, image: Array, kernels: list[Array], stride: int, exact: FloatArray) -> float:
    difference = np.abs(rung(image, *kernels, stride=stride) - exact).max()
    error = float(difference / np.abs(exact).max())
    if not error <= _LARGEST_ERROR:
        raise RuntimeError(
            f"{rung.operation} rung {rung.number} ({rung.name}) differs from the reference by "
            f"{error:.1e} of the largest value; at most {_LARGEST_ERROR:.0e} is rounding"
        )
    return error


def _call(run: Run, image: Array, output: Array) -> Call:
    return lambda: run(image, output)


def _measure(calls: list[list[Call]], threads: int, rounds: int) -> tuple[list[list[float]], float]:
    """Calls a second of all threads for each rung and round, and the median peak."""
    rates: list[list[float]] = [[] for _ in calls]
    peaks = []
    once = [_seconds(of_threads[0], 1) for of_threads in calls]
    with ThreadPoolExecutor(threads) as pool:
        for number in range(rounds):
            for rung, of_threads in enumerate(calls):
                if number >= _FEW and once[rung] > _LONG:
                    continue
                repeats = ceil(_SHORT / once[rung])
                peaks.append(fma_peak(threads, _SHORT))
                rates[rung].append(_rate(pool, of_threads, repeats))
    return rates, median(peaks)


def _rate(pool: ThreadPoolExecutor, of_threads: list[Call], repeats: int) -> float:
    """Calls a second of all threads; each is timed by itself, as the peak is."""
    start = Barrier(len(of_threads))

    def rate(call: Call) -> float:
        with all_or_none(start):
            if repeats > 1:
                call()  # brings its weights into the caches
            start.wait()
        return repeats / _seconds(call, repeats)

    with all_or_none(start):
        return sum(pool.map(rate, of_threads))


def _seconds(call: Call, repeats: int) -> float:
    began = perf_counter()
    for _ in range(repeats):
        call()
    return perf_counter() - began
