"""What ends a network: softmax."""

import numpy as np

from npmobilenet.kernels.jit import inlined


@inlined
def softmax(x, start, count, out, target):
    """Exponentials of ``count`` values over their sum, shifted by the largest.

    In float64, which spares the network's last layer a rounding error larger than its own.
    """
    top = np.float64(x[start])
    for i in range(1, count):
        top = max(top, np.float64(x[start + i]))
    for i in range(count):  # no sum in this loop: sums have an order, which would undo vectors
        out[target + i] = np.float32(_exp(np.float64(x[start + i]) - top))
    total = 0.0
    for i in range(count):
        total += np.float64(out[target + i])
    share = 1.0 / total
    for i in range(count):
        out[target + i] = np.float32(out[target + i] * share)


@inlined
def _exp(x):
    """``exp(x)`` for ``x <= 0``, to 1e-12: a Taylor series of ``x / 1024``, squared ten times.

    Arithmetic only, so that a loop over it becomes vectors; ``math.exp`` is called value by value.
    What float32 cannot tell from zero anyway is cut off.
    """
    x = -110.0 if x < -110.0 else x
    y = x * (1.0 / 1024.0)
    power = 1.0 + y * (1.0 / 9.0)
    power = 1.0 + y * (1.0 / 8.0) * power
    power = 1.0 + y * (1.0 / 7.0) * power
    power = 1.0 + y * (1.0 / 6.0) * power
    power = 1.0 + y * (1.0 / 5.0) * power
    power = 1.0 + y * (1.0 / 4.0) * power
    power = 1.0 + y * (1.0 / 3.0) * power
    power = 1.0 + y * (1.0 / 2.0) * power
    power = 1.0 + y * power
    for _ in range(10):
        power *= power
    return power
