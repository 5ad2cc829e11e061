"""Four multiply-adds for every sum that is loaded and stored.

Fixes the traffic of the sums: four rows of weights are used in one pass.
Still wrong: each multiplication needs a load of its own, multiplications and additions are separate
instructions (fusing them rounds differently, so a compiler may not), and LLVM prefers vectors of
half the width. Plain loops cannot say "keep this block of sums in registers".
"""

from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.ladder.buffers import Array
from npmobilenet.kernels.ladder.pointwise.matrices import matrix, on_matrices
from npmobilenet.kernels.ladder.pointwise.v3_blocked import BLOCK
from npmobilenet.kernels.ladder.rung import Run
from npmobilenet.kernels.window import Window


@entry
def product(x, w, out):
    pixels, depth = x.shape
    out[:] = 0.0
    for start in range(0, depth, BLOCK):
        stop = min(start + BLOCK, depth)
        fours = stop - (stop - start) % 4
        for m in range(pixels):
            sums = out[m]
            for k in range(start, fours, 4):
                a0, a1, a2, a3 = x[m, k], x[m, k + 1], x[m, k + 2], x[m, k + 3]
                w0, w1, w2, w3 = w[k], w[k + 1], w[k + 2], w[k + 3]
                for n in range(sums.size):
                    sums[n] += a0 * w0[n] + a1 * w1[n] + a2 * w2[n] + a3 * w3[n]
            for k in range(fours, stop):
                factor, weights = x[m, k], w[k]
                for n in range(sums.size):
                    sums[n] += factor * weights[n]


def prepare(_window: Window, kernel: Array) -> Run:
    return on_matrices(product, matrix(kernel))
