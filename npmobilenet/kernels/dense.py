"""Dense layers: one row at a time, in four sums.

A row alone is no matrix product: a tile of one row would add up a thousand products one after
another, each waiting for the one before. Four sums that take turns wait less and round less.
"""

from npmobilenet.kernels.blocks import PANEL
from npmobilenet.kernels.host import LANES
from npmobilenet.kernels.jit import jit
from npmobilenet.kernels.tile import (
    prefetch,
    tile_clamp,
    tile_outer,
    tile_plus,
    tile_scale,
    tile_store,
    tile_zero,
)
from npmobilenet.kernels.window import moved

_AHEAD = 8  # rows of weights, some 1 KiB


def _make_row(width):
    @jit
    def row(x, start, depth, layer, panel, n, result, lanes):
        first, second = tile_zero(1, width), tile_zero(1, width)
        third, fourth = tile_zero(1, width), tile_zero(1, width)
        even = depth // 4 * 4
        for k in range(0, even, 4):
            at = panel + k * width
            for line in range(4):
                prefetch(layer.w, at + (_AHEAD + line) * width)
            first = tile_outer(first, x, start + k, 0, layer.w, at)
            second = tile_outer(second, x, start + k + 1, 0, layer.w, at + width)
            third = tile_outer(third, x, start + k + 2, 0, layer.w, at + 2 * width)
            fourth = tile_outer(fourth, x, start + k + 3, 0, layer.w, at + 3 * width)
        for k in range(even, depth):
            first = tile_outer(first, x, start + k, 0, layer.w, panel + k * width)
        total = tile_plus(tile_plus(first, second), tile_plus(third, fourth))
        total = tile_scale(total, layer.w, layer.norm + 2 * n)
        total = tile_clamp(total, layer.low, layer.high)
        tile_store(total, result.out, result.offset + n, 0, lanes)

    return row


_wide = _make_row(PANEL)
_narrow = _make_row(LANES)


@jit
def dense(x, start, depth, rows, layer, columns, result):
    """``columns`` output columns for ``rows`` rows of ``depth`` values at ``x[start:]``.

    Arguments as in :func:`~npmobilenet.kernels.product.product`; residuals are not added.
    """
    for n in range(0, columns, PANEL):
        lanes = min(columns - n, PANEL)
        panel = layer.kernel + n * depth
        for i in range(rows):
            to = moved(result, i)
            if lanes > LANES:
                _wide(x, start + i * depth, depth, layer, panel, n, to, lanes - LANES)
            else:
                _narrow(x, start + i * depth, depth, layer, panel, n, to, lanes)
