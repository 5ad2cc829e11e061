"""Arrays for kernels that load whole vectors."""

import math

import numpy as np
from numpy.typing import NDArray

from npmobilenet.kernels.blocks import PANEL
from npmobilenet.kernels.jit import jit
from npmobilenet.kernels.window import Window

Array = NDArray[np.float32]
_LINE = 16  # floats of a cache line


def aligned(shape: tuple[int, ...]) -> Array:
    """Zeros that begin at a cache line, with a panel of further zeros behind their end.

    NumPy's own arrays begin anywhere, and a load of 64 bytes that crosses two lines costs twice.
    The zeros behind the end are there to be read where a vector is wider than what is left of the
    data, and instead of pixels beside the image: from offset ``size`` on. Nothing may write them.
    """
    size = math.prod(shape)
    buffer = np.zeros(size + PANEL + _LINE, np.float32)
    start = -buffer.ctypes.data // 4 % _LINE
    return buffer[start : start + size].reshape(shape)


def aligned_copy(array: Array) -> Array:
    """The same values in an :func:`aligned` array."""
    copy = aligned(array.shape)
    copy[...] = array
    return copy


@jit
def frame(x, window, padded):
    """Copy the image ``x`` into ``padded``, whose frame of zeros is there already."""
    for y in range(window.height):
        for i in range(window.width):
            target, pixel = padded[y + window.pad_top, i + window.pad_left], x[y, i]
            for c in range(pixel.size):  # from 0 on, or Numba minds negative indices at each step
                target[c] = pixel[c]


def padded_shape(window: Window) -> tuple[int, int, int]:
    """Rows and columns that the windows see, zeros included, and the channels."""
    return (
        (window.out_height - 1) * window.stride_y + window.kernel_height,
        (window.out_width - 1) * window.stride_x + window.kernel_width,
        window.channels,
    )
