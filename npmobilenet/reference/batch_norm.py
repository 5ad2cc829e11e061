"""Batch normalisation with the statistics of training."""

import numpy as np

from npmobilenet.reference.arrays import FloatArray


def batch_normalization(
    x: FloatArray,
    mean: FloatArray,
    variance: FloatArray,
    gamma: FloatArray | None = None,
    beta: FloatArray | None = None,
    *,
    epsilon: float,
) -> FloatArray:
    """Bring every channel to mean ``beta`` and standard deviation ``gamma``.

    ``output = gamma * (x - mean) / sqrt(variance + epsilon) + beta``, as one multiplication and one
    addition. Their factors are worked out in float64, for they touch every pixel.

    Parameters
    ----------
    x : array (..., C)
    mean, variance : array (C,)
        Moving statistics of the training set.
    gamma, beta : array (C,), optional
        1 and 0 if left out.
    epsilon : float
        No default: TensorFlow's is 1e-3, others use 1e-5, and mixing them up costs accuracy.

    Returns
    -------
    array (..., C)

    Source: arXiv 1502.03167, section 3.1; ``tf.nn.batch_normalization``.
    """
    scale = 1 / np.sqrt(variance.astype(np.float64) + epsilon)
    if gamma is not None:
        scale *= gamma
    shift = -mean * scale
    if beta is not None:
        shift += beta
    output = x * scale.astype(x.dtype)
    output += shift.astype(x.dtype)
    return output
