"""What kernels are given, in groups that belong together. Offsets count floats."""

from typing import Any, NamedTuple


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
    """Packed weights ``w``, where kernel and bias lie in them, and the activation's limits.

    The bias fills whole vectors; limits (float32) are infinite where there is no activation.
    """

    w: Any
    kernel: int
    bias: int
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
