"""Depthwise convolution: one output row at a time, a sliding window of pixels in registers."""

import numpy as np
from numpy.typing import NDArray

from npmobilenet.kernels.blocks import round_up
from npmobilenet.kernels.host import LANES, REGISTERS
from npmobilenet.kernels.jit import inlined, jit
from npmobilenet.kernels.tile import tile_bias, tile_clamp, tile_store, tile_window

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
    def pixels(
        x, base, ring, pitch, window, y, i, c, zeros, w, layer, packed, out, target, step, lanes
    ):
        tile = tile_bias(rows, vectors, w, layer.bias + c)
        top = y * window.stride_y - window.pad_top
        left = i * window.stride_x - window.pad_left
        for ky in range(window.kernel_height):
            line = top + ky * window.dilation_y
            if 0 <= line < window.height:
                row = base + (line % ring) * pitch + c
                at = layer.kernel + ky * window.kernel_width * packed + c
                for kx in range(0, window.kernel_width, taps):
                    tile = tile_window(
                        tile,
                        x,
                        row,
                        left + kx * window.dilation_x,
                        window.width,
                        window.channels,
                        zeros,
                        stride,
                        taps,
                        w,
                        at + kx * packed,
                        packed,
                    )
        tile_store(tile_clamp(tile, layer.low, layer.high), out, target + i * step + c, step, lanes)

    return pixels


def _make_row(rows, vectors, stride, taps):
    """A whole output row in tiles of ``rows`` pixels; the last one may overlap the one before."""
    wide = _make_pixels(rows, vectors, stride, taps)
    narrow = _make_pixels(rows, 1, stride, taps) if vectors > 1 else wide

    @inlined
    def row(x, base, ring, pitch, window, y, zeros, w, layer, packed, out, target, step):
        i = 0
        while i < window.out_width:
            i = min(i, window.out_width - rows)
            for c in range(0, window.channels, vectors * LANES):
                lanes = window.channels - c
                if lanes > (vectors - 1) * LANES:
                    wide(
                        x,
                        base,
                        ring,
                        pitch,
                        window,
                        y,
                        i,
                        c,
                        zeros,
                        w,
                        layer,
                        packed,
                        out,
                        target,
                        step,
                        min(lanes - (vectors - 1) * LANES, LANES),
                    )
                else:
                    narrow(
                        x,
                        base,
                        ring,
                        pitch,
                        window,
                        y,
                        i,
                        c,
                        zeros,
                        w,
                        layer,
                        packed,
                        out,
                        target,
                        step,
                        min(lanes, LANES),
                    )
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
def depthwise_row(x, base, ring, pitch, window, y, zeros, w, layer, packed, out, target, step):
    """Row ``y`` of a depthwise convolution, to ``out[target + i * step:]`` for pixel ``i``.

    Parameters
    ----------
    x, base, ring, pitch
        Input row ``r`` lies at ``x[base + (r % ring) * pitch:]``; ``ring`` is the image's height
        where all of it is there.
    window : Window
    zeros
        Where ``x`` holds zeros, two vectors of them.
    w, layer, packed
        Packed weights, the :class:`~npmobilenet.kernels.window.Layer` in them, and the floats
        from tap to tap.
    """
    wide = window.out_width
    # Of two tile lengths the one that computes fewer pixels twice; the longer one if they tie.
    short = (wide + _SHORT - 1) // _SHORT * _SHORT < (wide + _LONG - 1) // _LONG * _LONG
    fits = wide >= _SHORT and window.dilation_x == 1
    fits = fits and window.kernel_width in (3, 5) and window.stride_x in (1, 2)
    if not fits:
        _any(x, base, ring, pitch, window, y, zeros, w, layer, packed, out, target, step)
    elif window.kernel_width == 5:
        if window.stride_x == 1:
            _five(x, base, ring, pitch, window, y, zeros, w, layer, packed, out, target, step)
        else:
            _five_strided(
                x, base, ring, pitch, window, y, zeros, w, layer, packed, out, target, step
            )
    elif window.stride_x == 1:
        if short or wide < _LONG:
            _three_short(
                x, base, ring, pitch, window, y, zeros, w, layer, packed, out, target, step
            )
        else:
            _three_long(x, base, ring, pitch, window, y, zeros, w, layer, packed, out, target, step)
    elif short or wide < _LONG:
        _three_strided_short(
            x, base, ring, pitch, window, y, zeros, w, layer, packed, out, target, step
        )
    else:
        _three_strided_long(
            x, base, ring, pitch, window, y, zeros, w, layer, packed, out, target, step
        )
