"""Distances between float32 values in units in the last place (ULP).

Two measures: between two float32 values the number of floats from one to the other, and of a
float32 value from an exact one the error in spacings of float32 at the exact value. For values of
moderate size both say the same; the first is whole, the second a real number.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BUCKETS = 17
"""Of a histogram: 0, 1, 2, 3 to 4, 5 to 8, and so on; the last is for all above ``2**14``."""


def ulp_distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.int64]:
    """How many steps of ``numpy.nextafter`` lead from ``a`` to ``b``; both zeros are one value.

    Parameters
    ----------
    a, b : array of float32, finite or infinite, of one shape

    Returns
    -------
    array of int64, never negative

    Raises
    ------
    ValueError
        If a value is not a number, or an array is not float32.
    """
    distance: NDArray[np.int64] = np.abs(_ordered(a) - _ordered(b))
    return distance


def ulp_error(values: NDArray[Any], exact: NDArray[np.float64]) -> NDArray[np.float64]:
    """The error of float32 values in spacings of float32 at the exact values.

    A correctly rounded value has an error of at most 0.5. Below the smallest normal float32 the
    spacing is that of the subnormals, ``2**-149``.

    Parameters
    ----------
    values : array
        float32 values, in float32 or float64.
    exact : array of float64, of the same shape
    """
    # An exact value just below a power of two must not be rounded up to it: its spacing doubles.
    exponents = np.maximum(np.frexp(np.abs(exact))[1] - 24, -149)
    exponents = np.where(exact == 0, -149, exponents)
    error: NDArray[np.float64] = np.ldexp(np.abs(values - exact), -exponents)
    return error


def ulp_histogram(distances: NDArray[Any]) -> NDArray[np.int64]:
    """How many distances are in each of the ``BUCKETS``; real ones are rounded to whole ones."""
    whole = np.rint(distances)
    # 0 -> 0, 1 -> 1, 2 -> 2, 3..4 -> 3, 5..8 -> 4: the exponent of the next power of two, plus 1.
    exponents = np.frexp(np.maximum(whole - 0.5, 0.25))[1]
    buckets = np.where(whole == 0, 0, np.minimum(exponents + 1, BUCKETS - 1))
    return np.bincount(buckets.ravel(), minlength=BUCKETS)


def bucket_names() -> list[str]:
    """What each bucket holds: ``"0"``, ``"1"``, ``"2"``, ``"3-4"``, ... ``"> 16384"``."""
    names = ["0", "1", "2"]
    names += [f"{2**power + 1}-{2 ** (power + 1)}" for power in range(1, BUCKETS - 3)]
    return [*names, f"> {2 ** (BUCKETS - 3)}"]


def _ordered(x: NDArray[np.float32]) -> NDArray[np.int64]:
    """Integers in the order of the floats, one apart where those are neighbours."""
    if x.dtype != np.float32:
        raise ValueError(f"ULP distances are between float32 values, found {x.dtype}")
    if np.isnan(x).any():
        raise ValueError("a value that is not a number has no distance to another")
    bits = np.ascontiguousarray(x).view(np.int32).astype(np.int64)
    ordered: NDArray[np.int64] = np.where(bits < 0, np.int64(-(2**31)) - bits, bits)
    return ordered
