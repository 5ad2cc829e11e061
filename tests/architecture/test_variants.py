"""Networks made out of others are networks: they count right and run."""

import numpy as np
import pytest

from npmobilenet.architecture import (
    Conv2D,
    DepthwiseConv2D,
    mobilenet_v1,
    mobilenet_v2,
    network_macs,
)
from npmobilenet.architecture.variants import full_convolution, same_padding, shallow
from npmobilenet.interpreter import NumpyProgram

SMALL = (64, 64, 3)


def random_weights(network, rng):
    return {
        name: rng.uniform(0.1, 0.2, shape).astype(np.float32)
        for name, shape in network.variables.items()
    }


def test_full_convolution_of_v1():
    network = mobilenet_v1()
    full = full_convolution(network)
    assert sum(network_macs(full).values()) == 4_867_293_184
    assert full.output_shape == network.output_shape
    assert not any(isinstance(node.layer, DepthwiseConv2D) for node in full)
    first = full["conv_1"].layer
    assert isinstance(first, Conv2D)
    assert full.variables["conv_1/kernel"] == (3, 3, 32, 64)
    assert full["conv_2"].inputs == ("conv_pad_2",)
    assert full["conv_2"].layer.strides == (2, 2)
    assert full["conv_2_relu"].inputs == ("conv_2_bn",)
    for block in range(1, 14):
        before = network.shapes[f"conv_pw_{block}"]
        assert full.shapes[f"conv_{block}"] == before


def test_full_convolution_keeps_the_expansion_of_v2():
    full = full_convolution(mobilenet_v2(SMALL, 0.35))
    assert full["block_2_project"].layer.kernel_size == (3, 3)
    assert full["block_2_add"].inputs == ("block_1_project_BN", "block_2_project_BN")


def test_full_convolution_needs_a_separable_block():
    with pytest.raises(ValueError, match="no depthwise separable block"):
        full_convolution(full_convolution(mobilenet_v1(SMALL, 0.25)))


@pytest.mark.parametrize("variant", [full_convolution, shallow, same_padding])
def test_variants_run(variant, rng):
    network = variant(mobilenet_v1(SMALL, 0.25, classes=7))
    images = rng.uniform(-1, 1, (2, *SMALL)).astype(np.float32)
    output = NumpyProgram(network, random_weights(network, rng))(images)
    np.testing.assert_allclose(output.sum(axis=1), 1, rtol=1e-5)


def test_shallow_has_eight_blocks():
    network = shallow(mobilenet_v1())
    pointwise = [node.name for node in network if node.name.startswith("conv_pw_")]
    assert [name for name in pointwise if name.count("_") == 2] == [
        f"conv_pw_{block}" for block in (1, 2, 3, 4, 5, 6, 12, 13)
    ]
    assert network["conv_pad_12"].inputs == ("conv_pw_6_relu",)
    with pytest.raises(ValueError, match="no layer 'conv_dw_10' to leave out"):
        shallow(mobilenet_v2())


@pytest.mark.parametrize("build", [mobilenet_v1, mobilenet_v2])
def test_same_padding_changes_nothing_on_even_maps(build, rng):
    network = build(SMALL, 0.35, classes=7)
    same = same_padding(network)
    assert not any(node.name.endswith("pad") or "_pad_" in node.name for node in same)
    weights = random_weights(network, rng)
    images = rng.uniform(-1, 1, (1, *SMALL))
    expected = NumpyProgram(network, weights)(images)
    np.testing.assert_array_equal(NumpyProgram(same, weights)(images), expected)


def test_same_padding_on_odd_maps():
    keras = mobilenet_v1((200, 200, 3), include_top=False)
    assert keras.output_shape[:2] == (6, 6)
    assert same_padding(keras).output_shape[:2] == (7, 7)
