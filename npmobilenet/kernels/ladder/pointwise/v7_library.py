"""The library's kernel: asks for the next panel while it works on this one.

Fixes the wait: each step of the first panels' tiles prefetches a share of the next. It also adds
the bias, a residual and the limits of an activation before the sums leave the registers, and has
more heights of tiles, so that none overlap.
"""

from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.ladder.buffers import with_biases
from npmobilenet.kernels.ladder.pointwise.matrices import matrix, on_matrices
from npmobilenet.kernels.ladder.rung import Array, Run
from npmobilenet.kernels.product import Taps, pack_panels
from npmobilenet.kernels.product import product as library_product
from npmobilenet.kernels.window import Window


@entry
def product(x, w, layer, out):
    pixels, columns = out.shape
    taps = Taps(1, 0, 1, 0, x.shape[1], x.shape[1])
    library_product(x, 0, taps, pixels, w, layer, 0, columns, columns, x, -1, out, 0, columns)


def prepare(_window: Window, kernel: Array) -> Run:
    panels = pack_panels(matrix(kernel))
    w, (layer,) = with_biases((panels, kernel.shape[-1]))
    return on_matrices(product, w, layer)
