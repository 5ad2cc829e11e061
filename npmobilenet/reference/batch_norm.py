"""Batch normalisation with the statistics of training."""

import numpy as np

from npmobilenet.reference.arrays import FloatArray, on_floats


@on_floats
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

    ``output = (x - mean) * gamma / sqrt(variance + epsilon) + beta``

    The mean is taken off first, as the paper writes it. ``x * scale + shift`` has one step less,
    but where the mean is large its two terms nearly cancel and leave the rounding of both.
    Source: arXiv 1502.03167, section 3.1; ``tf.nn.batch_normalization``.

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
    """
    scale = 1 / np.sqrt(variance.astype(np.float64) + epsilon)
    if gamma is not None:
        scale *= gamma
    output = x - mean.astype(x.dtype)
    output *= scale.astype(x.dtype)
    if beta is not None:
        output += beta.astype(x.dtype)
    return output
