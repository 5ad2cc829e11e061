"""The window slides: each input column is loaded once for each row of the kernel.

Fixes the repeated loads: a column goes to all pixels of the tile that see it, three at stride 1,
while it is in a register. It gains little where a processor loads as many vectors in a cycle as it
multiplies, and less at stride 2.
Still wrong: one group of channels after the other is taken through a whole row of the image, in
steps of all channels; and pixels are computed twice where the width does not divide by the tile.
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
            left = i * stride - window.pad_left
            for ky in range(3):
                line = y * stride - window.pad_top + ky
                if 0 <= line < window.height:
                    row = (line * window.width * channels,)
                    weights = ky * 3 * channels + c
                    tile = tile_window(
                        tile, x, row, c, left, window.width, channels, x.size, stride, 3, w,
                        weights, channels,
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
