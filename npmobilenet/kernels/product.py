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

from npmobilenet.kernels.blocks import CHUNK, PANEL, ROWS, round_up
from npmobilenet.kernels.host import LANES, REGISTERS
from npmobilenet.kernels.jit import inlined, jit
from npmobilenet.kernels.tile import (
    HALF,
    prefetch,
    tile_add,
    tile_clamp,
    tile_outer,
    tile_plus,
    tile_scale,
    tile_store,
    tile_zero,
)
from npmobilenet.kernels.window import moved

_TOGETHER = 4 if REGISTERS == 16 else 1
"""Steps of a product in a row: one of a tile of 6 x 2 is too little work for one turn of a loop."""

_IMAGE_ROW = 9  # floats under a kernel row of the first convolution

WHOLE, FIRST, MIDDLE, LAST = range(4)


class Taps(NamedTuple):
    """Where the factors of one output pixel lie, relative to the first, counted in floats.

    ``rows`` x ``columns`` taps of ``depth`` adjacent floats, ``row_step`` and ``column_step``
    apart; the next pixel's are ``pixel_step`` further on, those of the next line of pixels
    ``line_step``. ``part`` is WHOLE, or FIRST, MIDDLE and LAST of products whose sums add up to
    one, and which have its result for their sums between.
    """

    rows: int
    row_step: int
    columns: int
    column_step: int
    depth: int
    pixel_step: int
    lines: int
    line_step: int
    part: int


@inlined
def one_tap(depth):
    """The taps of a pointwise convolution."""
    return Taps(1, 0, 1, 0, depth, depth, 1, 0, WHOLE)


def pack_panels(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weights ``(K, N)`` as panels of :data:`PANEL` columns, each stored row by row.

    The last panel is as wide as it needs to be, in whole vectors; columns past ``N`` are zero.
    """
    depth, columns = matrix.shape
    padded = np.zeros((depth, round_up(columns, LANES)), np.float32)
    padded[:, :columns] = matrix
    panels = [padded[:, n : n + PANEL].ravel() for n in range(0, padded.shape[1], PANEL)]
    return np.concatenate(panels)


def _make_block(rows, width):
    """Pixels of one panel in tiles of ``rows``: each stays in registers from zero to store."""
    step_down = round_up(width, LANES)  # in the packed weights

    @inlined
    def summed(tile, a, at, depth, pixel_step, w, panel, ahead, step):
        whole = depth // _TOGETHER * _TOGETHER
        for k in range(0, whole, _TOGETHER):
            here, row = at + k, panel + k * step_down
            prefetch(w, ahead)
            ahead += step
            tile = tile_outer(tile, a, here, pixel_step, w, row)
            if _TOGETHER == 4:
                tile = tile_outer(tile, a, here + 1, pixel_step, w, row + step_down)
                tile = tile_outer(tile, a, here + 2, pixel_step, w, row + 2 * step_down)
                tile = tile_outer(tile, a, here + 3, pixel_step, w, row + 3 * step_down)
        for k in range(whole, depth):
            tile = tile_outer(tile, a, at + k, pixel_step, w, panel + k * step_down)
        return tile, ahead

    @jit
    def block(a, start, taps, tiles, layer, panel, n, result, lanes, ahead, step):
        many = taps.part != WHOLE or taps.rows * taps.columns * taps.depth > CHUNK
        total = tile_zero(rows, width)
        for i in range(tiles):
            tile, held = tile_zero(rows, width), 0
            to = i * rows * result.stride + n
            if many:
                total = tile_zero(rows, width)
                if taps.part > FIRST:
                    total = tile_add(total, result.out, result.offset + to, result.stride)
            line = start + i * rows * taps.pixel_step
            at, left, w = line, taps.depth, panel
            row = column = 0
            # One loop over chunks and taps: nested loops would cost a pointwise convolution more.
            while True:
                depth = min(left, CHUNK)
                if held + depth > CHUNK:
                    total = tile_plus(total, tile)
                    tile, held = tile_zero(rows, width), 0
                tile, ahead = summed(tile, a, at, depth, taps.pixel_step, layer.w, w, ahead, step)
                at, w, held, left = at + depth, w + depth * step_down, held + depth, left - depth
                if left == 0:
                    column += 1
                    if column == taps.columns:
                        row, column, line = row + 1, 0, line + taps.row_step
                        if row == taps.rows:
                            break
                    at, left = line + column * taps.column_step, taps.depth
            if many:
                tile = tile_plus(total, tile)
            if taps.part == WHOLE or taps.part == LAST:
                tile = tile_scale(tile, layer.w, layer.norm + 2 * n)
                if result.skip >= 0:
                    tile = tile_add(tile, result.residual, result.skip + to, result.stride)
                tile = tile_clamp(tile, layer.low, layer.high)
            tile_store(tile, result.out, result.offset + to, result.stride, lanes)
        return ahead

    return block


_HEIGHTS = (14, 8, 7, 4, 2, 1) if REGISTERS == 32 else (6, 5, 4, 3, 2, 1)

_NARROW_HEIGHTS = _HEIGHTS if REGISTERS == 32 else (8, 4, 2, 1, 1, 1)
"""For a last panel of one vector: six sums are too few to keep two multipliers busy."""


def _make_next_tiles(heights):
    """Chooses height and number of the tiles to begin with, if so many pixels are left."""

    @inlined
    def evenly(pixels):
        tiles = (pixels + heights[0] - 1) // heights[0]
        height = (pixels + tiles - 1) // tiles
        return height, pixels - (height - 1) * tiles  # the others are one pixel lower

    @inlined
    def highest(pixels):
        for height in heights:
            if pixels >= height:
                break
        tiles = pixels // height
        if height == 14 and pixels % 14 == 2:  # two of 8 are better than a full one and a rest
            height, tiles = (14, tiles - 1) if tiles > 1 else (8, 2)
        return height, tiles

    return evenly if heights == (6, 5, 4, 3, 2, 1) else highest


def _make_column(width, heights):
    """All pixels of one panel, in as few tiles as there can be of the given heights."""
    blocks = {rows: _make_block(rows, width) for rows in heights}
    b0, b1, b2, b3, b4, b5 = (blocks[rows] for rows in heights)
    h0, h1, h2, h3, h4, _ = heights
    half = b0 if HALF == LANES else _make_block(h0, width - HALF)
    next_tiles = _make_next_tiles(heights)

    @jit
    def column(a, start, taps, pixels, layer, panel, n, result, lanes, ahead, step):
        i = 0
        if HALF < LANES and lanes <= HALF:
            i = pixels // h0 * h0
            ahead = half(a, start, taps, pixels // h0, layer, panel, n, result, lanes, ahead, step)
        while i < pixels:
            height, tiles = next_tiles(pixels - i)
            begin = start + i * taps.pixel_step
            to = moved(result, i)
            if height == h0:
                ahead = b0(a, begin, taps, tiles, layer, panel, n, to, lanes, ahead, step)
            elif height == h1:
                ahead = b1(a, begin, taps, tiles, layer, panel, n, to, lanes, ahead, step)
            elif height == h2:
                ahead = b2(a, begin, taps, tiles, layer, panel, n, to, lanes, ahead, step)
            elif height == h3:
                ahead = b3(a, begin, taps, tiles, layer, panel, n, to, lanes, ahead, step)
            elif height == h4:
                ahead = b4(a, begin, taps, tiles, layer, panel, n, to, lanes, ahead, step)
            else:
                ahead = b5(a, begin, taps, tiles, layer, panel, n, to, lanes, ahead, step)
            i += height * tiles
        return ahead

    return column


@inlined
def whole_panel(a, start, taps, pixels, layer, panel, n, result, last):
    """The product of pixels of one tap with one panel, which the next one follows.

    ``last`` is :data:`LANES`, but no constant: Numba would compile all tiles again for that.
    """
    turns = max(1, taps.depth // _TOGETHER) * ((pixels + ROWS - 1) // ROWS)
    step = (PANEL * taps.depth + turns - 1) // turns
    ahead = panel + PANEL * taps.depth
    _wide(a, start, taps, pixels, layer, panel, n, result, last, ahead, step)


def _make_image_block(rows, width):
    """One vector or a half for the first convolution, whose taps are three pixels of a row.

    So short that the turns of a block's loops would take half of the time.
    """

    @jit
    def block(a, start, taps, tiles, layer, panel, n, result, lanes):
        for i in range(tiles):
            at, w, tile = start + i * rows * taps.pixel_step, panel, tile_zero(rows, width)
            for _ in range(taps.rows):
                for k in range(_IMAGE_ROW):  # LLVM writes all of them out
                    tile = tile_outer(tile, a, at + k, taps.pixel_step, layer.w, w + k * LANES)
                at, w = at + taps.row_step, w + _IMAGE_ROW * LANES
            tile = tile_scale(tile, layer.w, layer.norm + 2 * n)
            tile = tile_clamp(tile, layer.low, layer.high)
            to = result.offset + i * rows * result.stride + n
            tile_store(tile, result.out, to, result.stride, lanes)

    return block


_TALL = _NARROW_HEIGHTS[0]
_wide = _make_column(PANEL, _HEIGHTS)
_narrow = _make_column(LANES, _NARROW_HEIGHTS)
_image_block = _make_image_block(_TALL, LANES)
_image_half = _image_block if HALF == LANES else _make_image_block(_TALL, HALF)


@jit
def product(a, start, taps, pixels, layer, columns, result):
    """The product for lines of ``pixels`` pixels and ``columns`` columns of weights.

    Parameters
    ----------
    a, start, taps
        Where the factors of pixel 0 lie.
    layer : Layer
        Weights as :func:`pack_panels` gives them.
    result : Result
        Where the values of pixel 0, column 0 go; lines follow each other.
    """
    depth = taps.rows * taps.columns * taps.depth
    # Each turn of the innermost loop asks for a little of the next panel, which is there in time.
    turns = taps.rows * taps.columns * max(1, taps.depth // _TOGETHER)
    turns *= taps.lines * ((pixels + ROWS - 1) // ROWS)
    step = max(1, PANEL * depth // turns)
    image = taps.depth == _IMAGE_ROW and taps.columns == 1 and depth <= CHUNK
    image = image and taps.part == WHOLE and result.skip < 0 and pixels % _TALL == 0
    for n in range(0, columns, PANEL):
        lanes = min(columns - n, PANEL)
        panel = layer.kernel + n * depth
        ahead = panel + PANEL * depth
        for line in range(taps.lines):
            begin, to = start + line * taps.line_step, moved(result, line * pixels)
            if lanes > LANES:
                last = lanes - LANES
                ahead = _wide(a, begin, taps, pixels, layer, panel, n, to, last, ahead, step)
            elif not image:
                ahead = _narrow(a, begin, taps, pixels, layer, panel, n, to, lanes, ahead, step)
            elif lanes > HALF:
                _image_block(a, begin, taps, pixels // _TALL, layer, panel, n, to, lanes)
            else:
                _image_half(a, begin, taps, pixels // _TALL, layer, panel, n, to, lanes)
