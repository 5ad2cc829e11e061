"""Standard convolution: input rows with their zeros in a small buffer, then a product in place."""

from npmobilenet.kernels.blocks import PANEL
from npmobilenet.kernels.jit import inlined
from npmobilenet.kernels.product import Taps, product


@inlined
def copy(x, start, out, target, count):
    """``out[target:target + count] = x[start:start + count]``."""
    for i in range(count):
        out[target + i] = x[start + i]


@inlined
def fill(out, target, count):
    """Zeros in ``out[target:target + count]``."""
    for i in range(count):
        out[target + i] = 0.0


@inlined
def padded_width(window):
    """Columns that the windows of one output row see, zeros included."""
    reach = (window.out_width - 1) * window.stride_x
    return reach + (window.kernel_width - 1) * window.dilation_x + 1


@inlined
def padded_height(window, rows):
    """The same for ``rows`` output rows."""
    return (rows - 1) * window.stride_y + (window.kernel_height - 1) * window.dilation_y + 1


@inlined
def convolution_rows(
    x,
    start,
    window,
    y0,
    y1,
    scratch,
    buffer,
    w,
    layer,
    columns,
    residual,
    skip,
    out,
    target,
):
    """Output rows ``[y0, y1)`` of a convolution with ``columns`` filters.

    ``x[start:]`` is the image and ``out[target:]`` the whole output image. ``scratch[buffer:]``
    takes the ``padded_height(window, y1 - y0)`` input rows. Other arguments as
    :func:`~npmobilenet.kernels.product.product`, the residual being a whole image too.
    """
    depth = window.channels
    width = padded_width(window)
    top = y0 * window.stride_y - window.pad_top
    held = min(window.width, width - window.pad_left)
    before, after = window.pad_left * depth, (width - window.pad_left - held) * depth
    for i in range(padded_height(window, y1 - y0)):
        at = buffer + i * width * depth
        if 0 <= top + i < window.height:
            fill(scratch, at, before)
            copy(x, start + (top + i) * window.width * depth, scratch, at + before, held * depth)
            fill(scratch, at + before + held * depth, after)
        else:
            fill(scratch, at, width * depth)
    row_step = window.dilation_y * width * depth
    pixel_step = window.stride_x * depth
    if window.dilation_x == 1:
        taps = Taps(window.kernel_height, row_step, 1, 0, window.kernel_width * depth, pixel_step)
    else:
        taps = Taps(
            window.kernel_height,
            row_step,
            window.kernel_width,
            window.dilation_x * depth,
            depth,
            pixel_step,
        )
    for n in range(0, columns, PANEL):
        for y in range(y0, y1):
            line = y * window.out_width * columns
            product(
                scratch,
                buffer + (y - y0) * window.stride_y * width * depth,
                taps,
                window.out_width,
                w,
                layer,
                n,
                min(n + PANEL, columns),
                columns,
                residual,
                skip + line if skip >= 0 else skip,
                out,
                target + line,
                columns,
            )
