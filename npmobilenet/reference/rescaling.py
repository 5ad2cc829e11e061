"""Preparation of the input, where a network carries it inside."""

import numpy as np

from npmobilenet.reference.arrays import FloatArray, on_floats

PerChannel = float | tuple[float, ...]


@on_floats
def rescaling(x: FloatArray, scale: PerChannel, offset: PerChannel = 0.0) -> FloatArray:
    """``x * scale + offset``, with one value each or one a channel.

    Source: ``keras.layers.Rescaling``.
    """
    output = x * np.asarray(scale, x.dtype)
    output += np.asarray(offset, x.dtype)
    return output


@on_floats
def normalization(x: FloatArray, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """``(x - mean) / max(sqrt(variance), 1e-7)`` over the channels.

    Source: ``keras.layers.Normalization``.
    """
    output = x - mean.astype(x.dtype)
    output /= np.maximum(np.sqrt(variance), 1e-7).astype(x.dtype)
    return output
