"""Strassen's product: its weights, and its values for any number of pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npmobilenet.architecture import BatchNormalization, Conv2D, DepthwiseConv2D, ReLU
from npmobilenet.kernels.blocks import PANEL
from npmobilenet.kernels.strassen import PRODUCTS, pack_strassen

WIDE = 512
few = settings(max_examples=15, deadline=None)


def strassen(pixels, matrix):
    """The same seven products in NumPy, of packed weights; pixels are an even number."""
    half, columns = (size // 2 for size in matrix.shape)
    packed = pack_strassen(matrix).reshape(-1, PRODUCTS, half, PANEL)
    weights = packed.transpose(1, 2, 0, 3).reshape(PRODUCTS, half, columns)
    (x1, x2), (y1, y2) = (np.hsplit(pixels[first::2], 2) for first in (0, 1))
    sums = (x1, y2, y1 + y2, x1 + x2, x1 + y2, y1 - x1, x2 - y2)
    p = [a @ b for a, b in zip(sums, weights, strict=True)]
    result = np.empty((len(pixels), 2 * columns))
    result[::2] = np.hstack([p[4] + p[1] - p[3] + p[6], p[0] + p[3]])
    result[1::2] = np.hstack([p[2] + p[1], p[4] - p[2] + p[0] + p[5]])
    return result


@pytest.mark.parametrize("panels", [(1, 1), (1, 3), (4, 2)])
def test_seven_products_are_the_product(rng, panels):
    depth, columns = (2 * PANEL * count for count in panels)
    pixels, matrix = (rng.integers(-8, 9, size) for size in ((6, depth), (depth, columns)))
    found = strassen(pixels, matrix.astype(np.float32))
    np.testing.assert_array_equal(found, pixels @ matrix)  # small integers: no rounding at all


@few
@given(
    st.integers(1, 15), st.integers(1, 15), st.sampled_from([WIDE, WIDE + 64]), st.integers(1, 3)
)
def test_pointwise(compare, height, width, filters, batch):
    layer = Conv2D(name="pointwise", filters=filters, kernel_size=(1, 1), activation="relu6")
    compare((height, width, WIDE), layer, batch=batch)


@few
@given(
    st.integers(1, 20),
    st.integers(1, 20),
    st.sampled_from([(WIDE, 1), (WIDE // 2, 2)]),
    st.sampled_from([(1, 1), (2, 2)]),
    st.integers(1, 2),
)
def test_separable(compare, height, width, channels, strides, batch):
    depth, multiplier = channels
    compare(
        (height, width, depth),
        DepthwiseConv2D(
            name="depthwise",
            kernel_size=(3, 3),
            strides=strides,
            padding="same",
            depth_multiplier=multiplier,
        ),
        ReLU(name="depthwise_relu", max_value=6.0),
        Conv2D(name="pointwise", filters=WIDE, kernel_size=(1, 1), use_bias=False),
        BatchNormalization(name="pointwise_bn"),
        ReLU(name="pointwise_relu", max_value=6.0),
        batch=batch,
    )
