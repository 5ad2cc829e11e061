"""One unit of any operation in the table."""

from npmobilenet.engine.facts import ZEROS, layer_of, place_of, span_of, window_of
from npmobilenet.engine.table import (
    AVERAGE,
    BLOCK,
    BUFFER,
    COLUMNS,
    CONVOLUTION,
    COPY,
    DENSE,
    DEPTH,
    DEPTHWISE,
    EXPAND,
    FIRST,
    HELD,
    INPUT,
    INVERTED,
    KIND,
    LARGEST,
    LAST,
    MIDDLE,
    MULTIPLIER,
    NONE,
    OUT,
    OUTPUT,
    PACKED,
    PIXELS,
    PLANES,
    PRODUCT,
    RING,
    SEPARABLE,
    SKIP,
    SOFTMAX,
    SOURCE,
    STEP,
    SUMS,
    WINDOW,
)
from npmobilenet.kernels.convolution import convolution_rows, copy
from npmobilenet.kernels.dense import dense
from npmobilenet.kernels.depthwise import depthwise_row, spread_rows
from npmobilenet.kernels.fused import (
    depthwise_sums,
    expand_depthwise,
    inverted_rows,
    separable_rows,
)
from npmobilenet.kernels.head import softmax
from npmobilenet.kernels.jit import jit
from npmobilenet.kernels.pooling import average_row, max_row
from npmobilenet.kernels.product import one_tap, product
from npmobilenet.kernels.strassen import strassen_product, strassen_sums, sums_of
from npmobilenet.kernels.window import Result, Rows, beside, from_column, moved


@jit
def perform(table, row, unit, goes_on, image, slot, scratch, x, y, store, w):
    """Unit ``unit`` of the operation at ``table[row:]``.

    ``slot`` and ``scratch`` are offsets into ``store``: where the image is worked on, and what
    this thread has for itself. With ``goes_on`` it has just done the unit before: what that left in
    the scratch is still there.
    """
    kind = table[row + KIND]
    source = x if table[row + SOURCE] == INPUT else store
    start = place_of(table, row + SOURCE, slot, image)
    skip = place_of(table, row + SKIP, slot, image) if table[row + SKIP] != NONE else NONE
    columns, depth, packed = table[row + COLUMNS], table[row + DEPTH], table[row + PACKED]
    out = y if table[row + OUT] == OUTPUT else store
    target = place_of(table, row + OUT, slot, image)
    result = Result(out, target, columns, x if table[row + SKIP] == INPUT else store, skip)
    window = window_of(table, row + WINDOW)
    ring = table[row + HELD] if table[row + HELD] > 0 else window.height
    rows = Rows(source, start, ring, window.width * window.channels, ZEROS)
    y0, y1 = span_of(table, row, unit, window.out_height)
    buffer, planes = scratch + table[row + BUFFER], scratch + table[row + PLANES]
    first, middle = layer_of(table, row + FIRST, w), layer_of(table, row + MIDDLE, w)
    last = layer_of(table, row + LAST, w)
    pixels, block = table[row + PIXELS], table[row + BLOCK]
    multiplier = table[row + MULTIPLIER]
    if multiplier > 1:
        rows = spread_rows(source, start, window, y0, y1, multiplier, store, planes, ZEROS)

    if table[row + SUMS] > 0:
        half = columns // 2
        n, until = 0, half
        if kind == SEPARABLE:
            depth, begin = window.channels, y0 * window.out_width
            pixels = (y1 - y0) * window.out_width
            sums = sums_of(store, scratch + table[row + SUMS], pixels, depth)
            step = table[row + STEP]
            depthwise_sums(rows, window, y0, y1, step, store, buffer, middle, packed, sums)
        else:
            across = (half + block - 1) // block
            n = (unit % across) * block
            until = min(n + block, half)
            begin, end = span_of(table, row, unit // across, pixels)
            pixels = end - begin
            sums = sums_of(store, scratch + table[row + SUMS], pixels, depth)
            strassen_sums(source, start + begin * depth, pixels, depth, sums)
        strassen_product(sums, pixels, depth, last, columns, n, until, moved(result, begin))
    elif kind == SEPARABLE:
        to = moved(result, y0 * window.out_width)
        separable_rows(rows, window, y0, y1, store, buffer, middle, packed, last, columns, to)
    elif kind == INVERTED:
        expanded = Rows(store, planes, table[row + RING], 0, ZEROS)
        step = table[row + STEP]
        inverted_rows(
            source, start, depth, window, y0, y1, step, goes_on, expanded, buffer, first, middle,
            packed, last, columns, result
        )  # fmt: skip
    elif kind == EXPAND:
        # The planes of the channels before this unit's are not there.
        planes -= unit * block * window.height * window.width
        expanded = Rows(store, planes, window.height, 0, ZEROS)
        c0, c1 = unit * block, min((unit + 1) * block, window.channels)
        expand_depthwise(
            source, start, depth, window, 0, window.out_height, 0, c0, c1, expanded, first, middle,
            packed, Result(out, target, window.channels, store, NONE)
        )  # fmt: skip
    elif kind == PRODUCT:
        across = (columns + block - 1) // block
        n = (unit % across) * block
        begin, end = span_of(table, row, unit // across, pixels)
        taps = one_tap(depth)
        to = beside(moved(result, begin), n)
        panels = from_column(last, n, depth)
        width = min(block, columns - n)
        product(source, start + begin * depth, taps, end - begin, panels, width, to)
    elif kind == DENSE:
        n = unit * block
        panels = from_column(last, n, depth)
        dense(source, start, depth, pixels, panels, min(block, columns - n), beside(result, n))
    elif kind == CONVOLUTION:
        across = (columns + block - 1) // block
        n = (unit % across) * block
        y0, y1 = span_of(table, row, unit // across, window.out_height)
        panels = from_column(last, n, window.kernel_height * window.kernel_width * window.channels)
        to = beside(moved(result, y0 * window.out_width), n)
        width = min(block, columns - n)
        convolution_rows(source, start, window, y0, y1, store, buffer, panels, width, to)
    elif kind == DEPTHWISE:
        for line in range(y0, y1):
            offset = target + line * window.out_width * window.channels
            to = Result(out, offset, window.channels, store, NONE)
            depthwise_row(rows, window, line, middle, packed, to)
    elif kind == AVERAGE:
        for line in range(y0, y1):
            average_row(rows, window, line, moved(result, line * window.out_width))
    elif kind == LARGEST:
        for line in range(y0, y1):
            max_row(rows, window, line, moved(result, line * window.out_width))
    elif kind == SOFTMAX:
        softmax(source, start + unit * columns, columns, out, target + unit * columns)
    elif kind == COPY:
        copy(source, start, out, target, columns)
