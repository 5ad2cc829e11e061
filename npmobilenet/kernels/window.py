"""What a convolution is given: the window it slides, and its weights."""

from typing import NamedTuple


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
    """Where packed weights and bias lie in ``w``, and the limits of the activation (float32).

    The bias fills whole vectors; limits are infinite where there is no activation.
    """

    kernel: int
    bias: int
    low: float
    high: float
