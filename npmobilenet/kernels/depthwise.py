"""Depthwise convolution: one output row at a time, a sliding window of pixels in registers."""

import numpy as np
from numpy.typing import NDArray

from npmobilenet.kernels.blocks import round_up
from npmobilenet.kernels.host import LANES, REGISTERS
from npmobilenet.kernels.jit import inlined, jit
from npmobilenet.kernels.tile import tile_clamp, tile_scale, tile_store, tile_window, tile_zero

# Sums, one kernel row of weights and one pixel fit the registers.
_VECTORS = 2
_LONG, _SHORT = (7, 4) if REGISTERS == 32 else (4, 4)


def pack_depthwise(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weights ``(height, width, channels)`` with the channels filled up to whole vectors."""
    height, width, channels = kernel.shape
    packed = np.zeros((height, width, round_up(channels, LANES)), np.float32)
    packed[..., :channels] = kernel
    return packed.ravel()


def _make_lines(count):
    """Where ``count`` rows of the input begin, the first in a given place of the ring."""
    if count == 0:
        return inlined(lambda x, held, step: ())
    others = _make_lines(count - 1)

    @inlined
    def lines(x, held, step):
        while held >= x.ring:
            held -= x.ring
        return (x.base + held * x.pitch, *others(x, held + step, step))

    return lines


def _make_pixels(rows, vectors, stride, taps, count):
    """``rows`` pixels from column ``i`` on, in channels ``[first, last)``, of ``count`` rows.

    The input row under kernel row ``ky`` is in place ``held`` of the ring; the rows further down
    are all there.
    """
    block = vectors * LANES
    lines = _make_lines(count)

    @jit
    def pixels(x, window, held, ky, end, i, first, last, layer, packed, result):
        left = i * window.stride_x - window.pad_left
        there = lines(x, held, window.dilation_y)
        kernel = layer.kernel + ky * taps * packed
        to = result.offset + i * result.stride
        for c in range(first, last, block):
            tile = tile_zero(rows, vectors)
            tile = tile_window(
                tile, x.data, there, c, left, window.width, window.channels, x.zeros, stride,
                taps, layer.w, kernel + c, packed
            )  # fmt: skip
            tile = tile_scale(tile, layer.w, layer.norm + 2 * c)
            tile = tile_clamp(tile, layer.low, layer.high)
            lanes = min(last - c - (vectors - 1) * LANES, LANES)
            tile_store(tile, result.out, to + c, result.stride, lanes)

    return pixels


_one_line = _make_lines(1)


def _make_any(rows, vectors, stride, taps):
    """The same for kernel rows ``[ky, end)``, ``taps`` columns of them at a time."""
    block = vectors * LANES

    @jit
    def pixels(x, window, held, ky, end, i, first, last, layer, packed, result):
        left = i * window.stride_x - window.pad_left
        to = result.offset + i * result.stride
        for c in range(first, last, block):
            tile = tile_zero(rows, vectors)
            for line in range(end - ky):
                there = _one_line(x, held + line * window.dilation_y, 0)
                kernel = layer.kernel + (ky + line) * window.kernel_width * packed + c
                for kx in range(0, window.kernel_width, taps):
                    column = left + kx * window.dilation_x
                    tile = tile_window(
                        tile, x.data, there, c, column, window.width, window.channels, x.zeros,
                        stride, taps, layer.w, kernel + kx * packed, packed
                    )  # fmt: skip
            tile = tile_scale(tile, layer.w, layer.norm + 2 * c)
            tile = tile_clamp(tile, layer.low, layer.high)
            lanes = min(last - c - (vectors - 1) * LANES, LANES)
            tile_store(tile, result.out, to + c, result.stride, lanes)

    return pixels


def _make_tiles(rows, vectors, make):
    """A whole output row in tiles of ``rows`` pixels; the last one may overlap the one before."""
    wide = make(rows, vectors)
    narrow = make(rows, 1) if vectors > 1 else wide
    block = vectors * LANES

    @inlined
    def tiles(x, window, held, ky, end, layer, packed, result):
        channels = window.channels
        whole = channels // block * block
        if channels - whole > block - LANES:
            whole = channels
        i = 0
        while i < window.out_width:
            i = min(i, window.out_width - rows)
            if whole > 0:
                wide(x, window, held, ky, end, i, 0, whole, layer, packed, result)
            if whole < channels:
                narrow(x, window, held, ky, end, i, whole, channels, layer, packed, result)
            i += rows

    return tiles


def _make_row(rows, vectors, stride, taps):
    """An output row under a square kernel: one function for whole kernels, one for all but a row.

    The latter is for the first and the last row of an image. Whatever else there is goes the slow
    way.
    """
    full, most = (
        _make_tiles(rows, vectors, lambda r, v, n=count: _make_pixels(r, v, stride, taps, n))
        for count in (taps, taps - 1)
    )
    rest = _make_tiles(rows, vectors, lambda r, v: _make_any(r, v, stride, taps))

    @inlined
    def row(x, window, held, ky, end, layer, packed, result):
        if end - ky == taps:
            full(x, window, held, ky, end, layer, packed, result)
        elif end - ky == taps - 1:
            most(x, window, held, ky, end, layer, packed, result)
        else:
            rest(x, window, held, ky, end, layer, packed, result)

    return row


_three_long = _make_row(_LONG, _VECTORS, 1, 3)
_three_short = _three_long if _SHORT == _LONG else _make_row(_SHORT, _VECTORS, 1, 3)
_three_strided_long = _make_row(_LONG, _VECTORS, 2, 3)
_three_strided_short = _three_strided_long if _SHORT == _LONG else _make_row(_SHORT, _VECTORS, 2, 3)
_five = _make_row(_SHORT, 1, 1, 5)
_five_strided = _make_row(_SHORT, 1, 2, 5)
_any = _make_tiles(1, 1, lambda rows, vectors: _make_any(rows, vectors, 1, 1))


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
