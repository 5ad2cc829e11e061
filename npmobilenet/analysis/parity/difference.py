"""How two arrays of the same values differ, in several measures."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.parity.ulp import ulp_distance, ulp_error, ulp_histogram

PERCENTILES = (50, 99, 100)


@dataclass(frozen=True)
class Difference:
    """Of one array from another.

    Parameters
    ----------
    max_absolute, mean_absolute : float
    relative : float
        The largest absolute difference over the other's largest absolute value.
    rms_relative : float
        Root of the mean square of the difference over that of the other.
    one_minus_cosine : float
        0 where both point the same way; formed so that it is exact far below 1e-16.
    ulp_percentiles : tuple of float
        50, 99 and 100 % of the values differ by at most so many units in the last place of
        float32: whole steps between two float32 arrays, spacings from a float64 one.
    ulp_histogram : tuple of int
        Number of values in each bucket of :func:`npmobilenet.analysis.parity.ulp.bucket_names`.
    """

    max_absolute: float
    mean_absolute: float
    relative: float
    rms_relative: float
    one_minus_cosine: float
    ulp_percentiles: tuple[float, ...]
    ulp_histogram: tuple[int, ...]


def difference(values: NDArray[np.float32], other: NDArray[Any]) -> Difference:
    """Compare float32 values with float32 ones, or with exact ones in float64.

    Raises
    ------
    ValueError
        If the shapes differ, an array is empty, or a value is not a number.
    """
    if values.shape != other.shape:
        raise ValueError(f"arrays of shapes {values.shape} and {other.shape} cannot be compared")
    if values.size == 0:
        raise ValueError("arrays without values cannot be compared")
    ulps: NDArray[Any]
    ulps = ulp_error(values, other) if other.dtype == np.float64 else ulp_distance(values, other)
    wide, exact = values.astype(np.float64), other.astype(np.float64)
    apart = np.abs(wide - exact)
    return Difference(
        max_absolute=float(apart.max()),
        mean_absolute=float(apart.mean()),
        relative=_ratio(float(apart.max()), float(np.abs(exact).max())),
        rms_relative=_ratio(float(np.linalg.norm(apart)), float(np.linalg.norm(exact))),
        one_minus_cosine=_one_minus_cosine(wide.ravel(), exact.ravel()),
        ulp_percentiles=tuple(float(p) for p in np.percentile(ulps, PERCENTILES)),
        ulp_histogram=tuple(int(count) for count in ulp_histogram(ulps)),
    )


def _ratio(part: float, whole: float) -> float:
    if part == 0:
        return 0.0
    return part / whole if whole else np.inf


def _one_minus_cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Half the squared distance of the directions, which does not cancel as ``1 - cos`` does."""
    lengths = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    if 0.0 in lengths:
        return 0.0 if lengths == (0.0, 0.0) else 1.0
    return float(np.sum((a / lengths[0] - b / lengths[1]) ** 2) / 2)
