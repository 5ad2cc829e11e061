"""Normalisation of each sample by itself, along the last axis."""

import numpy as np

from npmobilenet.reference.arrays import FloatArray, on_floats


@on_floats
def layer_normalization(
    x: FloatArray,
    gamma: FloatArray | None = None,
    beta: FloatArray | None = None,
    *,
    epsilon: float,
) -> FloatArray:
    """``(x - mean) / sqrt(variance + epsilon) * gamma + beta`` (arXiv 1607.06450).

    Source: ``keras.layers.LayerNormalization``.
    """
    exact = x.astype(np.float64, copy=False)
    output: FloatArray = exact - exact.mean(axis=-1, keepdims=True)
    output /= np.sqrt(exact.var(axis=-1, keepdims=True) + epsilon)
    if gamma is not None:
        output *= gamma
    if beta is not None:
        output += beta
    return output.astype(x.dtype, copy=False)


@on_floats
def unit_normalization(x: FloatArray) -> FloatArray:
    """``x / sqrt(max(sum(x^2), 1e-12))``. Source: ``keras.layers.UnitNormalization``."""
    exact = x.astype(np.float64, copy=False)
    squares = np.square(exact).sum(axis=-1, keepdims=True)
    output: FloatArray = exact / np.sqrt(np.maximum(squares, 1e-12))
    return output.astype(x.dtype, copy=False)
