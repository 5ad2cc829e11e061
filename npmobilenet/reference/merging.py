"""Several arrays made one, value by value or one after the other.

Shapes have as many axes, and sizes of 1 are stretched. Sources: ``keras.layers.Multiply`` and the
others of the same names.
"""

import functools

import numpy as np

from npmobilenet.reference.arrays import FloatArray, on_floats


@on_floats
def multiply(first: FloatArray, second: FloatArray, *others: FloatArray) -> FloatArray:
    """The product of all."""
    return functools.reduce(np.multiply, (first, second, *others))


@on_floats
def subtract(first: FloatArray, second: FloatArray) -> FloatArray:
    """The first minus the second."""
    difference: FloatArray = first - second
    return difference


@on_floats
def average(first: FloatArray, second: FloatArray, *others: FloatArray) -> FloatArray:
    """The mean of all."""
    total = functools.reduce(np.add, (x.astype(np.float64) for x in (first, second, *others)))
    mean: FloatArray = total / (2 + len(others))
    return mean.astype(first.dtype, copy=False)


@on_floats
def maximum(first: FloatArray, second: FloatArray, *others: FloatArray) -> FloatArray:
    """The largest of all."""
    return functools.reduce(np.maximum, (first, second, *others))


@on_floats
def minimum(first: FloatArray, second: FloatArray, *others: FloatArray) -> FloatArray:
    """The smallest of all."""
    return functools.reduce(np.minimum, (first, second, *others))


@on_floats
def concatenate(
    first: FloatArray, second: FloatArray, *others: FloatArray, axis: int = -1
) -> FloatArray:
    """One after the other along an axis."""
    return np.concatenate((first, second, *others), axis=axis)
