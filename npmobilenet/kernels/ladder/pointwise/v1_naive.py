"""The sum of the definition, one output value after the other.

Still wrong: the innermost loop goes down a column of the weights, so each step touches another
cache line; and every addition waits for the one before, so nothing can be done in vectors.
"""

import numpy as np

from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.ladder.buffers import Array
from npmobilenet.kernels.ladder.pointwise.matrices import matrix, on_matrices
from npmobilenet.kernels.ladder.rung import Run
from npmobilenet.kernels.window import Window


@entry
def product(x, w, out):
    pixels, depth = x.shape
    for m in range(pixels):
        for n in range(w.shape[1]):
            total = np.float32(0.0)
            for k in range(depth):
                total += x[m, k] * w[k, n]
            out[m, n] = total


def prepare(_window: Window, kernel: Array) -> Run:
    return on_matrices(product, matrix(kernel))
