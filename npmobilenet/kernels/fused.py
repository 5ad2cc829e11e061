"""Blocks of MobileNet as one kernel: what lies between their layers never leaves the cache."""

from npmobilenet.kernels.blocks import PANEL
from npmobilenet.kernels.depthwise import depthwise_row
from npmobilenet.kernels.jit import inlined
from npmobilenet.kernels.product import Taps, product
from npmobilenet.kernels.window import Layer, Window


@inlined
def separable_rows(
    x,
    start,
    window,
    y0,
    y1,
    zeros,
    scratch,
    buffer,
    w,
    depthwise,
    packed,
    pointwise,
    columns,
    residual,
    skip,
    out,
    target,
):
    """Output rows ``[y0, y1)`` of a depthwise separable block (V1; V2's first block).

    ``scratch[buffer:]`` takes the depthwise result, ``(y1 - y0) * out_width * channels`` floats;
    ``x[start:]``, ``residual[skip:]`` and ``out[target:]`` are whole images.
    """
    channels = window.channels
    pitch = window.width * channels
    line = window.out_width * channels
    for y in range(y0, y1):
        depthwise_row(
            x,
            start,
            window.height,
            pitch,
            window,
            y,
            zeros,
            w,
            depthwise,
            packed,
            scratch,
            buffer + (y - y0) * line,
            channels,
        )
    done = y0 * window.out_width * columns
    product(
        scratch,
        buffer,
        Taps(1, 0, 1, 0, channels, channels),
        (y1 - y0) * window.out_width,
        w,
        pointwise,
        0,
        columns,
        columns,
        residual,
        skip + done if skip >= 0 else skip,
        out,
        target + done,
        columns,
    )


@inlined
def _from_column(layer, column, depth):
    """The part of a layer that begins at a panel, with ``depth`` weights for each column."""
    return Layer(layer.kernel + column * depth, layer.bias + column, layer.low, layer.high)


@inlined
def expand_depthwise(
    x,
    start,
    depth,
    window,
    y0,
    y1,
    fresh,
    first,
    last,
    zeros,
    scratch,
    planes,
    ring,
    w,
    expand,
    depthwise,
    packed,
    out,
    target,
):
    """Expansion and depthwise of an inverted residual, a panel of channels at a time.

    Parameters
    ----------
    x, start, depth
        The block's input image and its channels.
    window : Window
        Of the depthwise convolution; ``channels`` is the expanded number.
    y0, y1
        Output rows to compute.
    fresh
        The first expanded row that the planes do not hold yet.
    first, last
        Expanded channels to compute; ``first`` begins a panel.
    scratch, planes, ring
        Each panel's plane of ``ring`` expanded rows; row ``r`` is kept at ``r % ring``.
    out, target
        Receives rows from ``y0`` on, all ``window.channels`` channels a pixel.
    """
    width = window.width
    top = y0 * window.stride_y - window.pad_top
    bottom = (y1 - 1) * window.stride_y - window.pad_top
    bottom += (window.kernel_height - 1) * window.dilation_y + 1
    begin, end = max(fresh, top, 0), min(bottom, window.height)
    line = window.out_width * window.channels
    for c in range(first, last, PANEL):
        count = min(window.channels - c, PANEL)
        pitch = width * count
        plane = planes + c * ring * width
        row = begin
        while row < end:
            rows = min(end - row, ring - row % ring)
            product(
                x,
                start + row * width * depth,
                Taps(1, 0, 1, 0, depth, depth),
                rows * width,
                w,
                _from_column(expand, c, depth),
                0,
                count,
                count,
                x,
                -1,
                scratch,
                plane + (row % ring) * pitch,
                count,
            )
            row += rows
        panel = Window(
            window.height,
            width,
            count,
            window.out_height,
            window.out_width,
            window.kernel_height,
            window.kernel_width,
            window.stride_y,
            window.stride_x,
            window.dilation_y,
            window.dilation_x,
            window.pad_top,
            window.pad_left,
        )
        for y in range(y0, y1):
            depthwise_row(
                scratch,
                plane,
                ring,
                pitch,
                panel,
                y,
                zeros,
                w,
                _from_column(depthwise, c, 1),
                packed,
                out,
                target + (y - y0) * line + c,
                window.channels,
            )


@inlined
def inverted_rows(
    x,
    start,
    depth,
    window,
    y0,
    y1,
    step,
    zeros,
    scratch,
    planes,
    ring,
    buffer,
    w,
    expand,
    depthwise,
    packed,
    project,
    columns,
    residual,
    skip,
    out,
    target,
):
    """Output rows ``[y0, y1)`` of an inverted residual, ``step`` of them at a time.

    Expanded rows stay in the planes from step to step, so none is computed twice.
    ``scratch[buffer:]`` takes ``step`` depthwise rows. Other arguments as :func:`expand_depthwise` and :func:`separable_rows`.
    """
    channels = window.channels
    fresh = 0
    for y in range(y0, y1, step):
        below = min(y + step, y1)
        expand_depthwise(
            x,
            start,
            depth,
            window,
            y,
            below,
            fresh,
            0,
            channels,
            zeros,
            scratch,
            planes,
            ring,
            w,
            expand,
            depthwise,
            packed,
            scratch,
            buffer,
        )
        fresh = (below - 1) * window.stride_y - window.pad_top
        fresh += (window.kernel_height - 1) * window.dilation_y + 1
        done = y * window.out_width * columns
        product(
            scratch,
            buffer,
            Taps(1, 0, 1, 0, channels, channels),
            (below - y) * window.out_width,
            w,
            project,
            0,
            columns,
            columns,
            residual,
            skip + done if skip >= 0 else skip,
            out,
            target + done,
            columns,
        )
