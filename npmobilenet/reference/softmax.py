"""Softmax: scores to probabilities."""

import numpy as np

from npmobilenet.reference.arrays import FloatArray, on_floats


@on_floats
def softmax(x: FloatArray) -> FloatArray:
    """``exp(x) / sum(exp(x))`` over the last axis.

    The largest score is subtracted first: that changes nothing but keeps ``exp`` from overflowing.
    Source: ``tf.nn.softmax``.
    """
    shifted: FloatArray = np.subtract(x, x.max(axis=-1, keepdims=True), dtype=np.float64)
    exponentials: FloatArray = np.exp(shifted)
    exponentials /= exponentials.sum(axis=-1, keepdims=True)
    return exponentials.astype(x.dtype, copy=False)


@on_floats
def log_softmax(x: FloatArray) -> FloatArray:
    """``x - log(sum(exp(x)))`` over the last axis. Source: ``tf.nn.log_softmax``."""
    shifted: FloatArray = np.subtract(x, x.max(axis=-1, keepdims=True), dtype=np.float64)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted.astype(x.dtype, copy=False)
