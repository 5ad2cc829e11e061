"""Matrix product over packed weights: pointwise convolution, standard convolution and dense.

``out[m, n] = clamp(bias[n] + sum over taps and k of a[pixel m, tap, k] * w[tap, k, n] (+ residual))``.
A pointwise convolution has one tap. A standard convolution has one for each kernel row, or for
each kernel value if it is dilated, and reads them in place: no copy of the image is made
(implicit GEMM).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from npmobilenet.kernels.blocks import PANEL, ROWS, VECTORS, round_up
from npmobilenet.kernels.host import LANES
from npmobilenet.kernels.jit import inlined, jit
from npmobilenet.kernels.memory import prefetch
from npmobilenet.kernels.tile import tile_add, tile_bias, tile_clamp, tile_outer, tile_store


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
    width = vectors * LANES

    @jit
    def block(
        a,
        start,
        taps,
        w,
        panel,
        layer,
        n,
        residual,
        skip,
        out,
        target,
        stride,
        lanes,
        ahead,
        ahead_step,
    ):
        tile = tile_bias(rows, vectors, w, layer.bias + n)
        at = panel
        for row in range(taps.rows):
            for column in range(taps.columns):
                base = start + row * taps.row_step + column * taps.column_step
                for k in range(taps.depth):
                    prefetch(w, ahead)
                    ahead += ahead_step
                    tile = tile_outer(tile, a, base + k, taps.pixel_step, w, at)
                    at += width
        if skip >= 0:
            tile = tile_add(tile, residual, skip, stride)
        tile_store(tile_clamp(tile, layer.low, layer.high), out, target, stride, lanes)

    return block


def _make_column(vectors):
    """All pixels of one panel: as many full tiles as fit, then smaller ones."""
    heights = (14, 7, 4, 2, 1) if ROWS == 14 else (6, 4, 2, 1, 1)
    full, half, quarter, pair, single = (_make_block(rows, vectors) for rows in heights)
    h0, h1, h2, h3, h4 = heights

    @inlined
    def column(
        a,
        start,
        taps,
        pixels,
        w,
        panel,
        layer,
        n,
        residual,
        skip,
        out,
        target,
        stride,
        lanes,
        ahead,
        ahead_step,
    ):
        i = 0
        step = ahead_step * taps.rows * taps.columns * taps.depth
        while i < pixels:
            left = pixels - i
            a0 = start + i * taps.pixel_step
            to = target + i * stride
            add = skip + i * stride if skip >= 0 else skip
            if left >= h0:
                full(
                    a,
                    a0,
                    taps,
                    w,
                    panel,
                    layer,
                    n,
                    residual,
                    add,
                    out,
                    to,
                    stride,
                    lanes,
                    ahead,
                    ahead_step,
                )
                i += h0
            elif left >= h1:
                half(
                    a,
                    a0,
                    taps,
                    w,
                    panel,
                    layer,
                    n,
                    residual,
                    add,
                    out,
                    to,
                    stride,
                    lanes,
                    ahead,
                    ahead_step,
                )
                i += h1
            elif left >= h2:
                quarter(
                    a,
                    a0,
                    taps,
                    w,
                    panel,
                    layer,
                    n,
                    residual,
                    add,
                    out,
                    to,
                    stride,
                    lanes,
                    ahead,
                    ahead_step,
                )
                i += h2
            elif left >= h3:
                pair(
                    a,
                    a0,
                    taps,
                    w,
                    panel,
                    layer,
                    n,
                    residual,
                    add,
                    out,
                    to,
                    stride,
                    lanes,
                    ahead,
                    ahead_step,
                )
                i += h3
            else:
                single(
                    a,
                    a0,
                    taps,
                    w,
                    panel,
                    layer,
                    n,
                    residual,
                    add,
                    out,
                    to,
                    stride,
                    lanes,
                    ahead,
                    ahead_step,
                )
                i += h4
            ahead += step

    return column


_wide = _make_column(VECTORS)
_narrow = _make_column(1)


@jit
def product(
    a,
    start,
    taps,
    pixels,
    w,
    layer,
    first,
    last,
    columns,
    residual,
    skip,
    out,
    target,
    stride,
):
    """Output columns ``[first, last)`` of the product for ``pixels`` pixels.

    Parameters
    ----------
    a, start, taps
        Where the factors of pixel 0 lie.
    w, layer
        Packed weights, and the :class:`~npmobilenet.kernels.window.Layer` in them.
    first, last, columns
        The columns to compute (``first`` begins a panel), and how many there are in all.
    residual, skip
        ``residual[skip:]`` is laid out as the output and added; ``skip < 0`` for none.
    out, target, stride
        ``out[target + m * stride + n]`` receives the value of pixel ``m``, column ``n``.
    """
    depth = taps.rows * taps.columns * taps.depth
    tiles = (pixels + ROWS - 1) // ROWS
    # Each step of a tile asks for its share of the next panel, which is then there in time.
    ahead_step = max(1, PANEL // tiles)
    for n in range(first, last, PANEL):
        lanes = min(columns - n, PANEL)
        panel = layer.kernel + n * depth
        to = target + n
        add = skip + n if skip >= 0 else skip
        ahead = panel + PANEL * depth
        if lanes > LANES:
            _wide(
                a,
                start,
                taps,
                pixels,
                w,
                panel,
                layer,
                n,
                residual,
                add,
                out,
                to,
                stride,
                lanes - LANES,
                ahead,
                ahead_step,
            )
        else:
            _narrow(
                a,
                start,
                taps,
                pixels,
                w,
                panel,
                layer,
                n,
                residual,
                add,
                out,
                to,
                stride,
                lanes,
                ahead,
                ahead_step,
            )
