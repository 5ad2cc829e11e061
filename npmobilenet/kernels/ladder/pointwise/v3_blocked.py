"""A few rows of the weights at a time, small enough for L1, serve all pixels.

Fixes the streaming: weights come from L1, and from further away only once.
Still wrong: a sum is loaded and stored for every multiply-add, so the unit that multiplies waits
for those that load and store.
"""

from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.ladder.buffers import Array
from npmobilenet.kernels.ladder.pointwise.matrices import matrix, on_matrices
from npmobilenet.kernels.ladder.rung import Run
from npmobilenet.kernels.window import Window

BLOCK = 16  # rows of weights: 32 KiB where there are 512 filters


@entry
def product(x, w, out):
    pixels, depth = x.shape
    out[:] = 0.0
    for start in range(0, depth, BLOCK):
        for m in range(pixels):
            sums = out[m]
            for k in range(start, min(start + BLOCK, depth)):
                factor, weights = x[m, k], w[k]
                for n in range(sums.size):
                    sums[n] += factor * weights[n]


def prepare(_window: Window, kernel: Array) -> Run:
    return on_matrices(product, matrix(kernel))
