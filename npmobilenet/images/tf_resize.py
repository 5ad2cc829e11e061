"""TensorFlow's resizing in NumPy, along one axis after the other, in float32."""

import numpy as np


def resize_bilinear(
    image: np.ndarray, size: tuple[int, int], align_corners: bool = False
) -> np.ndarray:
    """Blend of the four nearest pixels.

    Without ``align_corners`` this is ``tf.image.resize``: pixels are squares and their centres
    lie at half numbers. With it, it is ``tf.compat.v1.image.resize_bilinear(align_corners=True)``,
    which TensorFlow.js' MobileNet uses: the centres of the corner pixels are mapped to each other.

    Parameters
    ----------
    image : ndarray of shape (height, width, channels), any real dtype
    size : tuple
        ``(height, width)`` of the result.

    Returns
    -------
    ndarray of shape (size[0], size[1], channels), float32
    """
    above, below, down = _neighbours(image.shape[0], size[0], align_corners)
    left, right, along = _neighbours(image.shape[1], size[1], align_corners)
    along, down = along[:, np.newaxis], down[:, np.newaxis, np.newaxis]
    # Pixels are picked before they become floats: a large picture as floats would take 4 times
    # its memory.
    upper, lower = image[above], image[below]
    return _blend(
        _blend(upper[:, left], upper[:, right], along),
        _blend(lower[:, left], lower[:, right], along),
        down,
    )


def resize_antialias(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """``tf.image.resize(..., "bilinear", antialias=True)``.

    Shrinking widens the triangle of the bilinear filter to the distance between output pixels, so
    that every input pixel counts.

    Parameters and result as :func:`resize_bilinear`.
    """
    rows = _filter(image, size[0])
    return _filter(rows.transpose(1, 0, 2), size[1]).transpose(1, 0, 2)


def _neighbours(
    inputs: int, outputs: int, align_corners: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices of the pixels on both sides of each output, and how far it is from the first."""
    index = np.arange(outputs, dtype=np.float32)
    if align_corners and outputs > 1:
        position = index * np.float32((inputs - 1) / np.float32(outputs - 1))
    elif align_corners:
        position = index
    else:
        half = np.float32(0.5)
        position = (index + half) * np.float32(inputs / np.float32(outputs)) - half
    floor = np.floor(position)
    lower = np.maximum(floor, 0).astype(np.intp)
    upper = np.minimum(np.ceil(position), inputs - 1).astype(np.intp)
    return np.minimum(lower, inputs - 1), upper, position - floor


def _blend(first: np.ndarray, second: np.ndarray, distance: np.ndarray) -> np.ndarray:
    first = first.astype(np.float32, copy=False)
    blend: np.ndarray = second.astype(np.float32) - first
    blend *= distance
    blend += first
    return blend


def _filter(image: np.ndarray, outputs: int) -> np.ndarray:
    """Weighted sum of the rows under the triangle around each output row."""
    inputs = image.shape[0]
    one, half = np.float32(1), np.float32(0.5)
    inverse_scale = one / (np.float32(outputs) / np.float32(inputs))
    radius = np.maximum(inverse_scale, one)
    centre = (np.arange(outputs, dtype=np.float32) + half) * inverse_scale
    first = np.maximum(np.ceil(centre - radius - half), 0).astype(np.intp)
    last = np.minimum(np.floor(centre + radius - half), inputs - 1).astype(np.intp)
    rows = first[:, np.newaxis] + np.arange((last - first).max() + 1)
    distance = np.abs(rows.astype(np.float32) + half - centre[:, np.newaxis]) / radius
    weights = np.where(rows <= last[:, np.newaxis], np.maximum(one - distance, 0), 0)
    weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    rows = np.minimum(rows, inputs - 1)

    # One pass for each row of the filter, not for each pixel.
    result = np.zeros((outputs, *image.shape[1:]), np.float32)
    for tap in range(rows.shape[1]):
        picked = image[rows[:, tap]].astype(np.float32)
        picked *= weights[:, tap, np.newaxis, np.newaxis]
        result += picked
    return result
