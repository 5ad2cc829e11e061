"""The same values under another shape."""

import math

from npmobilenet.reference.arrays import FloatArray, on_floats


@on_floats
def reshape(x: FloatArray, target_shape: tuple[int, ...]) -> FloatArray:
    """Give every sample of a batch this shape, of which one axis may be -1.

    Source: ``keras.layers.Reshape``.
    """
    # NumPy cannot tell what -1 stands for in an empty batch, so it is worked out from one sample.
    total = math.prod(x.shape[1:])
    known = math.prod(size for size in target_shape if size != -1)
    return x.reshape(len(x), *(total // known if size == -1 else size for size in target_shape))


@on_floats
def flatten(x: FloatArray) -> FloatArray:
    """``(N, ...)`` to ``(N, values of a sample)``, in C order. Source: ``keras.layers.Flatten``."""
    return reshape(x, (-1,))
