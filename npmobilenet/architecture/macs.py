"""Multiply-adds of a layer: 1 MAC is one multiplication and one addition, 2 FLOP.

The convention is that of the papers: convolutions and dense layers count, taps that fall on
padding included; bias, batch norm, activations and pooling do not.
"""

from functools import singledispatch

from npmobilenet.architecture.layers import (
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Layer,
    SeparableConv2D,
)
from npmobilenet.architecture.network import Network
from npmobilenet.architecture.shapes import Shape, channels, count


@singledispatch
def macs(layer: Layer, *inputs: Shape) -> int:
    """MACs of one layer for one sample, from the shapes of its inputs.

    Raises
    ------
    ValueError
        If height or width is not known.
    """
    return 0


@macs.register
def _(layer: Conv2D, *inputs: Shape) -> int:
    taps = layer.kernel_size[0] * layer.kernel_size[1]
    return count(layer.output_shape(*inputs)) * taps * channels(inputs[0])


@macs.register
def _(layer: DepthwiseConv2D, *inputs: Shape) -> int:
    taps = layer.kernel_size[0] * layer.kernel_size[1]
    return count(layer.output_shape(*inputs)) * taps


@macs.register
def _(layer: SeparableConv2D, *inputs: Shape) -> int:
    taps = layer.kernel_size[0] * layer.kernel_size[1]
    middle = channels(inputs[0]) * layer.depth_multiplier
    positions = count(layer.spatial_shape(inputs[0]))
    return positions * middle * (taps + layer.filters)


@macs.register
def _(layer: Dense, *inputs: Shape) -> int:
    return count(inputs[0]) * layer.units


def network_macs(network: Network) -> dict[str, int]:
    """MACs of every layer for one sample, by name."""
    return {
        node.name: macs(node.layer, *(network.shapes[source] for source in node.inputs))
        for node in network
    }
