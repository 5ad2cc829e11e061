"""Memory for weights and buffers."""

import os

import numpy as np
import pytest

from npmobilenet.engine.checking import checking
from npmobilenet.engine.packing import aligned

LARGE = 3 << 20  # floats


@pytest.mark.parametrize(("size", "unit"), [(1, 64), (1000, 64), (LARGE, 1 << 21)])
def test_where_it_begins(size, unit):
    if checking() and unit > 64:
        pytest.skip("between forbidden pages there are no huge ones")
    values = aligned(size)
    assert values.shape == (size,)
    assert values.dtype == np.float32
    assert values.flags.writeable
    assert values.ctypes.data % unit == 0
    values[:] = 1  # all of it is there
    assert values.sum() == size


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # other tests have left threads
def test_a_forked_child_has_its_own():
    values = aligned(LARGE)
    values[:] = 1
    child = os.fork()
    if child == 0:
        values[:] = 2
        os._exit(0)
    os.waitpid(child, 0)
    assert values.max() == 1


@pytest.mark.parametrize("size", [1 << 40, 1 << 50])
def test_too_much_is_a_memory_error(size):
    with pytest.raises(MemoryError):
        aligned(size)
