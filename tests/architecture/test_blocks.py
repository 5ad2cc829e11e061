"""Blocks alone: what the papers' formulas say of their multiply-adds, exactly."""

from fractions import Fraction

import pytest

from npmobilenet.architecture import Add, mobilenet_v1, mobilenet_v2, network_macs
from npmobilenet.architecture.blocks import inverted_block, separable_block, standard_block

SHAPES = [
    ((14, 14, 512), 512, 3, 1),
    ((28, 28, 24), 40, 5, 1),
    ((15, 10, 6), 7, 3, 2),
]


def macs(network):
    return sum(network_macs(network).values())


@pytest.mark.parametrize(("shape", "filters", "kernel", "stride"), SHAPES)
def test_separable_over_standard_is_the_papers_formula(shape, filters, kernel, stride):
    separable = separable_block(shape, filters, kernel, stride)
    standard = standard_block(shape, filters, kernel, stride)
    ratio = Fraction(macs(separable), macs(standard))
    assert ratio == Fraction(1, filters) + Fraction(1, kernel * kernel)
    assert separable.output_shape == standard.output_shape


def test_the_papers_own_example():
    """V1, Table 3: 462 M and 52.3 M multiply-adds, 2.36 M and 0.27 M parameters."""
    shape = (14, 14, 512)
    assert macs(standard_block(shape, 512)) == 462_422_016
    assert macs(separable_block(shape, 512)) == 52_283_392


@pytest.mark.parametrize(("shape", "filters", "kernel", "stride"), SHAPES)
def test_inverted_residual(shape, filters, kernel, stride):
    network = inverted_block(shape, filters, kernel, stride, expansion=4)
    height, width, depth = shape
    pixels = -(-height // stride) * -(-width // stride)
    expanded = 4 * depth
    counted = height * width * depth * expanded + pixels * expanded * (kernel**2 + filters)
    assert macs(network) == counted
    assert network.output_shape == separable_block(shape, filters, kernel, stride).output_shape
    adds = any(isinstance(node.layer, Add) for node in network)
    assert adds == (stride == 1 and depth == filters)


def test_blocks_are_those_of_the_networks():
    v1 = network_macs(mobilenet_v1())
    assert macs(separable_block((14, 14, 512), 512)) == v1["conv_dw_8"] + v1["conv_pw_8"]
    v2 = network_macs(mobilenet_v2())
    parts = ("expand", "depthwise", "project")
    own = sum(v2[f"block_4_{part}"] for part in parts)
    assert macs(inverted_block((28, 28, 32), 32)) == own
