"""Global pooling: each channel of an image becomes one value."""

import numpy as np

from npmobilenet.reference.arrays import FloatArray, on_floats


@on_floats
def global_average_pooling(images: FloatArray, *, keepdims: bool = False) -> FloatArray:
    """The mean over height and width: the embedding of a MobileNet.

    ``(N, H, W, C)`` to ``(N, C)``, or ``(N, 1, 1, C)`` with ``keepdims``.
    Source: ``keras.layers.GlobalAveragePooling2D``.
    """
    mean: FloatArray = images.mean(axis=(1, 2), keepdims=keepdims, dtype=np.float64)
    return mean.astype(images.dtype, copy=False)


@on_floats
def global_max_pooling(images: FloatArray, *, keepdims: bool = False) -> FloatArray:
    """The largest value over height and width; shapes as :func:`global_average_pooling`.

    Source: ``keras.layers.GlobalMaxPooling2D``.
    """
    largest: FloatArray = images.max(axis=(1, 2), keepdims=keepdims)
    return largest
