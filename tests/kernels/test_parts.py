"""Functions without machine code of their own: in compiled code as any, and refused elsewhere."""

import numpy as np
import pytest
from numba import njit

from npmobilenet.kernels.jit import jit

TABLE = np.arange(5.0)


@jit
def innermost(i):
    if i < 0:
        raise ValueError("below")
    return TABLE[i]


@jit
def between(i):
    return innermost(i) + innermost(i + 1)


@njit
def outermost(i):
    return 2 * between(i) + innermost(0)


def test_parts_are_called_by_parts():
    assert outermost(2) == 10
    assert outermost(3) == 14


def test_an_error_in_a_part_reaches_python():
    with pytest.raises(ValueError, match="below"):
        outermost(-2)


def test_python_cannot_call_a_part():
    with pytest.raises(TypeError):
        between(1)
