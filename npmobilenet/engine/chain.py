"""A chain: layers that follow each other, run depth first, some rows of each at a time.

What lies between two of them is a ring of rows that never leaves the cache (L2), where whole maps
of 112 x 112 pixels would go out to L3 and come back.
"""

from npmobilenet.engine.facts import ZEROS, layer_of, place_of, window_of
from npmobilenet.engine.table import (
    BUFFER,
    COLUMNS,
    CONVOLUTION,
    INPUT,
    KIND,
    LAST,
    MEMBERS,
    MIDDLE,
    NONE,
    OUT,
    OUTPUT,
    PACKED,
    PLANES,
    RING,
    ROWS,
    SOURCE,
    STEP,
    WIDTH,
    WINDOW,
)
from npmobilenet.kernels.convolution import convolution_rows
from npmobilenet.kernels.fused import separable_rows
from npmobilenet.kernels.jit import jit
from npmobilenet.kernels.window import Result, Rows


@jit
def _behind(table, member, last, y):
    """Of what row a member's result must be there up to, for rows up to ``y`` of the last."""
    while last > member:
        window = window_of(table, last + WINDOW)
        y = (y - 1) * window.stride_y - window.pad_top
        y = y + (window.kernel_height - 1) * window.dilation_y + 1
        y = max(0, min(y, window.height))
        last -= WIDTH
    return y


@jit
def _member_rows(table, row, before, y0, y1, scratch, store, w, result):
    """Rows of a member's result, from what is held of that of the member before."""
    window = window_of(table, row + WINDOW)
    last, columns = layer_of(table, row + LAST, w), table[row + COLUMNS]
    buffer = scratch + table[row + BUFFER]
    if table[row + KIND] == CONVOLUTION:
        convolution_rows(
            before.data, before.base, window, y0, y1, store, buffer, last, columns, result
        )
    else:
        middle = layer_of(table, row + MIDDLE, w)
        separable_rows(
            before, window, y0, y1, store, buffer, middle, table[row + PACKED], last, columns,
            result
        )  # fmt: skip


@jit
def perform_chain(table, row, image, slot, scratch, x, y, store, w):
    """The chain at ``table[row:]``, whose members are the rows that follow.

    Arguments as for :func:`~npmobilenet.engine.operations.perform`.
    """
    last, step = row + table[row + MEMBERS] * WIDTH, table[row + STEP]
    end = table[last + WINDOW + 3]
    # A step before the first computes what the others have above the first rows of the last.
    for top in range(-step, end, step):
        source = x if table[row + SOURCE] == INPUT else store
        start, ring = place_of(table, row + SOURCE, slot, image), 0
        for member in range(row + WIDTH, last + WIDTH, WIDTH):
            window, columns = window_of(table, member + WINDOW), table[member + COLUMNS]
            height = window.height if ring == 0 else ring
            before = Rows(source, start, height, window.width * window.channels, ZEROS)
            source, start, ring = store, scratch + table[member + PLANES], table[member + RING]
            out = store
            if member == last:
                out = y if table[row + OUT] == OUTPUT else store
                start, ring = place_of(table, row + OUT, slot, image), window.out_height
            y0 = _behind(table, member, last, top) if top >= 0 else 0
            stop = _behind(table, member, last, min(top + step, end))
            while y0 < stop:
                y1 = min(stop, y0 + table[member + ROWS], y0 + ring - y0 % ring)
                offset = start + y0 % ring * window.out_width * columns
                result = Result(out, offset, columns, out, NONE)
                _member_rows(table, member, before, y0, y1, scratch, store, w, result)
                y0 = y1
