"""The fully connected layer."""

import numpy as np

from npmobilenet.reference.arrays import FloatArray, on_floats


@on_floats
def dense(x: FloatArray, kernel: FloatArray, bias: FloatArray | None = None) -> FloatArray:
    """``x @ kernel + bias``: ``(..., C)`` with a kernel ``(C, K)`` to ``(..., K)``.

    Source: ``keras.layers.Dense``.
    """
    output: FloatArray = np.matmul(x, kernel, dtype=np.float64)
    if bias is not None:
        output += bias
    return output.astype(x.dtype, copy=False)
