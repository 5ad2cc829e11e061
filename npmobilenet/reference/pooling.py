"""Pooling over windows. Padding is never a value: it is neither the largest nor in the mean."""

import numpy as np

from npmobilenet.architecture.padding import Padding
from npmobilenet.reference.arrays import FloatArray, on_floats
from npmobilenet.reference.windows import Pair, windows


@on_floats
def max_pooling(
    images: FloatArray,
    pool_size: Pair,
    *,
    strides: Pair = (1, 1),
    padding: Padding = "valid",
    dilation: Pair = (1, 1),
) -> FloatArray:
    """The largest value of each window, ``(N, H, W, C)`` to ``(N, output height, width, C)``.

    Source: ``tf.nn.max_pool2d``.
    """
    seen = windows(images, pool_size, strides, padding, dilation, fill=-np.inf)
    largest: FloatArray = seen.max(axis=(0, 1))
    return largest


@on_floats
def min_pooling(
    images: FloatArray,
    pool_size: Pair,
    *,
    strides: Pair = (1, 1),
    padding: Padding = "valid",
    dilation: Pair = (1, 1),
) -> FloatArray:
    """The smallest value of each window, ``(N, H, W, C)`` to ``(N, output height, width, C)``."""
    seen = windows(images, pool_size, strides, padding, dilation, fill=np.inf)
    smallest: FloatArray = seen.min(axis=(0, 1))
    return smallest


@on_floats
def average_pooling(
    images: FloatArray,
    pool_size: Pair,
    *,
    strides: Pair = (1, 1),
    padding: Padding = "valid",
    dilation: Pair = (1, 1),
) -> FloatArray:
    """The mean of each window, ``(N, H, W, C)`` to ``(N, output height, output width, C)``.

    An image of ones tells how many pixels of each window are not padding.
    Source: ``tf.nn.avg_pool2d``.
    """
    ones = np.ones((1, *images.shape[1:3], 1))
    seen = windows(images, pool_size, strides, padding, dilation)
    pixels = windows(ones, pool_size, strides, padding, dilation).sum(axis=(0, 1))
    mean: FloatArray = seen.sum(axis=(0, 1), dtype=np.float64) / pixels
    return mean.astype(images.dtype, copy=False)
