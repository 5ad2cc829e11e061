"""One unit of any operation in the table."""

from npmobilenet.engine.table import (
    AVERAGE,
    BLOCK,
    BUFFER,
    COLUMNS,
    CONVOLUTION,
    COPY,
    DEPTH,
    DEPTHWISE,
    EXPAND,
    FIRST,
    INPUT,
    INVERTED,
    KIND,
    LARGEST,
    LAST,
    LOCAL,
    MIDDLE,
    NONE,
    OUT,
    OUTPUT,
    PACKED,
    PIXELS,
    PLANES,
    PRODUCT,
    RING,
    ROWS,
    SEPARABLE,
    SKIP,
    SOFTMAX,
    SOURCE,
    STEP,
    WINDOW,
)
from npmobilenet.kernels.convolution import convolution_rows, copy
from npmobilenet.kernels.depthwise import depthwise_row
from npmobilenet.kernels.fused import expand_depthwise, inverted_rows, separable_rows
from npmobilenet.kernels.head import average, largest, softmax
from npmobilenet.kernels.jit import inlined, jit
from npmobilenet.kernels.product import Taps, product
from npmobilenet.kernels.window import Layer, Window

_ZEROS = 0  # the store begins with zeros


@inlined
def _place(table, column, slot, image):
    offset = table[column + 1]
    return offset + slot if table[column + 2] == LOCAL else offset + image * table[column + 2]


@inlined
def _window(table, w):
    return Window(
        table[w],
        table[w + 1],
        table[w + 2],
        table[w + 3],
        table[w + 4],
        table[w + 5],
        table[w + 6],
        table[w + 7],
        table[w + 8],
        table[w + 9],
        table[w + 10],
        table[w + 11],
        table[w + 12],
    )


@inlined
def _layer(table, column, w):
    limits = table[column + 2]
    return Layer(table[column], table[column + 1], w[limits], w[limits + 1])


@jit
def perform(table, row, unit, image, slot, scratch, x, y, store, w):
    """Unit ``unit`` of the operation at ``table[row:]``.

    ``slot`` and ``scratch`` are offsets into ``store``: where the image is worked on, and what
    this thread has for itself.
    """
    kind = table[row + KIND]
    source = x if table[row + SOURCE] == INPUT else store
    start = _place(table, row + SOURCE, slot, image)
    out = y if table[row + OUT] == OUTPUT else store
    target = _place(table, row + OUT, slot, image)
    residual = x if table[row + SKIP] == INPUT else store
    skip = _place(table, row + SKIP, slot, image) if table[row + SKIP] != NONE else NONE
    window = _window(table, row + WINDOW)
    y0 = unit * table[row + ROWS]
    y1 = min(y0 + table[row + ROWS], window.out_height)
    buffer, planes = scratch + table[row + BUFFER], scratch + table[row + PLANES]
    columns, depth, packed = table[row + COLUMNS], table[row + DEPTH], table[row + PACKED]
    first, middle = _layer(table, row + FIRST, w), _layer(table, row + MIDDLE, w)
    last = _layer(table, row + LAST, w)
    pixels, block = table[row + PIXELS], table[row + BLOCK]

    if kind == SEPARABLE:
        separable_rows(
            source,
            start,
            window,
            y0,
            y1,
            _ZEROS,
            store,
            buffer,
            w,
            middle,
            packed,
            last,
            columns,
            residual,
            skip,
            out,
            target,
        )
    elif kind == INVERTED:
        inverted_rows(
            source,
            start,
            depth,
            window,
            y0,
            y1,
            table[row + STEP],
            _ZEROS,
            store,
            planes,
            table[row + RING],
            buffer,
            w,
            first,
            middle,
            packed,
            last,
            columns,
            residual,
            skip,
            out,
            target,
        )
    elif kind == EXPAND:
        expand_depthwise(
            source,
            start,
            depth,
            window,
            0,
            window.out_height,
            0,
            unit * block,
            min((unit + 1) * block, window.channels),
            _ZEROS,
            store,
            planes - unit * block * window.height * window.width,
            window.height,
            w,
            first,
            middle,
            packed,
            out,
            target,
        )
    elif kind == PRODUCT:
        across = (columns + block - 1) // block
        n, begin = (unit % across) * block, (unit // across) * table[row + ROWS]
        count = min(table[row + ROWS], pixels - begin)
        done = begin * columns
        product(
            source,
            start + begin * depth,
            Taps(1, 0, 1, 0, depth, depth),
            count,
            w,
            last,
            n,
            min(n + block, columns),
            columns,
            residual,
            skip + done if skip >= 0 else skip,
            out,
            target + done,
            columns,
        )
    elif kind == CONVOLUTION:
        convolution_rows(
            source,
            start,
            window,
            y0,
            y1,
            store,
            buffer,
            w,
            last,
            columns,
            residual,
            skip,
            out,
            target,
        )
    elif kind == DEPTHWISE:
        pitch = window.width * window.channels
        for line in range(y0, y1):
            depthwise_row(
                source,
                start,
                window.height,
                pitch,
                window,
                line,
                _ZEROS,
                w,
                middle,
                packed,
                out,
                target + line * window.out_width * window.channels,
                window.channels,
            )
    elif kind == AVERAGE:
        average(source, start, pixels, columns, _ZEROS, out, target)
    elif kind == LARGEST:
        largest(source, start, pixels, columns, out, target)
    elif kind == SOFTMAX:
        softmax(source, start + unit * columns, columns, out, target + unit * columns)
    elif kind == COPY:
        copy(source, start, out, target, columns)
