"""The residual connection."""

from npmobilenet.reference.arrays import FloatArray, on_floats


@on_floats
def add(first: FloatArray, second: FloatArray, *others: FloatArray) -> FloatArray:
    """The sum of arrays of one shape (arXiv 1801.04381, figure 3b). Source: ``keras.layers.Add``.

    Raises
    ------
    ValueError
        If the shapes differ: nothing is broadcast.
    """
    shapes = [x.shape for x in (first, second, *others)]
    if len(set(shapes)) > 1:
        raise ValueError(f"cannot add arrays of shapes {', '.join(map(str, shapes))}")
    total = first + second
    for other in others:
        total += other
    return total
