"""Dropout, once training is over."""

from npmobilenet.reference.arrays import FloatArray, on_floats


@on_floats
def dropout(x: FloatArray) -> FloatArray:
    """``x`` itself: values are dropped, and the others scaled up, in training only.

    Source: ``keras.layers.Dropout`` with ``training=False``.
    """
    return x
