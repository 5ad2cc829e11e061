"""Networks that nobody drew by hand, on every way of running them, against float64."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from npmobilenet.architecture import (
    Add,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Flatten,
    GlobalAveragePooling2D,
    Input,
    NetworkBuilder,
    ReLU,
    SeparableConv2D,
    ZeroPadding2D,
    mobilenet_v1,
)
from npmobilenet.engine import NumbaProgram, compiled
from npmobilenet.interpreter import NumpyProgram
from tests.random_networks import Sizes, random_networks

NETWORKS = random_networks(
    every_kind=True, sizes=Sizes(side=(1, 17), channels=(1, 9), filters=(1, 40), layers=(1, 12))
)
MOVING = random_networks(
    every_kind=True, moving=True, sizes=Sizes(side=(1, 9), channels=(1, 5), filters=(1, 9))
)
WIDE = random_networks(
    every_kind=True, sizes=Sizes(side=(1, 9), channels=(64, 300), filters=(1, 300), layers=(1, 6))
)


@pytest.fixture(autouse=True)
def _unwritten_memory_is_not_a_number(monkeypatch):
    """What is read before it is written spoils the result."""

    def poisoned(size):
        values = aligned(size)
        values[:] = np.nan
        return values

    aligned = compiled.aligned
    monkeypatch.setattr(compiled, "aligned", poisoned)


def agrees(network, random_weights, batch):
    weights = random_weights(network)
    x = np.random.default_rng(batch).uniform(-1, 1, (batch, *network.input_shape))
    x = x.astype(np.float32)
    exact = NumpyProgram(network, weights).activations(x.astype(np.float64))
    output = network.nodes[-1].name
    expected = {}
    for fused in (True, False):
        program = NumbaProgram(network, weights, fused=fused)
        for threads in (1, 2, 3):
            found = program.activations(x, threads=threads)
            assert found[output].shape == exact[output].shape
            for layer, value in found.items():
                scale = np.abs(exact[layer]).max()
                np.testing.assert_allclose(
                    value, exact[layer], rtol=0, atol=1e-4 * scale + 1e-30, err_msg=layer
                )
            value = program(x, threads=threads)
            np.testing.assert_array_equal(value, found[output])
            np.testing.assert_array_equal(value, expected.setdefault(fused, value))
        assert set(found).isdisjoint(found.fused)
        assert set(found) | set(found.fused) == {node.name for node in network}
        np.testing.assert_array_equal(program(x[-1:], threads=2), value[-1:])
        pieces, y = program.pieces(x[:1].copy(), threads=2)
        if pieces and pieces[-1].call() is None:
            y[...] = np.nan
            for piece in pieces:
                piece.call()
            np.testing.assert_array_equal(y, value[:1])


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(network=NETWORKS, batch=st.integers(1, 4))
def test_random_networks(random_weights, network, batch):
    agrees(network, random_weights, batch)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(network=MOVING, batch=st.integers(1, 3))
def test_random_networks_with_layers_that_have_no_kernel(random_weights, network, batch):
    agrees(network, random_weights, batch)


@pytest.mark.slow
@pytest.mark.parametrize("networks", [NETWORKS, MOVING, WIDE], ids=["narrow", "moving", "wide"])
def test_many_random_networks(random_weights, networks):
    @settings(
        max_examples=1000,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(network=networks, batch=st.integers(1, 5))
    def check(network, batch):
        agrees(network, random_weights, batch)

    check()


def chain(shape, *layers):
    net = NetworkBuilder(Input(name="input", shape=shape))
    for layer in layers:
        net.add(layer)
    return net


def test_layers_that_take_two_steps(random_weights):
    """Their first step has a shape of its own: a buffer for the layer's would be too small."""
    net = chain(
        (20, 20, 3),
        SeparableConv2D(name="a", filters=2, kernel_size=(3, 3), depth_multiplier=8),
        SeparableConv2D(name="b", filters=40, kernel_size=(5, 5), strides=(2, 2), padding="same"),
        SeparableConv2D(name="c", filters=3, kernel_size=(3, 3), activation="relu"),
        Conv2D(name="d", filters=30, kernel_size=(1, 1), activation="relu6"),
        SeparableConv2D(name="e", filters=5, kernel_size=(3, 3)),
        Flatten(name="flatten"),
        Dense(name="dense", units=4, activation="softmax"),
    )
    agrees(net.build("separable"), random_weights, 3)


@pytest.mark.parametrize("last", [False, True])
def test_layers_that_nobody_reads(random_weights, last):
    net = chain((128, 128, 3), Conv2D(name="a", filters=8, kernel_size=(3, 3), padding="same"))
    net.add(DepthwiseConv2D(name="dead", kernel_size=(3, 3), padding="same"), "a")
    net.add(Conv2D(name="dead too", filters=16, kernel_size=(1, 1)), "dead")
    net.add(DepthwiseConv2D(name="b", kernel_size=(3, 3), padding="same"), "a")
    net.add(Conv2D(name="c", filters=16, kernel_size=(1, 1)), "b")
    if last:
        net.add(ReLU(name="dead three"), "b")
    net.add(GlobalAveragePooling2D(name="pool"), "c")
    agrees(net.build("dead ends"), random_weights, 2)


def test_the_same_value_twice_and_a_network_of_nothing(random_weights):
    net = chain((5, 4, 3), Conv2D(name="a", filters=6, kernel_size=(3, 3), padding="same"))
    net.add(Add(name="twice"), "a", "a")
    agrees(net.build("twice"), random_weights, 2)
    agrees(chain((5, 4, 3)).build("empty"), random_weights, 2)


def test_mobilenet_with_poison(random_weights):
    agrees(mobilenet_v1((64, 48, 3), 0.5), random_weights, 2)


def test_padding_that_a_sum_reads(random_weights):
    """Convolutions pad by themselves; a sum needs the zeros."""
    net = chain((4, 4, 2), ZeroPadding2D(name="pad", padding=((1, 0), (0, 2))))
    net.add(Conv2D(name="conv", filters=2, kernel_size=(1, 1)), "pad")
    net.add(DepthwiseConv2D(name="dw", kernel_size=(3, 3), padding="same"), "conv")
    net.add(Conv2D(name="back", filters=2, kernel_size=(1, 1)), "dw")
    net.add(Add(name="add"), "back", "pad")
    agrees(net.build("padded residual"), random_weights, 2)
