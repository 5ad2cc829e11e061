"""Rotation, shift, shear and zoom of a picture as one affine map, after Keras.

The map takes a pixel of the result to where it is read in the source, in (x, y) from the centre of
the picture: rotation first, then shift, shear and zoom, as matrices multiplied from left to right.
For square pictures that is Keras' ``apply_affine_transform`` with ``order=1``, which asks SciPy;
what lies beyond the edges follows SciPy's modes. For others Keras mixes up width and height when
it looks for the centre; here the centre is the centre.
"""

from collections.abc import Callable

import numpy as np


def affine_matrix(
    theta: float = 0.0,
    tx: float = 0.0,
    ty: float = 0.0,
    shear: float = 0.0,
    zx: float = 1.0,
    zy: float = 1.0,
) -> np.ndarray:
    """Where pixels are read, as a 3 x 3 matrix for ``(x, y, 1)``.

    Parameters
    ----------
    theta, shear : float
        Angles in degrees.
    tx, ty : float
        Shift in pixels along width and height.
    zx, zy : float
        Zoom along width and height; values above 1 shrink the picture.
    """
    angle, slant = np.deg2rad(theta), np.deg2rad(shear)
    rotation = [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    shift = [[1, 0, tx], [0, 1, ty], [0, 0, 1]]
    shearing = [[1, -np.sin(slant), 0], [0, np.cos(slant), 0], [0, 0, 1]]
    zoom = np.diag([zx, zy, 1.0])
    matrix: np.ndarray = np.array(rotation) @ np.array(shift) @ np.array(shearing) @ zoom
    return matrix


def warp(
    image: np.ndarray, matrix: np.ndarray, fill_mode: str = "nearest", cval: float = 0.0
) -> np.ndarray:
    """A picture read through an affine map, with bilinear interpolation.

    Parameters
    ----------
    image : ndarray of shape (height, width, channels), uint8 or float
    matrix : ndarray of shape (3, 3)
        As `affine_matrix` gives it.
    fill_mode : {"nearest", "constant", "reflect", "wrap"}
        What lies beyond the edges.
    cval : float
        For ``"constant"``.

    Returns
    -------
    ndarray of the same shape and dtype
        uint8 is rounded to the nearest value.

    Raises
    ------
    ValueError
        If the fill mode is unknown.
    """
    if fill_mode not in FILL_MODES:
        raise ValueError(f"fill_mode must be one of {', '.join(FILL_MODES)}; found {fill_mode!r}")
    height, width = image.shape[:2]
    centre = np.array([width, height]) / 2 - 0.5
    linear = matrix[:2, :2]
    offset = matrix[:2, 2] + centre - linear @ centre
    down, along = np.arange(height)[:, np.newaxis], np.arange(width)
    columns = linear[0, 0] * along + linear[0, 1] * down + offset[0]
    rows = linear[1, 0] * along + linear[1, 1] * down + offset[1]
    above, below, row_share = FILL_MODES[fill_mode](rows, height)
    left, right, column_share = FILL_MODES[fill_mode](columns, width)

    pixels = np.ascontiguousarray(image).reshape(height * width, -1)
    row_share = row_share[..., np.newaxis].astype(_float_dtype(image))
    column_share = column_share[..., np.newaxis].astype(_float_dtype(image))
    upper = _blend(pixels[above * width + left], pixels[above * width + right], column_share)
    lower = _blend(pixels[below * width + left], pixels[below * width + right], column_share)
    result = _blend(upper, lower, row_share)
    if fill_mode == "constant":
        outside = (rows < 0) | (rows > height - 1) | (columns < 0) | (columns > width - 1)
        result[outside] = cval
    return to_dtype(result, image.dtype)


def to_dtype(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Float values as ``dtype``: uint8 is rounded and kept within 0 to 255."""
    if dtype == np.uint8:
        values = np.clip(np.rint(values), 0, 255)
    result: np.ndarray = values.astype(dtype, copy=False)
    return result


def _float_dtype(image: np.ndarray) -> np.dtype:
    return image.dtype if np.issubdtype(image.dtype, np.floating) else np.dtype(np.float32)


def _blend(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    result: np.ndarray = first * (1 - share) + second * share
    return result


Neighbours = tuple[np.ndarray, np.ndarray, np.ndarray]


def _nearest(position: np.ndarray, size: int) -> Neighbours:
    """The edge pixel goes on for ever."""
    return _between(np.clip(position, 0, size - 1), size)


def _reflect(position: np.ndarray, size: int) -> Neighbours:
    """The picture is mirrored at its edges, the edge pixel twice (SciPy's ``"reflect"``)."""
    floor = np.floor(position)
    lower = floor.astype(np.int64)
    return _mirror(lower, size), _mirror(lower + 1, size), position - floor


def _wrap(position: np.ndarray, size: int) -> Neighbours:
    """The picture repeats, its first pixel lying on its last (SciPy's ``"wrap"``)."""
    if size == 1:
        return _between(np.zeros_like(position), size)
    period = size - 1
    before, behind = position < 0, position > period
    wrapped = np.where(before, position + period * (np.trunc(-position / period) + 1), position)
    wrapped = np.where(behind, position - period * np.trunc(position / period), wrapped)
    return _between(wrapped, size)


def _between(position: np.ndarray, size: int) -> Neighbours:
    lower = np.floor(position).astype(np.int64)
    return lower, np.minimum(lower + 1, size - 1), position - lower


def _mirror(index: np.ndarray, size: int) -> np.ndarray:
    index = index % (2 * size)
    return np.where(index < size, index, 2 * size - 1 - index)


FILL_MODES: dict[str, Callable[[np.ndarray, int], Neighbours]] = {
    "nearest": _nearest,
    "constant": _nearest,  # painted over afterwards
    "reflect": _reflect,
    "wrap": _wrap,
}
"""For each mode: which two pixels a position lies between, and how far from the first."""
