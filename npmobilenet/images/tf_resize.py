"""TensorFlow's resizing in NumPy, along one axis after the other, in float32."""

import numpy as np

from npmobilenet.reference.resampling import filtered, neighbours


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
    above, below, down = neighbours(image.shape[0], size[0], align_corners)
    left, right, along = neighbours(image.shape[1], size[1], align_corners)
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


def _blend(first: np.ndarray, second: np.ndarray, distance: np.ndarray) -> np.ndarray:
    first = first.astype(np.float32, copy=False)
    blend: np.ndarray = second.astype(np.float32) - first
    blend *= distance
    blend += first
    return blend


def _filter(image: np.ndarray, outputs: int) -> np.ndarray:
    """Weighted sum of the rows under the triangle around each output row."""
    rows, weights = filtered(image.shape[0], outputs, "bilinear", antialias=True)
    # One pass for each row of the filter, not for each pixel.
    result = np.zeros((outputs, *image.shape[1:]), np.float32)
    for tap in range(rows.shape[1]):
        picked = image[rows[:, tap]].astype(np.float32)
        picked *= weights[:, tap, np.newaxis, np.newaxis]
        result += picked
    return result
