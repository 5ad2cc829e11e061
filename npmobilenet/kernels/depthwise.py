"""Depthwise convolution: one output row at a time, a sliding window of pixels in registers."""

import numpy as np
from numpy.typing import NDArray

from npmobilenet.kernels.blocks import round_up
from npmobilenet.kernels.convolution import padded_height
from npmobilenet.kernels.host import LANES, REGISTERS
from npmobilenet.kernels.jit import inlined, jit
from npmobilenet.kernels.tile import tile_clamp, tile_scale, tile_store, tile_window, tile_zero
from npmobilenet.kernels.window import Rows

# Sums, one kernel row of weights and one pixel fit the registers.
_VECTORS = 2 if REGISTERS == 32 else 1
_LONG, _SHORT = 7, 4


def pack_depthwise(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weights ``(height, width, channels)`` with the channels filled up to whole vectors."""
    height, width, channels = kernel.shape
    packed = np.zeros((height, width, round_up(channels, LANES)), np.float32)
    packed[..., :channels] = kernel
    return packed.ravel()


def _make_pixels(rows, vectors, stride, taps):
    """``rows`` output pixels from column ``i`` on, for channels ``[c, c + vectors * LANES)``."""

    @jit
    def pixels(x, window, y, i, c, layer, packed, result, lanes):
        tile = tile_zero(rows, vectors)
        top = y * window.stride_y - window.pad_top
        left = i * window.stride_x - window.pad_left
        for ky in range(window.kernel_height):
            line = top + ky * window.dilation_y
            if 0 <= line < window.height:
                row = x.base + (line % x.ring) * x.pitch + c
                kernel = layer.kernel + ky * window.kernel_width * packed + c
                for kx in range(0, window.kernel_width, taps):
                    column = left + kx * window.dilation_x
                    tile = tile_window(
                        tile, x.data, row, column, window.width, window.channels, x.zeros,
                        stride, taps, layer.w, kernel + kx * packed, packed
                    )  # fmt: skip
        tile = tile_scale(tile, layer.w, layer.norm + 2 * c)
        tile = tile_clamp(tile, layer.low, layer.high)
        tile_store(tile, result.out, result.offset + i * result.stride + c, result.stride, lanes)

    return pixels


def _make_row(rows, vectors, stride, taps):
    """A whole output row in tiles of ``rows`` pixels; the last one may overlap the one before."""
    wide = _make_pixels(rows, vectors, stride, taps)
    narrow = _make_pixels(rows, 1, stride, taps) if vectors > 1 else wide

    @inlined
    def row(x, window, y, layer, packed, result):
        i = 0
        while i < window.out_width:
            i = min(i, window.out_width - rows)
            for c in range(0, window.channels, vectors * LANES):
                lanes = window.channels - c
                if lanes > (vectors - 1) * LANES:
                    lanes = min(lanes - (vectors - 1) * LANES, LANES)
                    wide(x, window, y, i, c, layer, packed, result, lanes)
                else:
                    narrow(x, window, y, i, c, layer, packed, result, lanes)
            i += rows

    return row


_three_long = _make_row(_LONG, _VECTORS, 1, 3)
_three_short = _make_row(_SHORT, _VECTORS, 1, 3)
_three_strided_long = _make_row(_LONG, _VECTORS, 2, 3)
_three_strided_short = _make_row(_SHORT, _VECTORS, 2, 3)
_five = _make_row(_SHORT, 1, 1, 5)
_five_strided = _make_row(_SHORT, 1, 2, 5)
_any = _make_row(1, 1, 1, 1)


@jit
def depthwise_row(x, window, y, layer, packed, result):
    """Row ``y`` of a depthwise convolution.

    Parameters
    ----------
    x : Rows
    window : Window
    y : int
    layer : Layer
        Weights as :func:`pack_depthwise` gives them.
    packed : int
        Floats from one tap to the next, ``channels`` in whole vectors.
    result : Result
        Where pixel 0 of this row goes; residuals are not added.
    """
    wide = window.out_width
    # Of two tile lengths the one that computes fewer pixels twice; the longer one if they tie.
    short = (wide + _SHORT - 1) // _SHORT * _SHORT < (wide + _LONG - 1) // _LONG * _LONG
    short = short or wide < _LONG
    fits = wide >= _SHORT and window.dilation_x == 1
    fits = fits and window.kernel_width in (3, 5) and window.stride_x in (1, 2)
    if not fits:
        _any(x, window, y, layer, packed, result)
    elif window.kernel_width == 5:
        if window.stride_x == 1:
            _five(x, window, y, layer, packed, result)
        else:
            _five_strided(x, window, y, layer, packed, result)
    elif window.stride_x == 1:
        if short:
            _three_short(x, window, y, layer, packed, result)
        else:
            _three_long(x, window, y, layer, packed, result)
    elif short:
        _three_strided_short(x, window, y, layer, packed, result)
    else:
        _three_strided_long(x, window, y, layer, packed, result)


@inlined
def spread_rows(x, start, window, y0, y1, multiplier, scratch, buffer, zeros):
    """The input of output rows ``[y0, y1)`` with each channel ``multiplier`` times in a row.

    On such rows a convolution with a depth multiplier is one without. ``window`` is that of the
    latter: ``x[start:]`` is an image of ``window.channels / multiplier`` channels.
    ``scratch[buffer:]`` takes the ``padded_height(window, y1 - y0)`` rows.
    """
    pitch = window.width * window.channels
    count = pitch // multiplier
    ring = padded_height(window, y1 - y0)
    top = y0 * window.stride_y - window.pad_top
    for line in range(max(top, 0), min(top + ring, window.height)):
        source, target = start + line * count, buffer + line % ring * pitch
        for i in range(count):
            for copy in range(multiplier):
                scratch[target + i * multiplier + copy] = x[source + i]
    return Rows(scratch, buffer, ring, pitch, zeros)
