"""The loop over the tiles of an output matrix, with smaller tiles at its edges."""

from npmobilenet.kernels.blocks import PANEL, ROWS
from npmobilenet.kernels.host import LANES
from npmobilenet.kernels.jit import inlined, jit


def over_tiles(make_block, rows=ROWS, width=PANEL):
    """A compiled function ``tiles(pixels, columns, x, w, bias, out, place)``.

    ``make_block(rows, width)`` gives a compiled ``block(i, n, lanes, x, w, bias, out, place)``
    for the tile that begins at pixel ``i`` and column ``n``; ``lanes`` floats of its last vector
    count. The pixels of the last tile may overlap those of the one before: computed twice, to
    equal bits. ``place`` is for numbers only: Numba counts references to arrays in a tuple, which
    takes longer than a small tile.
    """
    whole, half, single = _columns(make_block, rows, width)
    narrow_whole, narrow_half, narrow_single = _columns(make_block, rows, LANES)
    full = width - LANES

    @jit
    def tiles(pixels, columns, x, w, bias, out, place):
        n = 0
        while n < columns:
            left = columns - n
            if left > full:
                lanes = min(left, width) - full
                if pixels >= rows:
                    whole(pixels, n, lanes, x, w, bias, out, place)
                elif pixels >= rows // 2:
                    half(pixels, n, lanes, x, w, bias, out, place)
                else:
                    single(pixels, n, lanes, x, w, bias, out, place)
                n += width
            else:
                lanes = min(left, LANES)
                if pixels >= rows:
                    narrow_whole(pixels, n, lanes, x, w, bias, out, place)
                elif pixels >= rows // 2:
                    narrow_half(pixels, n, lanes, x, w, bias, out, place)
                else:
                    narrow_single(pixels, n, lanes, x, w, bias, out, place)
                n += LANES

    return tiles


def _columns(make_block, rows, width):
    return [_column(make_block(height, width), height) for height in (rows, rows // 2, 1)]


def _column(block, rows):
    """All pixels of the columns from ``n`` on; there are at least ``rows`` of them."""

    @inlined
    def column(pixels, n, lanes, x, w, bias, out, place):
        for i in range(0, pixels, rows):
            block(min(i, pixels - rows), n, lanes, x, w, bias, out, place)

    return column
