"""Bounds from the weights must hold for every input there is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npmobilenet.analysis.inside import channel_ranges
from npmobilenet.architecture import (
    Activation,
    AveragePooling2D,
    Conv2D,
    Dense,
    Flatten,
    GlobalMaxPooling2D,
    Input,
    MaxPooling2D,
    NetworkBuilder,
    Normalization,
    Rescaling,
    Reshape,
    SeparableConv2D,
)
from npmobilenet.interpreter import NumpyProgram
from npmobilenet.reference.activations import ACTIVATIONS


def assert_bounds_hold(network, weights, rng):
    network = replace(network, input_range=network.input_range or (0.0, 255.0))
    low, high = network.input_range
    batch = rng.uniform(low, high, (8, *network.input_shape))
    batch[-2:] = rng.choice([low, high], (2, *network.input_shape))  # corners reach furthest
    ranges = channel_ranges(network, weights)
    assert list(ranges) == [node.name for node in network]
    for name, values in NumpyProgram(network, weights).activations(batch).items():
        low, high = ranges[name]
        slack = 1e-9 * max(1.0, np.abs(low).max(), np.abs(high).max())
        pixels = values.reshape(-1, values.shape[-1])
        assert np.all(pixels >= low - slack), name
        assert np.all(pixels <= high + slack), name


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_bounds_of_random_networks(random_networks, data, natural_weights):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    network = data.draw(random_networks)
    assert_bounds_hold(network, natural_weights(network, rng), rng)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_bounds_of_every_activation(activation, rng, natural_weights):
    net = NetworkBuilder(Input(name="image", shape=(4, 4, 2)))
    net.add(Conv2D(name="conv", filters=6, kernel_size=(1, 1)))
    net.add(Activation(name="activation", activation=activation))
    network = net.build("one", input_range=(-1.0, 1.0))
    assert_bounds_hold(network, natural_weights(network, rng), rng)


def test_bounds_of_other_layers(rng, natural_weights):
    net = NetworkBuilder(Input(name="image", shape=(8, 8, 3)))
    net.add(Normalization(name="normalization"))
    net.add(Rescaling(name="rescaling", scale=(-0.5, 2.0, 1.0), offset=0.25))
    net.add(SeparableConv2D(name="separable", filters=5, kernel_size=(3, 3), padding="same"))
    net.add(AveragePooling2D(name="average", kernel_size=(2, 2), padding="same"))
    net.add(MaxPooling2D(name="largest", kernel_size=(2, 2), strides=(2, 2)))
    net.add(Reshape(name="reshape", target_shape=(4, 4, 5)))
    net.add(Flatten(name="flatten"))
    net.add(Dense(name="dense", units=3, activation="silu"))
    network = net.build("others")
    assert_bounds_hold(network, natural_weights(network, rng), rng)


def test_bounds_are_met_by_one_convolution(rng, natural_weights):
    """For a single layer the bound is not only safe but reached."""
    net = NetworkBuilder(Input(name="image", shape=(2, 2, 3)))
    net.add(Conv2D(name="conv", filters=1, kernel_size=(2, 2)))
    net.add(GlobalMaxPooling2D(name="pool"))
    network = net.build("one", input_range=(-1.0, 1.0))
    weights = natural_weights(network, rng)
    best = np.sign(weights["conv/kernel"][np.newaxis, ..., 0]).astype(np.float64)
    _, high = channel_ranges(network, weights)["pool"]
    np.testing.assert_allclose(NumpyProgram(network, weights)(best)[0], high, rtol=1e-12)
