"""Filters of depthwise and first convolutions."""

import numpy as np
import pytest

from npmobilenet.analysis.inside import filter_summaries, filters
from npmobilenet.architecture import DepthwiseConv2D, Input, NetworkBuilder, SeparableConv2D


def test_depthwise_filters_in_the_order_of_the_outputs(rng):
    net = NetworkBuilder(Input(name="image", shape=(8, 8, 2)))
    net.add(DepthwiseConv2D(name="depthwise", kernel_size=(3, 3), depth_multiplier=2))
    net.add(SeparableConv2D(name="separable", filters=4, kernel_size=(2, 2)))
    network = net.build("two")
    weights = {name: rng.standard_normal(shape) for name, shape in network.variables.items()}
    found = filters(network, weights, "depthwise")
    assert found.shape == (3, 3, 4)
    np.testing.assert_array_equal(found[..., 3], weights["depthwise/kernel"][..., 1, 1])
    separable = filters(network, weights, "separable")
    np.testing.assert_array_equal(separable, weights["separable/depthwise_kernel"][..., 0])


def test_which_layers_have_filters(small_v1):
    rows = filter_summaries(small_v1.network, small_v1.weights)
    assert [row.layer for row in rows] == ["conv1", *(f"conv_dw_{i}" for i in range(1, 14))]
    assert rows[0].negligible == 1  # the planted one
    first = filters(small_v1.network, small_v1.weights, "conv1")
    assert first.shape == (3, 3, 3, 8)
    for layer in ("conv_pw_1", "nothing"):
        with pytest.raises(ValueError, match=f"{layer!r}.*expected one of conv1, conv_dw_1"):
            filters(small_v1.network, small_v1.weights, layer)


@pytest.mark.parametrize(
    ("kernel", "centre", "balance"),
    [
        (np.ones((3, 3)), 1 / 9, 1.0),
        ([[0, 0, 0], [0, -2, 0], [0, 0, 0]], 1.0, 1.0),
        ([[1, 0, -1], [2, 0, -2], [1, 0, -1]], 0.0, 0.0),
        ([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], 0.5, 0.0),
        (np.zeros((3, 3)), 0.0, 0.0),
    ],
)
def test_a_filter_in_numbers(kernel, centre, balance):
    net = NetworkBuilder(Input(name="image", shape=(8, 8, 1)))
    net.add(DepthwiseConv2D(name="depthwise", kernel_size=(3, 3), use_bias=False))
    weights = {"depthwise/kernel": np.asarray(kernel, np.float32).reshape(3, 3, 1, 1)}
    (row,) = filter_summaries(net.build("one"), weights)
    assert (row.kernel_size, row.filters) == ((3, 3), 1)
    assert row.centre == pytest.approx(centre)
    assert row.balance == pytest.approx(balance)
