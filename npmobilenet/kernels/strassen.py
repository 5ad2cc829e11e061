"""Strassen's product: a wide pointwise convolution in seven eighths of the multiplications.

Pixels are taken in pairs, and channels in halves: of two pixels ``x`` and ``y``, of weights
``(K, N)``::

    | x1  x2 |   | b11  b12 |
    | y1  y2 | @ | b21  b22 |

is eight products of half the depth and half the columns, or seven of sums of their factors
(V. Strassen, Gaussian elimination is not optimal, 1969). Sums of weights are packed once. Sums of
pixels, and of the seven products, are of the order of ``K + N`` additions for each pixel where
``K * N / 8`` multiply-adds are saved. It is done once, not again within the seven: each time the
error against float64 grows, and once is as much as a product's sums of sums leave room for.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npmobilenet.kernels.blocks import PANEL
from npmobilenet.kernels.host import LANES
from npmobilenet.kernels.jit import inlined, jit
from npmobilenet.kernels.product import FIRST, Taps, whole_panel
from npmobilenet.kernels.tile import (
    tile_add,
    tile_bias,
    tile_clamp,
    tile_minus,
    tile_plus,
    tile_scale,
    tile_store,
    tile_zero,
)
from npmobilenet.kernels.window import Result

PRODUCTS = 7
_OF_LAST = 4
"""The first four make up all of a last pixel that has no partner."""

_GAP = max(16, PANEL)
"""Floats between rows of sums, lest all begin in the same set of the cache; and for marks."""


class Sums(NamedTuple):
    """Sums of halves of pixels, in :data:`PRODUCTS` planes.

    Plane ``i`` has its row for pair ``p`` at ``data[base + i * plane + p * pitch:]``. Behind a row
    of the first plane are two marks, one for each pixel: 0, or NaN if the pixel holds a NaN or an
    infinity. Such a pixel stands as zeros in the sums, where it would reach its partner, and its
    result is NaN in all columns. Room for :data:`PRODUCTS` products of :data:`PANEL` columns
    follows.
    """

    data: Any
    base: int
    plane: int
    pitch: int


def sums_size(pixels: int, depth: int) -> int:
    """Floats that :class:`Sums` take together with the products."""
    return PRODUCTS * -(-pixels // 2) * (depth // 2 + _GAP + PANEL)


@inlined
def sums_of(data, base, pixels, depth):
    """Room for the sums of so many pixels, at ``data[base:]``."""
    pitch = depth // 2 + _GAP
    return Sums(data, base, (pixels + 1) // 2 * pitch, pitch)


def pack_strassen(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weights ``(K, N)`` as sums of quarters: the panels of all seven take turns.

    ``K`` and ``N`` are multiples of ``2 * PANEL``.
    """
    half, across = (size // 2 for size in matrix.shape)
    quarters = matrix.reshape(2, half, 2, across // PANEL, PANEL).transpose(0, 2, 3, 1, 4)
    (b11, b12), (b21, b22) = quarters
    packed = np.empty((across // PANEL, PRODUCTS, half, PANEL), np.float32)
    np.subtract(b12, b22, out=packed[:, 0])
    np.subtract(b21, b11, out=packed[:, 1])
    packed[:, 2] = b11
    packed[:, 3] = b22
    np.add(b11, b22, out=packed[:, 4])
    np.add(b11, b12, out=packed[:, 5])
    np.add(b21, b22, out=packed[:, 6])
    return packed.ravel()


def powers_of_columns(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """The power of two next to the largest weight of each column; 1 for zeros.

    Columns divided by them are of like size, and nothing is rounded.
    """
    largest = np.abs(matrix).max(axis=0, initial=0.0)
    exponents = np.frexp(np.where(largest > 0, largest, 0.5))[1]
    powers: NDArray[np.float32] = np.exp2(np.clip(exponents, -120, 120).astype(np.float32))
    return powers


@inlined
def from_pixel(sums, pixel):
    """The sums from a pixel on, which begins a pair."""
    base = sums.base + pixel // 2 * sums.pitch
    return Sums(sums.data, base, sums.plane, sums.pitch)


@jit
def _sum_pair(x, first, second, alone, half, sums, to):
    """Sums of two pixels; whether one of them holds a NaN or an infinity."""
    found = tile_zero(1, PANEL)
    for k in range(0, half, PANEL):
        row = to + k
        x1 = tile_bias(1, PANEL, x, first + k)
        x2 = tile_bias(1, PANEL, x, first + k + half)
        both = tile_plus(x1, x2)
        y2, below = x2, both
        if not alone:
            y1 = tile_bias(1, PANEL, x, second + k)
            y2 = tile_bias(1, PANEL, x, second + k + half)
            below = tile_plus(y1, y2)
            tile_store(tile_plus(x1, y2), sums.data, row + 4 * sums.plane, 0, LANES)
            tile_store(tile_minus(y1, x1), sums.data, row + 5 * sums.plane, 0, LANES)
            tile_store(tile_minus(x2, y2), sums.data, row + 6 * sums.plane, 0, LANES)
        tile_store(x1, sums.data, row, 0, LANES)
        tile_store(y2, sums.data, row + sums.plane, 0, LANES)
        tile_store(below, sums.data, row + 2 * sums.plane, 0, LANES)
        tile_store(both, sums.data, row + 3 * sums.plane, 0, LANES)
        all_four = tile_plus(both, below)
        found = tile_plus(found, tile_minus(all_four, all_four))  # zeros, if all are numbers
    marks = to + half
    tile_store(found, sums.data, marks, 0, LANES)
    total = np.float32(0)
    for i in range(marks, marks + PANEL, 4):
        total += (sums.data[i] + sums.data[i + 1]) + (sums.data[i + 2] + sums.data[i + 3])
    sums.data[marks] = sums.data[marks + 1] = 0.0
    return total != 0


@jit
def _no_numbers(x, at, depth):
    """Whether a pixel holds a NaN or an infinity."""
    total = np.float32(0)
    for k in range(at, at + depth):
        total += x[k] - x[k]
    return total != 0


@jit
def _sum_sound(x, first, second, half, spoilt, spoilt_next, sums, to):
    """A pair of which one pixel or both stand as zeros."""
    zero = np.float32(0)
    for k in range(half):
        x1 = zero if spoilt else x[first + k]
        x2 = zero if spoilt else x[first + k + half]
        y1 = zero if spoilt_next else x[second + k]
        y2 = zero if spoilt_next else x[second + k + half]
        row = to + k
        sums.data[row] = x1
        sums.data[row + sums.plane] = y2
        sums.data[row + 2 * sums.plane] = y1 + y2
        sums.data[row + 3 * sums.plane] = x1 + x2
        sums.data[row + 4 * sums.plane] = x1 + y2
        sums.data[row + 5 * sums.plane] = y1 - x1
        sums.data[row + 6 * sums.plane] = x2 - y2


@jit
def strassen_sums(x, start, pixels, depth, sums):
    """Sums of ``pixels`` adjacent pixels of ``depth`` channels at ``x[start:]``.

    The last pair is a single pixel if ``pixels`` is odd.
    """
    half = depth // 2
    for pair in range((pixels + 1) // 2):
        first = start + 2 * pair * depth
        to = sums.base + pair * sums.pitch
        alone = 2 * pair + 1 == pixels
        second = first if alone else first + depth
        if _sum_pair(x, first, second, alone, half, sums, to):
            spoilt, spoilt_next = _no_numbers(x, first, depth), _no_numbers(x, second, depth)
            _sum_sound(x, first, second, half, spoilt, spoilt_next, sums, to)
            sums.data[to + half] = np.nan if spoilt else 0.0
            sums.data[to + half + 1] = np.nan if spoilt_next else 0.0


@inlined
def _finish(tile, layer, n, result, to):
    """What follows the sum: norm, residual, activation."""
    tile = tile_scale(tile, layer.w, layer.norm + 2 * n)
    if result.skip >= 0:
        tile = tile_add(tile, result.residual, result.skip + to, 0)
    tile = tile_clamp(tile, layer.low, layer.high)
    tile_store(tile, result.out, result.offset + to, 0, LANES)


@jit
def _spoil(out, at):
    for i in range(at, at + PANEL):
        out[i] = np.nan


@jit
def _join(sums, buffer, pixels, half, layer, n, across, result):
    """The seven products at ``data[buffer:]`` as columns ``n`` and ``n + across`` of pixels."""
    data, pairs = sums.data, pixels // 2
    room = (pairs + pixels % 2) * PANEL
    for pair in range(pairs + pixels % 2):
        at, to = buffer + pair * PANEL, 2 * pair * result.stride + n
        p0 = tile_bias(1, PANEL, data, at)
        p1 = tile_bias(1, PANEL, data, at + room)
        p2 = tile_bias(1, PANEL, data, at + 2 * room)
        p3 = tile_bias(1, PANEL, data, at + 3 * room)
        lower, right = tile_plus(p2, p1), tile_plus(p0, p3)
        if pair == pairs:
            _finish(lower, layer, n, result, to)
            _finish(right, layer, n + across, result, to + across)
        else:
            p4 = tile_bias(1, PANEL, data, at + 4 * room)
            p5 = tile_bias(1, PANEL, data, at + 5 * room)
            p6 = tile_bias(1, PANEL, data, at + 6 * room)
            upper = tile_plus(tile_minus(tile_plus(p4, p1), p3), p6)
            last_one = tile_plus(tile_minus(tile_plus(p4, p0), p2), p5)
            _finish(upper, layer, n, result, to)
            _finish(right, layer, n + across, result, to + across)
            below = to + result.stride
            _finish(lower, layer, n, result, below)
            _finish(last_one, layer, n + across, result, below + across)
            if data[sums.base + pair * sums.pitch + half + 1] != 0.0:
                _spoil(result.out, result.offset + below)
                _spoil(result.out, result.offset + below + across)
        if data[sums.base + pair * sums.pitch + half] != 0.0:
            _spoil(result.out, result.offset + to)
            _spoil(result.out, result.offset + to + across)


@inlined
def strassen_product(sums, pixels, depth, layer, columns, first, last, result):
    """Columns ``[first, last)`` of the left half, and their partners in the right half.

    Parameters
    ----------
    sums : Sums
        Of the pixels, as :func:`strassen_sums` leaves them.
    layer : Layer
        Weights as :func:`pack_strassen` gives them, ``(depth, columns)``.
    result : Result
        Where the values of pixel 0, column 0 go.
    """
    half, across = depth // 2, columns // 2
    pairs = pixels // 2
    data, room = sums.data, (pairs + pixels % 2) * PANEL
    buffer = sums.base + PRODUCTS * sums.plane
    taps = Taps(1, 0, 1, 0, half, sums.pitch, 1, 0, FIRST)
    for n in range(first, last, PANEL):
        panel, wide = layer.kernel + n * half * PRODUCTS, min(last - n, PANEL)
        for i in range(PRODUCTS):
            rows = pairs + (pixels % 2 if i < _OF_LAST else 0)
            to = Result(data, buffer + i * room - n, PANEL, data, -1)
            start = sums.base + i * sums.plane
            whole_panel(data, start, taps, rows, layer, panel, n, to, wide - LANES)
            panel += half * PANEL
        _join(sums, buffer, pixels, half, layer, n, across, result)
