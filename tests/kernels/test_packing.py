"""The layout of packed weights."""

import numpy as np
import pytest

from npmobilenet.kernels.blocks import PANEL
from npmobilenet.kernels.depthwise import pack_depthwise
from npmobilenet.kernels.host import LANES
from npmobilenet.kernels.product import pack_panels


@pytest.mark.parametrize("columns", [1, LANES, PANEL, PANEL + 1, 2 * PANEL, 3 * PANEL - 1])
def test_panels_hold_columns_side_by_side(rng, columns):
    matrix = rng.standard_normal((3, columns)).astype(np.float32)
    packed = pack_panels(matrix)
    found = np.zeros((3, -(-columns // LANES) * LANES), np.float32)
    for n in range(0, found.shape[1], PANEL):
        width = min(PANEL, found.shape[1] - n)
        found[:, n : n + width] = packed[3 * n :][: 3 * width].reshape(3, width)
    np.testing.assert_array_equal(found[:, :columns], matrix)
    assert not found[:, columns:].any()
    assert packed.size == found.size


def test_depthwise_taps_fill_whole_vectors(rng):
    kernel = rng.standard_normal((3, 2, LANES + 1)).astype(np.float32)
    packed = pack_depthwise(kernel).reshape(3, 2, 2 * LANES)
    np.testing.assert_array_equal(packed[..., : LANES + 1], kernel)
    assert not packed[..., LANES + 1 :].any()
