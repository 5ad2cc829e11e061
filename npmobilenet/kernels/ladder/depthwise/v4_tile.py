"""A tile of sums, several pixels wide, that stays in the registers for all nine products.

Fixes the traffic of sums and weights: each sum is stored once, and a vector of weights is loaded
once for all pixels of the tile. Pixels beside the image are read from a place that holds zeros, so
the copy is gone too.
Still wrong: neighbouring pixels look at the same inputs, and each loads them for itself.
"""

from npmobilenet.kernels.jit import entry, jit
from npmobilenet.kernels.ladder.buffers import Array, aligned, aligned_copy
from npmobilenet.kernels.ladder.depthwise.channels import PIXELS, filters
from npmobilenet.kernels.ladder.rung import Run, bind
from npmobilenet.kernels.ladder.tiles import over_tiles
from npmobilenet.kernels.tile import tile_bias, tile_store, tile_window
from npmobilenet.kernels.window import Window


def _make_block(stride):
    def make(rows, width):
        @jit
        def block(i, c, lanes, x, w, bias, out, place):
            window, y = place
            tile = tile_bias(rows, width, bias, 0)
            channels = window.channels
            zeros = x.size
            for ky in range(3):
                line = y * stride - window.pad_top + ky
                if 0 <= line < window.height:
                    row = (line * window.width * channels,)
                    for kx in range(3):
                        column = i * stride - window.pad_left + kx
                        weights = (ky * 3 + kx) * channels + c
                        tile = tile_window(
                            tile, x, row, c, column, window.width, channels, zeros, stride, 1, w,
                            weights, 0,
                        )  # fmt: skip
            target = (y * window.out_width + i) * channels + c
            tile_store(tile, out, target, channels, lanes)

        return block

    return make


_tiles = over_tiles(_make_block(1), PIXELS)
_strided_tiles = over_tiles(_make_block(2), PIXELS)


@entry
def convolve(x, w, window, bias, out):
    for y in range(window.out_height):
        if window.stride_x == 1:
            _tiles(window.out_width, window.channels, x, w, bias, out, (window, y))
        else:
            _strided_tiles(window.out_width, window.channels, x, w, bias, out, (window, y))


def prepare(window: Window, kernel: Array) -> Run:
    return bind(convolve, aligned_copy(filters(kernel)), window, aligned((0,)))
