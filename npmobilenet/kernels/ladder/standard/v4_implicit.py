"""The matrix is never built: the product reads the image where it lies (implicit GEMM).

Fixes the nine copies: in an image with a frame of zeros, what one row of the window sees lies
together, and the next pixel's begins one pixel further on. One copy of the image is left.
Still wrong: the weights are unpacked, so each step of a tile reads a whole row further on.
"""

from npmobilenet.kernels.jit import entry, jit
from npmobilenet.kernels.ladder.buffers import Array, aligned, aligned_copy, frame, padded_shape
from npmobilenet.kernels.ladder.rung import Run, bind
from npmobilenet.kernels.ladder.tiles import over_tiles
from npmobilenet.kernels.tile import tile_bias, tile_outer, tile_store
from npmobilenet.kernels.window import Window


def _make_block(rows, width):
    @jit
    def block(i, n, lanes, padded, w, bias, out, place):
        window, y = place
        tile = tile_bias(rows, width, bias, 0)
        columns = out.shape[2]
        pixel_step = window.stride_x * window.channels
        depth = window.kernel_width * window.channels
        for ky in range(window.kernel_height):
            row = (y * window.stride_y + ky) * padded.shape[1] * window.channels
            seen = row + i * pixel_step
            for k in range(depth):
                weights = (ky * depth + k) * columns + n
                tile = tile_outer(tile, padded, seen + k, pixel_step, w, weights)
        tile_store(tile, out, (y * window.out_width + i) * columns + n, columns, lanes)

    return block


_tiles = over_tiles(_make_block)


@entry
def convolve(x, w, window, padded, bias, out):
    frame(x, window, padded)
    for y in range(window.out_height):
        _tiles(window.out_width, out.shape[2], padded, w, bias, out, (window, y))


def prepare(window: Window, kernel: Array) -> Run:
    padded = aligned(padded_shape(window))
    return bind(convolve, aligned_copy(kernel), window, padded, aligned((0,)))
