"""The filters innermost, and the question at the border outside the loop over the channels.

Fixes the jumps: the innermost loop goes along weights and sums in the order in which they lie in
memory, so LLVM makes vectors of it.
Still wrong: all weights, nine times those of a pointwise convolution, stream by for every pixel.
"""

from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.ladder.buffers import Array
from npmobilenet.kernels.ladder.rung import Run, bind
from npmobilenet.kernels.window import Window


@entry
def convolve(x, w, window, out):
    for y in range(window.out_height):
        for i in range(window.out_width):
            sums = out[y, i]
            sums[:] = 0.0
            for ky in range(window.kernel_height):
                for kx in range(window.kernel_width):
                    row = y * window.stride_y - window.pad_top + ky
                    column = i * window.stride_x - window.pad_left + kx
                    if 0 <= row < window.height and 0 <= column < window.width:
                        for c in range(window.channels):
                            factor, weights = x[row, column, c], w[ky, kx, c]
                            for n in range(sums.size):
                                sums[n] += factor * weights[n]


def prepare(window: Window, kernel: Array) -> Run:
    return bind(convolve, kernel, window)
