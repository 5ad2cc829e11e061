"""Standard convolution: input rows with their zeros in a small buffer, then a product in place."""

from npmobilenet.kernels.blocks import PANEL
from npmobilenet.kernels.host import LANES
from npmobilenet.kernels.jit import inlined, jit
from npmobilenet.kernels.product import FIRST, LAST, MIDDLE, WHOLE, Taps, product
from npmobilenet.kernels.window import Layer, beside, from_column

_MANY = 1 << 16  # weights: 256 KB, half of an L2 of today


@jit
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
def convolution_rows(x, start, window, y0, y1, scratch, buffer, layer, columns, result):
    """Output rows ``[y0, y1)`` of a convolution with ``columns`` filters.

    ``x[start:]`` is the image, and ``result`` where row ``y0`` goes. ``scratch[buffer:]`` takes
    the ``padded_height(window, y1 - y0)`` input rows. ``layer`` has weights as
    :func:`~npmobilenet.kernels.product.pack_panels` gives them.
    """
    depth = window.channels
    width = padded_width(window)
    top = y0 * window.stride_y - window.pad_top
    # Where a stride is wider than its kernel, no window may reach the image.
    zeros = min(window.pad_left, width)
    held = min(window.width, width - zeros)
    before, after = zeros * depth, (width - zeros - held) * depth
    for i in range(padded_height(window, y1 - y0)):
        at = buffer + i * width * depth
        if 0 <= top + i < window.height:
            fill(scratch, at, before)
            copy(x, start + (top + i) * window.width * depth, scratch, at + before, held * depth)
            fill(scratch, at + before + held * depth, after)
        else:
            fill(scratch, at, width * depth)
    # Without dilation the taps of a kernel row lie next to each other, as one deep tap.
    joined = window.dilation_x == 1
    row = window.kernel_width * depth
    taps = Taps(
        window.kernel_height,
        window.dilation_y * width * depth,
        1 if joined else window.kernel_width,
        window.dilation_x * depth,
        row if joined else depth,
        window.stride_x * depth,
        y1 - y0,
        window.stride_y * width * depth,
        WHOLE,
    )
    last = window.kernel_height - 1
    if last == 0 or PANEL * (last + 1) * row <= _MANY or columns % LANES > 0:
        product(scratch, buffer, taps, window.out_width, layer, columns, result)
        return
    # A panel that does not fit into L2 is read in parts: a kernel row for all output rows, then
    # the next. The sums between lie in the output, which must have room for whole vectors.
    for n in range(0, columns, PANEL):
        panel, lanes = from_column(layer, n, (last + 1) * row), min(PANEL, columns - n)
        for ky in range(last + 1):
            part = FIRST if ky == 0 else LAST if ky == last else MIDDLE
            line = Taps(1, *taps[1:8], part)
            begin = buffer + ky * taps.row_step
            weights = Layer(panel.w, panel.kernel + ky * row * lanes, *panel[2:])
            product(scratch, begin, line, window.out_width, weights, lanes, beside(result, n))
