"""All weights of a network in one block of memory, each laid out for its kernel."""

import mmap
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npmobilenet.engine.checking import checking
from npmobilenet.engine.guarded import guarded
from npmobilenet.engine.steps import (
    Convolution,
    Depthwise,
    ExpandDepthwise,
    Inverted,
    Linear,
    Separable,
    Step,
    as_float32,
)
from npmobilenet.kernels.blocks import pack_norm, round_up
from npmobilenet.kernels.depthwise import pack_depthwise
from npmobilenet.kernels.host import LANES
from npmobilenet.kernels.product import pack_panels
from npmobilenet.kernels.strassen import pack_strassen, powers_of_columns

Float32 = NDArray[np.float32]
_PAGE = 1 << 21  # huge pages where the system has them: weights are read from end to end


@dataclass(frozen=True)
class Packed:
    """Where a layer's kernel, norm and limits lie."""

    kernel: int
    norm: int
    limits: int


def aligned(size: int) -> Float32:
    """Uninitialised float32 values that begin on a cache line, on a huge page if they are many."""
    if checking():
        return guarded(size)
    if size * 4 >= _PAGE and hasattr(mmap, "MADV_HUGEPAGE"):
        # Memory that malloc has at hand may be in small pages already.
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        try:
            memory = mmap.mmap(-1, size * 4 + _PAGE, flags=flags)
        except OSError as error:
            raise MemoryError(f"no memory for {size} float32 values: {error}") from error
        with suppress(OSError):  # a kernel without them
            memory.madvise(mmap.MADV_HUGEPAGE)
        values = np.frombuffer(memory, np.float32)
        return values[-values.ctypes.data % _PAGE // 4 :][:size]
    values = np.empty(size + 16, np.float32)
    return values[-values.ctypes.data % 64 // 4 :][:size]


def linear_parts(step: Step) -> tuple[Linear, ...]:
    """The layers with weights that a step runs, in running order."""
    match step:
        case Linear():
            return (step,)
        case Separable():
            return step.depthwise, step.pointwise
        case ExpandDepthwise():
            return step.expand, step.depthwise
        case Inverted():
            return step.expand, step.depthwise, step.project
    return ()


def pack(steps: list[Step]) -> tuple[Float32, dict[Linear, Packed]]:
    """The block, and where each layer's weights lie in it."""
    pieces = [np.empty(0, np.float32)]  # a network may have no weights
    size = 0
    places: dict[Linear, Packed] = {}
    for layer in (part for step in steps for part in linear_parts(step)):
        offsets = []
        for values in _pieces(layer):
            offsets.append(size)
            pieces.append(values)
            size += values.size
        places[layer] = Packed(*offsets)
        # The packed copy is all that is read from now on, besides the shape.
        layer.kernel = np.broadcast_to(np.float32(0), layer.kernel.shape)
    block = aligned(size + LANES)
    np.concatenate(pieces, out=block[:size])
    block[size:] = 0
    return block, places


def _pieces(layer: Linear) -> tuple[Float32, Float32, Float32]:
    weights, scale = as_float32(layer.kernel), layer.scale
    if isinstance(layer, Depthwise):
        kernel = pack_depthwise(weights)
    else:
        matrix = weights.reshape(-1, weights.shape[-1])
        if isinstance(layer, Convolution) and layer.strassen:
            # Its sums mix columns: those of like size lose nothing. The scale undoes it.
            powers = powers_of_columns(matrix)
            kernel, scale = pack_strassen(matrix / powers), scale * powers
        else:
            kernel = pack_panels(matrix)
    norm = pack_norm(as_float32(layer.bias), as_float32(scale))
    limits = np.zeros(16, np.float32)
    limits[:2] = layer.low, layer.high
    return _whole_lines(kernel), _whole_lines(norm), limits


def _whole_lines(values: Float32) -> Float32:
    """``values`` followed by zeros, up to a whole cache line."""
    if values.size % 16 == 0:
        return values
    filled = np.zeros(round_up(values.size, 16), np.float32)
    filled[: values.size] = values
    return filled
