"""The library's kernel for wide layers: Strassen's seven half-size products instead of eight.

Fixes what no tile can: the number of multiplications, which falls by an eighth. It pays with
additions and with a somewhat larger error, so the engine takes it from 256 channels on (512
where no depthwise convolution comes before).
Channels that cannot be cut in halves of whole panels are left to the rung before.
"""

from npmobilenet.kernels.blocks import PANEL
from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.ladder.buffers import Array, aligned
from npmobilenet.kernels.ladder.library import plain_layer, pointer_to, result_in, with_norm
from npmobilenet.kernels.ladder.pointwise import v7_library
from npmobilenet.kernels.ladder.pointwise.matrices import matrix, on_matrices
from npmobilenet.kernels.ladder.rung import Run
from npmobilenet.kernels.strassen import (
    pack_strassen,
    strassen_product,
    strassen_sums,
    sums_of,
    sums_size,
)
from npmobilenet.kernels.window import Window


@entry
def product(x, w, norm, room, out):
    pixels, depth = x.shape
    columns = out.shape[1]
    sums = sums_of(pointer_to(room), 0, pixels, depth)
    strassen_sums(pointer_to(x), 0, pixels, depth, sums)
    layer, result = plain_layer(w, norm), result_in(out)
    strassen_product(sums, pixels, depth, layer, columns, 0, columns // 2, result)


def prepare(window: Window, kernel: Array) -> Run:
    w = matrix(kernel)
    depth, columns = w.shape
    if depth % (2 * PANEL) or columns % (2 * PANEL):
        return v7_library.prepare(window, kernel)
    room = aligned((sums_size(window.out_height * window.out_width, depth),))
    return on_matrices(product, *with_norm(pack_strassen(w), columns), room)
