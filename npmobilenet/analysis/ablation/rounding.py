"""Rounding float32 values to formats with fewer bits, in place and as fast as NumPy can.

The values stay float32: what changes is which of them are possible. NumPy's own conversion to
float16 takes one value at a time and is several times slower than these operations on all bits.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

_LARGEST_HALF = np.float32(65504)
_SMALLEST_NORMAL_HALF = np.float32(2**-14)
_HALF_BITS = 13  # of float32's 23 that float16 has not
_BFLOAT_BITS = 16


def to_bfloat16(x: Float32) -> None:
    """Round to bfloat16: 8 bits of precision, the exponents of float32; ties to even."""
    _drop_bits(x, _BFLOAT_BITS)


def to_float16(x: Float32) -> None:
    """Round to float16: 11 bits of precision, infinite from 65520, multiples of 2**-24 near 0."""
    # From 0.5 to 1 float32 values are multiples of 2**-24, so the sum is rounded to one.
    near_zero = x + np.float32(0.75)
    near_zero -= np.float32(0.75)
    small = np.abs(x) < _SMALLEST_NORMAL_HALF
    _drop_bits(x, _HALF_BITS)
    np.copyto(x, near_zero, where=small)
    if x.size and np.abs(x).max() > _LARGEST_HALF:
        np.copyto(x, np.copysign(np.float32(np.inf), x), where=np.abs(x) > _LARGEST_HALF)


def unchanged(x: Float32) -> None:
    """Float32 is what the values are in."""


ROUNDINGS: dict[str, Callable[[Float32], None]] = {
    "bfloat16": to_bfloat16,
    "float16": to_float16,
    "float32": unchanged,
}


def _drop_bits(x: Float32, count: int) -> None:
    """Round the significand to nearest, ties to even, ``count`` bits shorter."""
    bits = x.view(np.uint32)
    half_up = bits >> np.uint32(count)
    half_up &= np.uint32(1)
    half_up += np.uint32((1 << (count - 1)) - 1)
    bits += half_up
    bits &= np.uint32(0xFFFFFFFF << count & 0xFFFFFFFF)
