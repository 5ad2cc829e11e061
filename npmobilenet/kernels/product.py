"""Matrix product over packed weights: pointwise convolution, standard convolution and dense.

``out[m, n]`` is the sum of ``a[pixel m, tap, k] * w[tap, k, n]`` over all taps and ``k``, times
``scale[n]`` plus ``shift[n]``, plus a residual if there is one, clamped.

A pointwise convolution has one tap. A standard convolution has one for each kernel row, or for
each kernel value if it is dilated, and reads them in place: no copy of the image is made
(implicit GEMM).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from npmobilenet.kernels.blocks import PANEL, ROWS, VECTORS, round_up
from npmobilenet.kernels.host import FUSED, LANES
from npmobilenet.kernels.jit import inlined, jit
from npmobilenet.kernels.tile import (
    prefetch,
    tile_add,
    tile_clamp,
    tile_outer,
    tile_plus,
    tile_scale,
    tile_store,
    tile_zero,
)
from npmobilenet.kernels.window import Result

_CHUNK = 128 if FUSED else 32
"""Products added one after another. Longer sums are sums of such sums, which round less.

Where a multiply-add rounds twice, shorter ones make up for that.
"""


class Taps(NamedTuple):
    """Where the factors of one output pixel lie, relative to the first, counted in floats.

    ``rows`` x ``columns`` taps of ``depth`` adjacent floats, ``row_step`` and ``column_step``
    apart; the next pixel's are ``pixel_step`` further on.
    """

    rows: int
    row_step: int
    columns: int
    column_step: int
    depth: int
    pixel_step: int


def pack_panels(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weights ``(K, N)`` as panels of :data:`PANEL` columns, each stored row by row.

    The last panel is as wide as it needs to be, in whole vectors; columns past ``N`` are zero.
    """
    depth, columns = matrix.shape
    padded = np.zeros((depth, round_up(columns, LANES)), np.float32)
    padded[:, :columns] = matrix
    panels = [padded[:, n : n + PANEL].ravel() for n in range(0, padded.shape[1], PANEL)]
    return np.concatenate(panels)


def _make_block(rows, vectors):
    """``rows`` pixels of one panel: a tile that stays in registers from zero to store."""
    width = vectors * LANES

    @inlined
    def summed(tile, a, at, depth, pixel_step, w, panel, ahead, ahead_step):
        for k in range(depth):
            prefetch(w, ahead + k * ahead_step)
            tile = tile_outer(tile, a, at + k, pixel_step, w, panel + k * width)
        return tile

    @jit
    def block(a, start, taps, layer, panel, n, result, lanes, ahead, ahead_step):
        tile = tile_zero(rows, vectors)
        for row in range(taps.rows):
            for column in range(taps.columns):
                at = start + row * taps.row_step + column * taps.column_step
                end = at + taps.depth
                depth = min(taps.depth, _CHUNK)
                tile = summed(
                    tile, a, at, depth, taps.pixel_step, layer.w, panel, ahead, ahead_step
                )
                while at + depth < end:
                    at, panel, ahead = (
                        at + depth, panel + depth * width, ahead + depth * ahead_step
                    )  # fmt: skip
                    depth = min(end - at, _CHUNK)
                    part = tile_zero(rows, vectors)
                    part = summed(
                        part, a, at, depth, taps.pixel_step, layer.w, panel, ahead, ahead_step
                    )
                    tile = tile_plus(tile, part)
                panel, ahead = panel + depth * width, ahead + depth * ahead_step
        tile = tile_scale(tile, layer.w, layer.norm + 2 * n)
        if result.skip >= 0:
            tile = tile_add(tile, result.residual, result.skip + n, result.stride)
        tile = tile_clamp(tile, layer.low, layer.high)
        tile_store(tile, result.out, result.offset + n, result.stride, lanes)

    return block


_HEIGHTS = (14, 8, 7, 4, 2, 1) if ROWS == 14 else (6, 5, 4, 3, 2, 1)


def _make_column(vectors):
    """All pixels of one panel, in as few tiles as there can be of the given heights."""
    b0, b1, b2, b3, b4, b5 = (_make_block(rows, vectors) for rows in _HEIGHTS)
    h0, h1, h2, h3, h4, h5 = _HEIGHTS

    @jit
    def column(a, start, taps, pixels, layer, panel, n, result, lanes, ahead, ahead_step):
        i = 0
        while i < pixels:
            left = pixels - i
            begin = start + i * taps.pixel_step
            to = moved(result, i)
            # Two tiles of the second height are better than a full one and a rest.
            if left >= h0 and left != 2 * h1:
                b0(a, begin, taps, layer, panel, n, to, lanes, ahead, ahead_step)
                i += h0
            elif left >= h1:
                b1(a, begin, taps, layer, panel, n, to, lanes, ahead, ahead_step)
                i += h1
            elif left >= h2:
                b2(a, begin, taps, layer, panel, n, to, lanes, ahead, ahead_step)
                i += h2
            elif left >= h3:
                b3(a, begin, taps, layer, panel, n, to, lanes, ahead, ahead_step)
                i += h3
            elif left >= h4:
                b4(a, begin, taps, layer, panel, n, to, lanes, ahead, ahead_step)
                i += h4
            else:
                b5(a, begin, taps, layer, panel, n, to, lanes, ahead, ahead_step)
                i += h5
            ahead += ahead_step * taps.rows * taps.columns * taps.depth

    return column


@jit
def moved(result, pixels):
    """The same result from a later pixel on."""
    step = pixels * result.stride
    skip = result.skip + step if result.skip >= 0 else result.skip
    return Result(result.out, result.offset + step, result.stride, result.residual, skip)


_wide = _make_column(VECTORS)
_narrow = _make_column(1)


@jit
def product(a, start, taps, pixels, layer, first, last, columns, result):
    """Output columns ``[first, last)`` of the product for ``pixels`` pixels.

    Parameters
    ----------
    a, start, taps
        Where the factors of pixel 0 lie.
    layer : Layer
        Weights as :func:`pack_panels` gives them.
    first, last, columns
        The columns to compute (``first`` begins a panel), and how many there are in all.
    result : Result
        Where the values of pixel 0, column 0 go.
    """
    depth = taps.rows * taps.columns * taps.depth
    # Each step of a tile asks for its share of the next panel, which is then there in time.
    ahead_step = max(1, PANEL // ((pixels + ROWS - 1) // ROWS))
    for n in range(first, last, PANEL):
        lanes = min(columns - n, PANEL)
        panel = layer.kernel + n * depth
        ahead = panel + PANEL * depth
        if lanes > LANES:
            lanes -= LANES
            _wide(a, start, taps, pixels, layer, panel, n, result, lanes, ahead, ahead_step)
        else:
            _narrow(a, start, taps, pixels, layer, panel, n, result, lanes, ahead, ahead_step)
