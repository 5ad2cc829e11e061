"""The channels innermost: NHWC keeps the channels of a pixel together.

Fixes the jumps: pixel, weights and sums are read in the order in which they lie in memory, LLVM
makes vectors of the loop, and one question at the border serves all channels.
Still wrong: a sum is loaded and stored for each of its nine products.
"""

from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.ladder.buffers import Array
from npmobilenet.kernels.ladder.depthwise.channels import filters
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
                        pixel, weights = x[row, column], w[ky, kx]
                        for c in range(sums.size):
                            sums[c] += pixel[c] * weights[c]


def prepare(window: Window, kernel: Array) -> Run:
    return bind(convolve, filters(kernel), window)
