"""What a sliding window looks at."""

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
