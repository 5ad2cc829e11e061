"""Where Strassen's product is used, and with what besides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npmobilenet.architecture import (
    Add,
    BatchNormalization,
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
    choose_strassen(steps, net.shapes, net.input_shape[-1])
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


def scaled_block(side, columns, channels):
    """A block whose pointwise weights differ in size by columns or by channels, undone elsewhere.

    What the depthwise convolution multiplies a channel by, its row of weights is divided by; what a
    column is multiplied by, batch norm divides it by.
    """
    net = NetworkBuilder(Input(name="input", shape=(side, side, 3)))
    net.add(Conv2D(name="first", filters=WIDE, kernel_size=(3, 3), padding="same"))
    net.add(DepthwiseConv2D(name="depthwise", kernel_size=(3, 3), padding="same", use_bias=False))
    net.add(Conv2D(name="pointwise", filters=WIDE, kernel_size=(1, 1), use_bias=False))
    net.add(BatchNormalization(name="bn", epsilon=0.0))
    network = net.build("scaled")

    def scaled(weights):
        changed = dict(weights)
        changed["depthwise/kernel"] = weights["depthwise/kernel"] * channels[:, None]
        changed["pointwise/kernel"] = (
            weights["pointwise/kernel"] / channels[:, None] * columns
        ).astype(np.float32)
        changed["bn/moving_mean"] = weights["bn/moving_mean"] * columns
        changed["bn/moving_variance"] = weights["bn/moving_variance"] * columns**2
        return {name: values.astype(np.float32) for name, values in changed.items()}

    return network, scaled


@pytest.mark.parametrize("what", ["nothing", "columns", "channels", "dead channels", "both"])
def test_columns_and_channels_of_other_sizes(random_weights, rng, what):
    """An equivalent network has no larger error, in any column."""
    one, skewed = np.ones(WIDE, np.float32), 2.0 ** rng.integers(0, 13, WIDE).astype(np.float32)
    columns = skewed if what in ("columns", "both") else one
    channels = rng.permutation(skewed) if what in ("channels", "both") else one
    if what == "dead channels":
        channels = np.where(np.arange(WIDE) % 3, one, np.float32(2.0**-40))
    network, scaled = scaled_block(14, columns, channels)
    weights = random_weights(network)
    x = rng.standard_normal((2, *network.input_shape)).astype(np.float32)
    exact = NumpyProgram(network, weights)(x.astype(np.float64))
    error = np.abs(NumbaProgram(network, scaled(weights))(x) - exact).max((0, 1, 2))
    assert (error <= 3e-6 * np.abs(exact).max((0, 1, 2))).all()
    steps = fuse(fold(network, scaled(weights)))
    choose_strassen(steps, network.shapes, 3)
    chosen = any(isinstance(step, Separable) and step.pointwise.strassen for step in steps)
    assert chosen == (what in ("nothing", "columns"))


@pytest.mark.parametrize("side", [7, 14])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_stays_in_its_pixel(random_weights, rng, side, value):
    """Pixels are summed in pairs; a NaN does not reach the other one."""
    net = NetworkBuilder(Input(name="input", shape=(side, side, WIDE)))
    net.add(Conv2D(name="pointwise", filters=WIDE, kernel_size=(1, 1)))
    network = net.build("pointwise")
    x = rng.standard_normal((1, *network.input_shape)).astype(np.float32)
    program = NumbaProgram(network, random_weights(network))
    expected = program(x, threads=1)
    spoilt = rng.random((side, side)) < 0.2
    spoilt[-1, -1] = spoilt[0, 0] = True
    x[0, spoilt, rng.integers(0, WIDE)] = value
    for threads in (1, 2, 3):
        found = program(x, threads=threads)[0]
        assert not np.isfinite(found[spoilt]).any()
        np.testing.assert_allclose(found[~spoilt], expected[0, ~spoilt], rtol=0, atol=1e-5)
        np.testing.assert_array_equal(found, program(x, threads=1)[0])
