"""The loop over the tiles of an output matrix, with smaller tiles at its edges."""

from npmobilenet.kernels.blocks import ROWS, VECTORS
from npmobilenet.kernels.host import LANES
from npmobilenet.kernels.jit import jit


def over_tiles(make_block, rows=ROWS, vectors=VECTORS):
    """A compiled function ``tiles(pixels, columns, arguments)``.

    ``make_block(rows, vectors)`` gives a compiled ``block(i, n, lanes, *arguments)`` for the tile
    that begins at pixel ``i`` and column ``n``; ``lanes`` floats of its last vector count. The
    pixels of the last tile may overlap those of the one before: computed twice, to equal bits.
    """
    whole, half, single = _columns(make_block, rows, vectors)
    narrow_whole, narrow_half, narrow_single = _columns(make_block, rows, 1)
    panel = vectors * LANES
    full = panel - LANES

    @jit
    def tiles(pixels, columns, arguments):
        n = 0
        while n < columns:
            left = columns - n
            if left > full:
                lanes = min(left, panel) - full
                if pixels >= rows:
                    whole(pixels, n, lanes, arguments)
                elif pixels >= rows // 2:
                    half(pixels, n, lanes, arguments)
                else:
                    single(pixels, n, lanes, arguments)
                n += panel
            else:
                lanes = min(left, LANES)
                if pixels >= rows:
                    narrow_whole(pixels, n, lanes, arguments)
                elif pixels >= rows // 2:
                    narrow_half(pixels, n, lanes, arguments)
                else:
                    narrow_single(pixels, n, lanes, arguments)
                n += LANES

    return tiles


def _columns(make_block, rows, vectors):
    return [_column(make_block(height, vectors), height) for height in (rows, rows // 2, 1)]


def _column(block, rows):
    """All pixels of the columns from ``n`` on; there are at least ``rows`` of them."""

    @jit
    def column(pixels, n, lanes, arguments):
        for i in range(0, pixels, rows):
            block(min(i, pixels - rows), n, lanes, *arguments)

    return column
