"""The weights of one tile after the other, in the order in which they are read.

Fixes the jumps: each tile walks through one panel from its first byte to its last, aligned to
cache lines. Packing happens once, when a model is loaded, and is not timed.
Still wrong: the first tile of each panel waits for its weights to come from L2 or beyond.
"""

from npmobilenet.kernels.jit import entry, jit
from npmobilenet.kernels.ladder.buffers import Array, aligned, aligned_copy
from npmobilenet.kernels.ladder.pointwise.matrices import matrix, on_matrices
from npmobilenet.kernels.ladder.rung import Run
from npmobilenet.kernels.ladder.tiles import over_tiles
from npmobilenet.kernels.product import pack_panels
from npmobilenet.kernels.tile import tile_bias, tile_outer, tile_store
from npmobilenet.kernels.window import Window


def _make_block(rows, width):
    @jit
    def block(i, n, lanes, x, w, bias, out, _place):
        depth, columns = x.shape[1], out.shape[1]
        tile = tile_bias(rows, width, bias, 0)
        panel = n * depth
        for k in range(depth):
            tile = tile_outer(tile, x, i * depth + k, depth, w, panel + k * width)
        tile_store(tile, out, i * columns + n, columns, lanes)

    return block


_tiles = over_tiles(_make_block)


@entry
def product(x, w, bias, out):
    pixels, columns = out.shape
    _tiles(pixels, columns, x, w, bias, out, 0)


def prepare(_window: Window, kernel: Array) -> Run:
    return on_matrices(product, aligned_copy(pack_panels(matrix(kernel))), aligned((0,)))
