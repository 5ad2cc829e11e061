"""A tile of sums that stays in the registers for the whole depth.

Fixes the loads: a vector of weights is loaded once for all rows of the tile, a factor once for all
its columns, and sums are stored once. Each step is a fused multiply-add of the full vector width.
Still wrong: one step reads a few adjacent weights, the next step reads a whole row further on.
With wide rows each is on another page, and they fall into few sets of the cache.
"""

from npmobilenet.kernels.jit import entry, jit
from npmobilenet.kernels.ladder.buffers import Array, aligned, aligned_copy
from npmobilenet.kernels.ladder.pointwise.matrices import matrix, on_matrices
from npmobilenet.kernels.ladder.rung import Run
from npmobilenet.kernels.ladder.tiles import over_tiles
from npmobilenet.kernels.tile import tile_bias, tile_outer, tile_store
from npmobilenet.kernels.window import Window


def _make_block(rows, width):
    @jit
    def block(i, n, lanes, x, w, bias, out, _place):
        depth, columns = w.shape
        tile = tile_bias(rows, width, bias, 0)
        for k in range(depth):
            tile = tile_outer(tile, x, i * depth + k, depth, w, k * columns + n)
        tile_store(tile, out, i * columns + n, columns, lanes)

    return block


_tiles = over_tiles(_make_block)


@entry
def product(x, w, bias, out):
    pixels, columns = out.shape
    _tiles(pixels, columns, x, w, bias, out, 0)


def prepare(_window: Window, kernel: Array) -> Run:
    return on_matrices(product, aligned_copy(matrix(kernel)), aligned((0,)))
