"""The library's kernel: asks for the next panel while it works on this one.

Fixes the wait: each step of the first panels' tiles prefetches a share of the next. It also
applies batch norm, a residual and the limits of an activation before the sums leave the registers,
and has more heights of tiles, so that none overlap.
Still wrong: nothing, but a wide layer can do with fewer multiplications.
"""

from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.ladder.buffers import Array
from npmobilenet.kernels.ladder.library import plain_layer, pointer_to, result_in, with_norm
from npmobilenet.kernels.ladder.pointwise.matrices import matrix, on_matrices
from npmobilenet.kernels.ladder.rung import Run
from npmobilenet.kernels.product import one_tap, pack_panels
from npmobilenet.kernels.product import product as library_product
from npmobilenet.kernels.window import Window


@entry
def product(x, w, norm, out):
    pixels, depth = x.shape
    columns = out.shape[1]
    taps = one_tap(depth)
    layer, result = plain_layer(w, norm), result_in(out)
    library_product(pointer_to(x), 0, taps, pixels, layer, columns, result)


def prepare(_window: Window, kernel: Array) -> Run:
    w = matrix(kernel)
    return on_matrices(product, *with_norm(pack_panels(w), w.shape[1]))
