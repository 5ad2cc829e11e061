"""Vectors as 8-bit codes with a proven bound on what the rounding does to a dot product.

A vector ``x`` becomes ``scale * code``. By Cauchy and Schwarz, for unit vectors,

    |x.y - (s c).(t e)|  <=  |x - s c| |y|  +  |s c| |y - t e|

with codes ``c`` of 8 bits for the examples and ``e`` of 16 bits for the query. The lengths of the
two remainders are measured, not estimated.
"""

from dataclasses import dataclass

import numpy as np

LEVELS = 127
_ROWS = 4096  # coded at a time: bounds the memory for float64 copies


@dataclass(frozen=True)
class Codes:
    """Codes of unit vectors, a quarter of the float32 bytes.

    Parameters
    ----------
    values : ndarray of shape (examples, size), int8
    scales : ndarray of shape (examples,), float64
    errors : ndarray of shape (examples,), float64
        Length of what the codes leave out of each vector.
    """

    values: np.ndarray
    scales: np.ndarray
    errors: np.ndarray

    def __len__(self) -> int:
        return len(self.values)


def encode(units: np.ndarray, known: Codes | None = None) -> Codes:
    """Codes of the rows of ``units``, those of the first rows taken over from ``known``.

    Parameters
    ----------
    units : ndarray of shape (examples, size), float32
    known : Codes, optional
        Of a leading part of ``units``.
    """
    examples, size = units.shape
    codes = Codes(np.empty((examples, size), np.int8), np.empty(examples), np.empty(examples))
    done = 0 if known is None else len(known)
    if known is not None:
        codes.values[:done] = known.values
        codes.scales[:done] = known.scales
        codes.errors[:done] = known.errors
    for start in range(done, examples, _ROWS):
        part = slice(start, min(start + _ROWS, examples))
        rows = units[part].astype(np.float64)
        largest = np.abs(rows).max(axis=1)
        scale = np.where(largest > 0, largest, 1.0) / LEVELS
        rounded = np.rint(rows / scale[:, np.newaxis])
        codes.values[part] = rounded
        codes.scales[part] = scale
        rows -= rounded * scale[:, np.newaxis]
        codes.errors[part] = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    return codes


def encode_query(query: np.ndarray) -> tuple[np.ndarray, float, float]:
    """A query as 16-bit codes, their scale, and the length of what they leave out.

    The scale is so large that a product with 8-bit codes cannot overflow 32 bits.
    """
    size = np.abs(query)
    room = (2**31 - 1) // LEVELS - len(query)
    scale = max(float(size.max()) / 32767, float(size.sum()) / room) or 1.0
    codes = np.rint(query / scale)
    error = float(np.linalg.norm(query - codes * scale))
    return codes.astype(np.int16), scale, error
