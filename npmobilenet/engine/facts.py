"""What the table says of an operation, in the groups that kernels are given."""

from npmobilenet.engine.table import BEGIN, GRAIN, LOCAL, PARTS, SMALL, TOTAL
from npmobilenet.kernels.jit import inlined
from npmobilenet.kernels.window import Layer, Window

ZEROS = 0  # the store begins with zeros


@inlined
def place_of(table, column, slot, image):
    """Where in its space a place lies for this image."""
    offset = table[column + 1]
    return offset + slot if table[column + 2] == LOCAL else offset + image * table[column + 2]


@inlined
def window_of(table, w):
    """The window that begins in column ``w``."""
    return Window(
        table[w], table[w + 1], table[w + 2], table[w + 3], table[w + 4], table[w + 5],
        table[w + 6], table[w + 7], table[w + 8], table[w + 9], table[w + 10], table[w + 11],
        table[w + 12]
    )  # fmt: skip


@inlined
def layer_of(table, column, w):
    """The weights that begin in a column."""
    limits = table[column + 2]
    return Layer(w, table[column], table[column + 1], w[limits], w[limits + 1])


@inlined
def span_of(table, row, unit, end):
    """The output rows, or pixels, of a unit: where they begin and end."""
    total, parts, small = table[row + TOTAL], table[row + PARTS], table[row + SMALL]
    part = unit if small == 0 else unit // 2
    first, last = part * total // parts, (part + 1) * total // parts
    if small > 0:
        first, last = (first, last - small) if unit % 2 == 0 else (last - small, last)
    grain, before = table[row + GRAIN], table[row + BEGIN]
    return before + grain * first, min(before + grain * last, end)
