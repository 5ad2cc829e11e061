"""The sum of the definition, one output value after the other.

Still wrong: the innermost loop reads weights that lie a whole row of filters apart, every product
asks whether its pixel is inside the image, and every addition waits for the one before.
"""

import numpy as np

from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.ladder.buffers import Array
from npmobilenet.kernels.ladder.rung import Run, bind
from npmobilenet.kernels.window import Window


@entry
def convolve(x, w, window, out):
    for y in range(window.out_height):
        for i in range(window.out_width):
            for n in range(w.shape[3]):
                total = np.float32(0.0)
                for ky in range(window.kernel_height):
                    for kx in range(window.kernel_width):
                        for c in range(window.channels):
                            row = y * window.stride_y - window.pad_top + ky
                            column = i * window.stride_x - window.pad_left + kx
                            if 0 <= row < window.height and 0 <= column < window.width:
                                total += x[row, column, c] * w[ky, kx, c, n]
                out[y, i, n] = total


def prepare(window: Window, kernel: Array) -> Run:
    return bind(convolve, kernel, window)
