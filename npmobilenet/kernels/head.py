"""What ends a network: global pooling and softmax."""

import math

import numpy as np

from npmobilenet.kernels.host import LANES
from npmobilenet.kernels.jit import inlined
from npmobilenet.kernels.tile import tile_add, tile_bias, tile_store


@inlined
def average(x, start, pixels, channels, zeros, out, target):
    """Mean over the pixels of ``(pixels, channels)`` at ``x[start:]``, summed in their order."""
    share = np.float32(1.0) / np.float32(pixels)
    for c in range(0, channels, LANES):
        total = tile_bias(1, 1, x, zeros)
        for i in range(pixels):
            total = tile_add(total, x, start + i * channels + c, 0)
        tile_store(total, out, target + c, 0, min(LANES, channels - c))
    for c in range(channels):
        out[target + c] *= share


@inlined
def largest(x, start, pixels, channels, out, target):
    """Maximum over the pixels."""
    for c in range(channels):
        out[target + c] = x[start + c]
    for i in range(1, pixels):
        for c in range(channels):
            value = x[start + i * channels + c]
            best = out[target + c]
            out[target + c] = value if value > best or value != value else best


@inlined
def softmax(x, start, count, out, target):
    """Exponentials of ``count`` values over their sum, shifted by the largest.

    In float64, where that costs nothing that could be seen and spares the last network layer a
    rounding error larger than its own.
    """
    top = np.float64(x[start])
    for i in range(1, count):
        top = max(top, np.float64(x[start + i]))
    total = 0.0
    for i in range(count):
        total += math.exp(np.float64(x[start + i]) - top)
    for i in range(count):
        out[target + i] = math.exp(np.float64(x[start + i]) - top) / total
