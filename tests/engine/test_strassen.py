"""Where Strassen's product is used, and with what besides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npmobilenet.architecture import (
    Add,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    Input,
    NetworkBuilder,
)
from npmobilenet.engine import NumbaProgram
from npmobilenet.engine.fold import fold
from npmobilenet.engine.fuse import fuse
from npmobilenet.engine.steps import Convolution, Separable
from npmobilenet.engine.strassen import choose_strassen, shared_product, shared_rows
from npmobilenet.interpreter import NumpyProgram
from npmobilenet.kernels.blocks import PANEL

WIDE = 512


def network(side):
    """A wide block with a residual, and a wide layer behind the pooling."""
    net = NetworkBuilder(Input(name="input", shape=(side, side, WIDE)))
    start = net.last
    net.add(DepthwiseConv2D(name="depthwise", kernel_size=(3, 3), padding="same"))
    last = net.add(Conv2D(name="pointwise", filters=WIDE, kernel_size=(1, 1)))
    net.add(Add(name="add"), start, last)
    net.add(GlobalAveragePooling2D(name="pool"))
    net.add(Dense(name="dense", units=WIDE))
    return net.build("wide")


@pytest.mark.parametrize("side", [1, 7, 10])
def test_residual_and_layers_of_one_pixel(random_weights, rng, side):
    net = network(side)
    weights = random_weights(net)
    x = rng.standard_normal((3, *net.input_shape)).astype(np.float32)
    program = NumbaProgram(net, weights)
    found = program(x, threads=1)
    exact = NumpyProgram(net, weights)(x.astype(np.float64))
    np.testing.assert_allclose(found, exact, rtol=0, atol=4e-6 * np.abs(exact).max())
    for threads in (2, 3, 5):
        np.testing.assert_array_equal(program(x[1:2], threads=threads), found[1:2])


@pytest.mark.parametrize("side", [1, 7])
def test_what_is_chosen(random_weights, side):
    net = network(side)
    steps = fuse(fold(net, random_weights(net)))
    choose_strassen(steps, net.shapes)
    block, head = steps[0], steps[-1]
    assert isinstance(block, Separable)
    assert isinstance(head, Convolution)
    assert block.pointwise.strassen == (side > 1)
    assert not head.strassen


@given(
    st.integers(1, 60), st.integers(1, 60), st.sampled_from([512, 1024, 1536]), st.integers(1, 9)
)
def test_units_begin_with_a_pair(height, width, channels, threads):
    rows, at_once = shared_rows(height, width, channels, threads)
    pixels = height * width
    product, block = shared_product(pixels, channels, channels, threads)
    assert rows.grain % at_once == rows.small == product.small == 0
    assert at_once * width % 2 == 0
    assert product.units == 1 or product.grain % 2 == 0
    assert block % PANEL == 0
    for share, size in ((rows, height), (product, pixels)):
        assert 0 <= share.grain * share.total - size < share.grain
