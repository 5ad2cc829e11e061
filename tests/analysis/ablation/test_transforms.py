"""Each changed network against what must be true of it."""

import numpy as np
import pytest

from npmobilenet.analysis.ablation.transforms import (
    depthwise_as_full,
    folded_into_weights,
    scale_and_shift,
    with_epsilon,
    with_padding,
    with_relu,
)
from npmobilenet.architecture import (
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Input,
    NetworkBuilder,
    ZeroPadding2D,
    mobilenet_v1,
    mobilenet_v2,
    network_macs,
)
from npmobilenet.architecture.variants import same_padding
from npmobilenet.initializers import random_weights
from npmobilenet.interpreter import NumpyProgram


def run(ablated, batch):
    return NumpyProgram(ablated.network, ablated.weights).activations(batch)


@pytest.fixture
def small(small_model):
    batch = np.random.default_rng(3).uniform(-1, 1, (2, 32, 32, 3))
    return small_model.network, small_model.weights, batch


def test_same_is_keras_padding_on_even_sizes(small):
    network, weights, batch = small
    before = NumpyProgram(network, weights)(batch)
    np.testing.assert_array_equal(
        run(with_padding(network, weights, "same"), batch)["predictions"], before
    )
    np.testing.assert_array_equal(
        run(with_padding(network, weights, "keras"), batch)["predictions"], before
    )


def test_same_is_not_keras_padding_on_odd_sizes():
    network = mobilenet_v1((34, 34, 3), 0.25)  # feature maps of 17, 9 and 5
    weights = random_weights(network, 1)
    batch = np.random.default_rng(4).uniform(-1, 1, (1, 34, 34, 3))
    before = NumpyProgram(network, weights).activations(batch)
    same = run(with_padding(network, weights, "same"), batch)
    keras = run(with_padding(network, weights, "keras"), batch)
    np.testing.assert_array_equal(keras["conv_dw_4"], before["conv_dw_4"])
    assert not np.allclose(same["conv_pw_13"], keras["conv_pw_13"], atol=0)


def test_keras_padding_undoes_same():
    network = mobilenet_v1((34, 34, 3), 0.25)
    found = with_padding(same_padding(network), {}, "keras").network
    for block in (2, 4, 6, 12):
        layer = found[f"conv_dw_{block}"].layer
        assert isinstance(layer, DepthwiseConv2D)
        assert layer.padding == ((0, 1), (0, 1))


@pytest.mark.parametrize("build", [mobilenet_v1, mobilenet_v2])
def test_symmetric_padding_shifts_the_window_by_one(build):
    network = build((32, 32, 3), 0.35)
    found = with_padding(network, {}, "symmetric").network
    assert found.output_shape == network.output_shape
    assert not any(isinstance(node.layer, ZeroPadding2D) for node in found)
    strided = [node.layer for node in found if getattr(node.layer, "strides", (1, 1)) == (2, 2)]
    assert {layer.padding for layer in strided} == {((1, 1), (1, 1))}
    first = strided[0]
    weights = random_weights(network, 2)
    x = np.random.default_rng(5).normal(size=(1, 32, 32, 3))
    moved = np.zeros_like(x)
    moved[:, 1:, 1:] = x[:, :-1, :-1]
    # SAME's window begins at pixel 0, the symmetric one at -1: on a moved image both see the same.
    cut = network.until(first.name)
    ours = NumpyProgram(found.until(first.name), weights)(x)
    theirs = NumpyProgram(cut, weights)(moved)
    # The moved image has lost its last row and column.
    np.testing.assert_allclose(ours[:, :-1, :-1], theirs[:, :-1, :-1], rtol=1e-12, atol=1e-12)


def test_epsilon_follows_the_formula(small):
    network, weights, batch = small
    before = NumpyProgram(network, weights).activations(batch)
    found = run(with_epsilon(network, weights, 0.5), batch)
    np.testing.assert_array_equal(found["conv1"], before["conv1"])
    gamma, beta, mean, variance = (
        weights[f"conv1_bn/{name}"].astype(float)
        for name in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    expected = (before["conv1"] - mean) / np.sqrt(variance + 0.5) * gamma + beta
    np.testing.assert_allclose(found["conv1_bn"], expected, rtol=1e-12, atol=1e-14)
    assert with_epsilon(network, weights, 1e-3).network == network


def test_relu_without_a_limit(small):
    network, weights, batch = small
    before = NumpyProgram(network, weights).activations(batch)
    found = run(with_relu(network, weights, None), batch)
    np.testing.assert_array_equal(found["conv1_relu"], np.maximum(before["conv1_bn"], 0))
    assert found["conv1_relu"].max() > 6 or before["conv1_bn"].max() <= 6
    assert with_relu(network, weights, 6.0).network == network


def test_folding_into_weights_is_float32(small):
    network, weights, batch = small
    found = folded_into_weights(network, weights)
    assert not any(isinstance(node.layer, BatchNormalization) for node in found.network)
    assert found.stands_for["conv_dw_3"] == "conv_dw_3_relu"
    gamma, variance = weights["conv1_bn/gamma"], weights["conv1_bn/moving_variance"]
    scale = gamma.astype(float) / np.sqrt(variance.astype(float) + 1e-3)
    kernel = found.weights["conv1/kernel"]
    assert kernel.dtype == np.float32
    np.testing.assert_array_equal(kernel, (weights["conv1/kernel"] * scale).astype(np.float32))
    values, before = run(found, batch), NumpyProgram(network, weights).activations(batch)
    for name, value in values.items():
        original = before[found.stands_for[name]].reshape(value.shape)
        np.testing.assert_allclose(value, original, rtol=1e-4, atol=1e-4, err_msg=name)
        if name == "conv1":
            assert not np.array_equal(value, original)  # the kernels were rounded


def test_scale_and_shift_is_batch_norm_in_float64(small):
    network, weights, batch = small
    before = NumpyProgram(network, weights).activations(batch)
    found = run(scale_and_shift(network, weights), batch)
    assert found.keys() == before.keys()
    for name, value in found.items():
        np.testing.assert_allclose(value, before[name], rtol=1e-9, atol=1e-9, err_msg=name)


def test_a_diagonal_convolution_is_the_depthwise_one(small):
    network, weights, batch = small
    before = NumpyProgram(network, weights).activations(batch)
    full = depthwise_as_full(network, weights)
    assert not any(isinstance(node.layer, DepthwiseConv2D) for node in full.network)
    for name, value in run(full, batch).items():
        np.testing.assert_allclose(value, before[name], rtol=1e-12, atol=1e-12, err_msg=name)
    ours, theirs = network_macs(full.network), network_macs(network)
    channels = network.shapes["conv_dw_13"][-1]
    assert ours["conv_dw_13"] == channels * theirs["conv_dw_13"]


def test_a_diagonal_convolution_with_a_multiplier(rng):
    net = NetworkBuilder(Input(name="image", shape=(8, 8, 4)))
    net.add(DepthwiseConv2D(name="dw", kernel_size=(3, 3), depth_multiplier=3, padding="same"))
    network = net.build("multiplied")
    weights = {name: rng.normal(size=shape) for name, shape in network.variables.items()}
    full = depthwise_as_full(network, weights)
    assert isinstance(full.network["dw"].layer, Conv2D)
    x = rng.normal(size=(1, 8, 8, 4))
    np.testing.assert_allclose(
        NumpyProgram(full.network, full.weights)(x),
        NumpyProgram(network, weights)(x),
        rtol=1e-12,
        atol=1e-12,
    )
