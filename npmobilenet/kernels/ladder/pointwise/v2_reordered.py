"""The loops in another order: the innermost one goes along a row of the weights.

Fixes the column walk: weights and sums are read in the order in which they lie in memory, and the
additions of one loop do not wait for each other, so LLVM makes vectors of them.
Still wrong: all weights stream by for every single pixel, from whichever cache holds them.
"""

from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.ladder.buffers import Array
from npmobilenet.kernels.ladder.pointwise.matrices import matrix, on_matrices
from npmobilenet.kernels.ladder.rung import Run
from npmobilenet.kernels.window import Window


@entry
def product(x, w, out):
    pixels, depth = x.shape
    for m in range(pixels):
        sums = out[m]
        sums[:] = 0.0
        for k in range(depth):
            factor, weights = x[m, k], w[k]
            for n in range(sums.size):
                sums[n] += factor * weights[n]


def prepare(_window: Window, kernel: Array) -> Run:
    return on_matrices(product, matrix(kernel))
