"""Blocks of MobileNet as one kernel: what lies between their layers never leaves the cache."""

from npmobilenet.kernels.blocks import PANEL
from npmobilenet.kernels.depthwise import depthwise_row
from npmobilenet.kernels.jit import inlined
from npmobilenet.kernels.product import one_tap, product
from npmobilenet.kernels.strassen import from_pixel, strassen_sums
from npmobilenet.kernels.window import Result, Rows, Window, from_column, moved


@inlined
def separable_rows(
    x, window, y0, y1, scratch, buffer, depthwise, packed, pointwise, columns, result
):
    """Output rows ``[y0, y1)`` of a depthwise separable block (V1; V2's first block).

    Parameters
    ----------
    x : Rows
        The whole image.
    window : Window
    scratch, buffer
        ``scratch[buffer:]`` takes the depthwise result, ``(y1 - y0) * out_width * channels``.
    depthwise, packed
        As for :func:`~npmobilenet.kernels.depthwise.depthwise_row`.
    pointwise : Layer
        With ``columns`` filters.
    result : Result
        Where row ``y0`` goes.
    """
    channels = window.channels
    between = Result(scratch, buffer, channels, scratch, -1)
    for y in range(y0, y1):
        line = moved(between, (y - y0) * window.out_width)
        depthwise_row(x, window, y, depthwise, packed, line)
    taps = one_tap(channels)
    pixels = (y1 - y0) * window.out_width
    product(scratch, buffer, taps, pixels, pointwise, columns, result)


@inlined
def depthwise_sums(x, window, y0, y1, step, scratch, buffer, depthwise, packed, sums):
    """Strassen's sums of the depthwise result of rows ``[y0, y1)``.

    ``scratch[buffer:]`` takes ``step`` rows of it, an even number of pixels.
    """
    channels = window.channels
    between = Result(scratch, buffer, channels, scratch, -1)
    for top in range(y0, y1, step):
        bottom = min(top + step, y1)
        for y in range(top, bottom):
            line = moved(between, (y - top) * window.out_width)
            depthwise_row(x, window, y, depthwise, packed, line)
        pixels = (bottom - top) * window.out_width
        below = from_pixel(sums, (top - y0) * window.out_width)
        strassen_sums(scratch, buffer, pixels, channels, below)


@inlined
def _end_of_reach(window, y):
    """The input row behind the last that output rows before ``y`` are made from."""
    reach = (window.kernel_height - 1) * window.dilation_y + 1
    return (y - 1) * window.stride_y - window.pad_top + reach


@inlined
def expand_depthwise(
    x, start, depth, window, y0, y1, fresh, first, last, planes, expand, depthwise, packed, result
):
    """Expansion and depthwise of an inverted residual, a panel of channels at a time.

    Parameters
    ----------
    x, start, depth
        The block's input image at ``x[start:]``, and its channels.
    window : Window
        Of the depthwise convolution; ``channels`` is the expanded number.
    y0, y1
        Output rows to compute.
    fresh
        The first expanded row that the planes do not hold yet.
    first, last
        Expanded channels to compute; ``first`` begins a panel.
    planes : Rows
        Room for the expanded rows, a plane of ``ring`` rows for each panel from channel 0 on.
    expand, depthwise, packed
        Weights, as for a product and for a depthwise convolution.
    result : Result
        Where row ``y0`` goes, with all ``window.channels`` channels of a pixel.
    """
    width = window.width
    top = y0 * window.stride_y - window.pad_top
    begin, end = max(fresh, top, 0), min(_end_of_reach(window, y1), window.height)
    taps = one_tap(depth)
    for c in range(first, last, PANEL):
        count = min(window.channels - c, PANEL)
        pitch = width * count
        plane = planes.base + c * planes.ring * width
        layer = from_column(expand, c, depth)
        row = begin
        while row < end:
            rows = min(end - row, planes.ring - row % planes.ring)
            to = Result(planes.data, plane + row % planes.ring * pitch, count, planes.data, -1)
            product(x, start + row * width * depth, taps, rows * width, layer, count, to)
            row += rows
        panel = Window(window.height, width, count, *window[3:])
        held = Rows(planes.data, plane, planes.ring, pitch, planes.zeros)
        layer = from_column(depthwise, c, 1)
        for y in range(y0, y1):
            line = moved(result, (y - y0) * window.out_width)
            line = Result(line.out, line.offset + c, line.stride, line.residual, -1)
            depthwise_row(held, panel, y, layer, packed, line)


@inlined
def inverted_rows(
    x, start, depth, window, y0, y1, step, goes_on, planes, buffer, expand, depthwise, packed,
    project, columns, result
):  # fmt: skip
    """Output rows ``[y0, y1)`` of an inverted residual, ``step`` of them at a time.

    Expanded rows stay in the planes from step to step, so none is computed twice. With ``goes_on``
    those of the row above ``y0`` are there already.
    ``planes.data[buffer:]`` takes ``step`` depthwise rows. Other arguments as
    :func:`expand_depthwise` and :func:`separable_rows`.
    """
    channels = window.channels
    between = Result(planes.data, buffer, channels, planes.data, -1)
    taps = one_tap(channels)
    fresh = 0
    if goes_on:
        fresh = _end_of_reach(window, y0)
    for y in range(y0, y1, step):
        end = min(y + step, y1)
        expand_depthwise(
            x, start, depth, window, y, end, fresh, 0, channels, planes, expand, depthwise, packed,
            between
        )  # fmt: skip
        fresh = _end_of_reach(window, end)
        pixels = (end - y) * window.out_width
        below = moved(result, y * window.out_width)
        product(planes.data, buffer, taps, pixels, project, columns, below)
