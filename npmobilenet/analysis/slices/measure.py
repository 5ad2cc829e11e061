"""Memory and time of a block in slices, predicted and measured.

Memory is that of activations: the block's input, its output, and what is made in between. The
weights are there anyway. 4 bytes a value.
"""

import tracemalloc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.slices.block import (
    Block,
    block_name,
    blocks,
    read_block,
    run_in_slices,
)
from npmobilenet.architecture import Input, Network, Node
from npmobilenet.architecture.shapes import count
from npmobilenet.interpreter import NumpyProgram

_VALUE = 4  # bytes
_SECONDS = 0.3  # of measuring for each number of slices
_FEWEST, _MOST = 3, 50  # runs of it


@dataclass(frozen=True)
class SliceCost:
    """The block in one number of slices.

    Parameters
    ----------
    t : int
    channels : int
        Of the largest slice.
    paper_bytes : int
        Input, output, and one slice before and behind the depthwise convolution: what the paper's
        equation counts.
    predicted_bytes : int
        The same with the frame of zeros around the slice, and one row of the projection.
    measured_bytes : int
        The peak of what was allocated, the input included; NumPy's own buffers, some 30 kB, too.
    seconds : float
        Median for one image, in NumPy.
    error : float
        Largest difference from the block in float64, over its largest value.
    """

    t: int
    channels: int
    paper_bytes: int
    predicted_bytes: int
    measured_bytes: int
    seconds: float
    error: float


@dataclass(frozen=True)
class Slices:
    """A block in all numbers of slices that were asked for.

    Parameters
    ----------
    network, block : str
    input_shape, output_shape : (height, width, channels)
    expanded : int
        Channels of the expansion.
    rows : tuple of SliceCost
    """

    network: str
    block: str
    input_shape: tuple[int, int, int]
    output_shape: tuple[int, int, int]
    expanded: int
    rows: tuple[SliceCost, ...]


def measure_slices(
    network: Network,
    weights: Mapping[str, NDArray[Any]],
    block: str | None = None,
    slices: Sequence[int] = (),
    *,
    seed: int = 0,
) -> Slices:
    """Evaluate one of V2's blocks in slices.

    Parameters
    ----------
    network : Network
        Height and width known.
    weights : mapping of str to array
    block : str, optional
        ``"block_1"``; by default the one whose expansion is largest.
    slices : sequence of int, optional
        Numbers of slices; by default all that divide the channels.
    seed : int
        Of the image, whose values are normally distributed.

    Raises
    ------
    ValueError
        If the network has no such block, or a block not so many channels.
    """
    stages = {block_name(stage): stage for stage in blocks(network)}
    if not stages:
        raise ValueError(f"network {network.name!r} has no inverted residual with an expansion")
    if block is None:
        block = max(stages, key=lambda name: count(network.shapes[stages[name].nodes[0].name]))
    if block not in stages:
        raise ValueError(f"block must be one of {', '.join(stages)}; found {block!r}")
    found = read_block(network, weights, stages[block])
    n = found.expanded
    wanted = sorted(set(slices)) or [t for t in range(1, n + 1) if n % t == 0]
    x = np.random.default_rng(seed).normal(size=found.input_shape).astype(np.float32)
    exact = _exact(network, weights, found, x)
    return Slices(
        network=network.name,
        block=block,
        input_shape=found.input_shape,
        output_shape=found.output_shape,
        expanded=n,
        rows=tuple(_row(found, x, exact, t) for t in wanted),
    )


def _row(block: Block, x: NDArray[np.float32], exact: NDArray[np.float64], t: int) -> SliceCost:
    output = run_in_slices(block, x, t)
    channels = -(-block.expanded // t)
    height, width, _ = block.input_shape
    (top, bottom), (left, right) = block.frame
    framed = (top + height + bottom) * (left + width + right)
    filtered = block.output_shape[0] * block.output_shape[1]
    ends = count(block.input_shape) + count(block.output_shape)
    row = block.output_shape[1] * block.output_shape[2]
    return SliceCost(
        t=t,
        channels=channels,
        paper_bytes=_VALUE * (ends + channels * (height * width + filtered)),
        predicted_bytes=_VALUE * (ends + channels * (framed + filtered) + row),
        measured_bytes=peak_bytes(block, x, t),
        seconds=_time(block, x, t),
        error=float(np.abs(output - exact).max() / np.abs(exact).max()),
    )


def peak_bytes(block: Block, x: NDArray[np.float32], t: int) -> int:
    """The most memory that is allocated while the block runs, its input included."""
    running = tracemalloc.is_tracing()
    if not running:
        tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        run_in_slices(block, x, t)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        if not running:
            tracemalloc.stop()
    return peak - before + x.nbytes


def _time(block: Block, x: NDArray[np.float32], t: int) -> float:
    seconds: list[float] = []
    while len(seconds) < _FEWEST or (sum(seconds) < _SECONDS and len(seconds) < _MOST):
        start = perf_counter()
        run_in_slices(block, x, t)
        seconds.append(perf_counter() - start)
    return median(seconds)


def _exact(
    network: Network, weights: Mapping[str, NDArray[Any]], block: Block, x: NDArray[np.float32]
) -> NDArray[np.float64]:
    """The block's layers as the network has them, in float64."""
    first = Node(Input(name=block.source, shape=block.input_shape), ())
    program = NumpyProgram(Network(network.name, (first, *block.nodes)), weights)
    exact: NDArray[np.float64] = program(x[np.newaxis].astype(np.float64))[0]
    return exact
