"""Pooling: the largest value or the mean of each window, one output row at a time.

Padding is no value: it is neither the largest nor does it count in the mean. Global pooling is one
window over the whole image.
"""

import numpy as np

from npmobilenet.kernels.host import LANES
from npmobilenet.kernels.jit import inlined, jit
from npmobilenet.kernels.tile import (
    tile_add,
    tile_clamp,
    tile_max,
    tile_plus,
    tile_store,
    tile_zero,
)

_WIDTH = 4 * LANES

_CHUNK = 32
"""Pixels added one after another, and then sums of so many."""


@inlined
def _first_inside(begin, dilation):
    """The first tap that is not before the image, if tap 0 is at ``begin``."""
    return 0 if begin >= 0 else (-begin + dilation - 1) // dilation


@inlined
def _end_inside(begin, dilation, taps, size):
    """The tap after the last one that is not behind the image."""
    return min(taps, (size - begin + dilation - 1) // dilation)


def _make_block(largest, width):
    """Some vectors of channels of one output pixel; several, because each sum waits for itself."""

    @jit
    def largest_of(x, window, top, left, first, end, begin, stop, c, result, to, lanes):
        tile = tile_clamp(tile_zero(1, width), -np.inf, -np.inf)
        for ky in range(first, end):
            line = top + ky * window.dilation_y
            for kx in range(begin, stop):
                column = left + kx * window.dilation_x
                at = x.base + line * x.pitch + column * window.channels + c
                tile = tile_max(tile, x.data, at, 0)
        tile_store(tile, result.out, to + c, 0, lanes)

    @jit
    def sum_of(x, window, top, left, first, end, begin, stop, c, result, to, lanes):
        # Sums of sums of sums: a whole image would add its last pixel to that of all others.
        tile, sums, total = tile_zero(1, width), tile_zero(1, width), tile_zero(1, width)
        held = chunks = 0
        for ky in range(first, end):
            line = top + ky * window.dilation_y
            for kx in range(begin, stop):
                column = left + kx * window.dilation_x
                at = x.base + line * x.pitch + column * window.channels + c
                tile = tile_add(tile, x.data, at, 0)
                held += 1
                if held == _CHUNK:
                    sums, tile, held = tile_plus(sums, tile), tile_zero(1, width), 0
                    chunks += 1
                    if chunks == _CHUNK:
                        total, sums, chunks = tile_plus(total, sums), tile_zero(1, width), 0
        tile = tile_plus(tile_plus(total, sums), tile)
        tile_store(tile, result.out, to + c, 0, lanes)

    return largest_of if largest else sum_of


def _make_row(largest):
    wide, narrow = _make_block(largest, _WIDTH), _make_block(largest, LANES)

    @inlined
    def row(x, window, y, result):
        top = y * window.stride_y - window.pad_top
        first = _first_inside(top, window.dilation_y)
        end = _end_inside(top, window.dilation_y, window.kernel_height, window.height)
        for i in range(window.out_width):
            left = i * window.stride_x - window.pad_left
            begin = _first_inside(left, window.dilation_x)
            stop = _end_inside(left, window.dilation_x, window.kernel_width, window.width)
            to = result.offset + i * result.stride
            whole = window.channels // _WIDTH * _WIDTH
            for c in range(0, whole, _WIDTH):
                wide(x, window, top, left, first, end, begin, stop, c, result, to, LANES)
            for c in range(whole, window.channels, LANES):
                lanes = min(LANES, window.channels - c)
                narrow(x, window, top, left, first, end, begin, stop, c, result, to, lanes)
            if not largest:
                # Divided: a rounded 1 / count would be the same error in every channel.
                count = np.float32((end - first) * (stop - begin))
                for c in range(window.channels):
                    result.out[to + c] /= count

    return row


max_row = _make_row(True)
average_row = _make_row(False)
