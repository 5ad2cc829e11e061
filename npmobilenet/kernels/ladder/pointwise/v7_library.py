"""The library's kernel: asks for the next panel while it works on this one.

Fixes the wait: each step of the first panels' tiles prefetches a share of the next. It also adds
the bias, a residual and the limits of an activation before the sums leave the registers, and has
more heights of tiles, so that none overlap.
"""

import numpy as np

from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.ladder.buffers import no_bias, together
from npmobilenet.kernels.ladder.pointwise.matrices import matrix, on_matrices
from npmobilenet.kernels.ladder.rung import Array, Run
from npmobilenet.kernels.product import Taps, pack_panels
from npmobilenet.kernels.product import product as library_product
from npmobilenet.kernels.window import Window

_INFINITY = np.float32(np.inf)


@entry
def product(x, w, bias, out):
    pixels, columns = out.shape
    depth = x.shape[1]
    taps = Taps(1, 0, 1, 0, depth, depth)
    library_product(
        x, 0, taps, pixels, w, 0, bias, 0, columns, columns, -_INFINITY, _INFINITY, x, -1, out, 0,
        columns,
    )  # fmt: skip


def prepare(_window: Window, kernel: Array) -> Run:
    w = matrix(kernel)
    weights, (_, bias) = together(pack_panels(w), no_bias(w.shape[1]))
    return on_matrices(product, weights, bias)
