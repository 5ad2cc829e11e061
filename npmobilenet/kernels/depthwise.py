"""Depthwise convolution: one output row at a time, a sliding window of pixels in registers."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from npmobilenet.kernels.blocks import round_up
from npmobilenet.kernels.convolution import padded_height
from npmobilenet.kernels.host import LANES, REGISTERS
from npmobilenet.kernels.jit import inlined, jit
from npmobilenet.kernels.tile import (
    HALF,
    tile_clamp,
    tile_scale,
    tile_store,
    tile_window,
    tile_zero,
)
from npmobilenet.kernels.window import Rows

# Sums, one kernel row of weights and one pixel fit the registers.
_WIDTH = 2 * LANES
_LONG, _SHORT = (7, 4) if REGISTERS == 32 else (4, 4)


def pack_depthwise(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weights ``(height, width, channels)`` with the channels filled up to whole vectors."""
    height, width, channels = kernel.shape
    packed = np.zeros((height, width, round_up(channels, LANES)), np.float32)
    packed[..., :channels] = kernel
    return packed.ravel()


@cache
def _make_lines(count):
    """Where ``count`` rows of the input begin, the first in a given place of the ring."""
    if count == 1:
        return jit(lambda x, held, step: (_line(x, held),))
    others = _make_lines(count - 1)
    return jit(lambda x, held, step: (_line(x, held), *others(x, held + step, step)))


@jit
def _line(x, held):
    while held >= x.ring:
        held -= x.ring
    return x.base + held * x.pitch


def _make_tiles(rows, width, stride, taps, count):
    """A row of the output in tiles of ``rows`` pixels, in channels ``[first, last)``.

    Sums ``count`` kernel rows: the input row under the first of them, ``ky``, is in place ``held``
    of the ring, and the others are below it. The last tile may overlap the one before.
    """
    before_last = (width - 1) // LANES * LANES
    whole = width - before_last
    lines = _make_lines(count)

    @jit
    def tiles(x, window, held, ky, first, last, layer, packed, result):
        there = lines(x, held, window.dilation_y)
        kernel = layer.kernel + ky * taps * packed
        i = 0
        while i < window.out_width:
            i = min(i, window.out_width - rows)
            left = i * stride - window.pad_left
            to = result.offset + i * result.stride
            for c in range(first, last, width):
                tile = tile_zero(rows, width)
                tile = tile_window(
                    tile, x.data, there, c, left, window.width, window.channels, x.zeros, stride,
                    taps, layer.w, kernel + c, packed
                )  # fmt: skip
                tile = tile_scale(tile, layer.w, layer.norm + 2 * c)
                tile = tile_clamp(tile, layer.low, layer.high)
                lanes = min(last - c - before_last, whole)
                tile_store(tile, result.out, to + c, result.stride, lanes)
            i += rows

    return tiles


_one_line = _make_lines(1)


@jit
def _any(x, window, held, ky, end, layer, packed, result):
    """A row of the output, for kernel rows ``[ky, end)`` of any size: tap by tap."""
    for i in range(window.out_width):
        left = i * window.stride_x - window.pad_left
        to = result.offset + i * result.stride
        for c in range(0, window.channels, LANES):
            tile = tile_zero(1, LANES)
            for line in range(end - ky):
                there = _one_line(x, held + line * window.dilation_y, 0)
                kernel = layer.kernel + (ky + line) * window.kernel_width * packed + c
                for kx in range(window.kernel_width):
                    column = left + kx * window.dilation_x
                    tile = tile_window(
                        tile, x.data, there, c, column, window.width, window.channels, x.zeros,
                        1, 1, layer.w, kernel + kx * packed, packed
                    )  # fmt: skip
            tile = tile_scale(tile, layer.w, layer.norm + 2 * c)
            tile = tile_clamp(tile, layer.low, layer.high)
            tile_store(tile, result.out, to + c, 0, min(window.channels - c, LANES))


def _make_row(rows, stride):
    """A row of the output under a kernel of 3 x 3.

    One function is for whole kernels and one for all but a row of them, which is what the first
    and the last row of an image need; the few others go the slow way.
    """
    full = _make_tiles(rows, _WIDTH, stride, 3, 3)
    most = _make_tiles(rows, _WIDTH, stride, 3, 2)
    narrow = _make_tiles(rows, LANES, stride, 3, 3)
    half = narrow if HALF == LANES else _make_tiles(rows, HALF, stride, 3, 3)

    @inlined
    def row(x, window, held, ky, end, layer, packed, result):
        channels = window.channels
        whole = channels // _WIDTH * _WIDTH
        if channels - whole > _WIDTH - LANES:
            whole = channels
        if end - ky == 3:
            if whole > 0:
                full(x, window, held, ky, 0, whole, layer, packed, result)
            if whole < channels <= whole + HALF:
                half(x, window, held, ky, whole, channels, layer, packed, result)
            elif whole < channels:
                narrow(x, window, held, ky, whole, channels, layer, packed, result)
        elif end - ky == 2 and whole == channels:
            most(x, window, held, ky, 0, whole, layer, packed, result)
        else:
            _any(x, window, held, ky, end, layer, packed, result)

    return row


def _make_row_of_five(rows, stride):
    """The same under a kernel of 5 x 5, a vector of channels at a time."""
    full = _make_tiles(rows, LANES, stride, 5, 5)

    @inlined
    def row(x, window, held, ky, end, layer, packed, result):
        if end - ky == 5:
            full(x, window, held, ky, 0, window.channels, layer, packed, result)
        else:
            _any(x, window, held, ky, end, layer, packed, result)

    return row


_three_long = _make_row(_LONG, 1)
_three_short = _three_long if _SHORT == _LONG else _make_row(_SHORT, 1)
_three_strided_long = _make_row(_LONG, 2)
_three_strided_short = _three_strided_long if _SHORT == _LONG else _make_row(_SHORT, 2)
_five = _make_row_of_five(_SHORT, 1)
_five_strided = _make_row_of_five(_SHORT, 2)


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
    top = y * window.stride_y - window.pad_top
    step = window.dilation_y
    # Kernel rows [ky, end) lie over the image, the first of them over row ``held`` of the ring.
    ky = max(0, (step - 1 - top) // step)
    end = min(window.kernel_height, max(ky, (window.height - top + step - 1) // step))
    ky = min(ky, end)
    held = (top + ky * step) % x.ring
    wide = window.out_width
    # Of two tile lengths the one that computes fewer pixels twice; the longer one if they tie.
    short = (wide + _SHORT - 1) // _SHORT * _SHORT < (wide + _LONG - 1) // _LONG * _LONG
    short = short or wide < _LONG
    fits = wide >= _SHORT and window.dilation_x == 1
    fits = fits and window.kernel_height == window.kernel_width
    fits = fits and window.kernel_width in (3, 5) and window.stride_x in (1, 2)
    right = (wide - 1) * window.stride_x - window.pad_left + window.kernel_width - window.width
    fits = fits and max(window.pad_left, right) <= window.kernel_width // 2
    if not fits:
        _any(x, window, held, ky, end, layer, packed, result)
    elif window.kernel_width == 5:
        if window.stride_x == 1:
            _five(x, window, held, ky, end, layer, packed, result)
        else:
            _five_strided(x, window, held, ky, end, layer, packed, result)
    elif window.stride_x == 1:
        if short:
            _three_short(x, window, held, ky, end, layer, packed, result)
        else:
            _three_long(x, window, held, ky, end, layer, packed, result)
    elif short:
        _three_strided_short(x, window, held, ky, end, layer, packed, result)
    else:
        _three_strided_long(x, window, held, ky, end, layer, packed, result)


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
