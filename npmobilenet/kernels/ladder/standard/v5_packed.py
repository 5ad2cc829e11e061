"""The weights in panels, in the order in which the tiles read them.

Fixes the jumps from row to row of the weights. Packing happens once and is not timed.
Still wrong: all panels are read again for each row of the image, nothing is asked for ahead, and
the padded copy of the image has left L1 by the time it is read.
"""

from npmobilenet.kernels.jit import entry, jit
from npmobilenet.kernels.ladder.buffers import Array, aligned, aligned_copy, frame, padded_shape
from npmobilenet.kernels.ladder.rung import Run, bind
from npmobilenet.kernels.ladder.tiles import over_tiles
from npmobilenet.kernels.product import pack_panels
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
        weights = n * window.kernel_height * depth
        for ky in range(window.kernel_height):
            row = (y * window.stride_y + ky) * padded.shape[1] * window.channels
            seen = row + i * pixel_step
            for k in range(depth):
                tile = tile_outer(tile, padded, seen + k, pixel_step, w, weights)
                weights += width
        tile_store(tile, out, (y * window.out_width + i) * columns + n, columns, lanes)

    return block


_tiles = over_tiles(_make_block)


@entry
def convolve(x, w, window, padded, bias, out):
    frame(x, window, padded)
    for y in range(window.out_height):
        _tiles(window.out_width, out.shape[2], padded, w, bias, out, (window, y))


def prepare(window: Window, kernel: Array) -> Run:
    w = aligned_copy(pack_panels(kernel.reshape(-1, kernel.shape[-1])))
    return bind(convolve, w, window, aligned(padded_shape(window)), aligned((0,)))
