"""What kernels are given, in groups that belong together. Offsets count floats."""

from typing import Any, NamedTuple

from npmobilenet.kernels.jit import inlined, jit


class Window(NamedTuple):
    """Sizes of a convolution over one image; the zeros around it are never stored."""

    height: int
    width: int
    channels: int
    out_height: int
    out_width: int
    kernel_height: int
    kernel_width: int
    stride_y: int
    stride_x: int
    dilation_y: int
    dilation_x: int
    pad_top: int
    pad_left: int


class Layer(NamedTuple):
    """Packed weights ``w``, where kernel and norm lie in them, and the activation's limits.

    The norm is what batch norm and bias come to, a shift and a scale for each output channel, as
    :func:`~npmobilenet.kernels.blocks.pack_norm` lays them out. Limits (float32) are infinite
    where there is no activation.
    """

    w: Any
    kernel: int
    norm: int
    low: float
    high: float


class Rows(NamedTuple):
    """Input rows of an image with its channels last.

    Row ``r`` begins at ``data[base + (r % ring) * pitch]``: of a whole image ``ring`` is its
    height. ``data[zeros:]`` holds zeros, two vectors of them.
    """

    data: Any
    base: int
    ring: int
    pitch: int
    zeros: int


class Result(NamedTuple):
    """Where values go: pixel ``i`` to ``out[offset + i * stride:]``.

    ``residual[skip:]`` is laid out alike and added first; ``skip`` is negative if there is none.
    """

    out: Any
    offset: int
    stride: int
    residual: Any
    skip: int


@jit
def moved(result, pixels):
    """The same result from a later pixel on."""
    step = pixels * result.stride
    skip = result.skip + step if result.skip >= 0 else result.skip
    return Result(result.out, result.offset + step, result.stride, result.residual, skip)


@jit
def beside(result, columns):
    """The same result from a later column on."""
    skip = result.skip + columns if result.skip >= 0 else result.skip
    return Result(result.out, result.offset + columns, result.stride, result.residual, skip)


@inlined
def from_column(layer, column, depth):
    """The part of a layer that begins at a panel, with ``depth`` weights for each column."""
    kernel = layer.kernel + column * depth
    return Layer(layer.w, kernel, layer.norm + 2 * column, layer.low, layer.high)
