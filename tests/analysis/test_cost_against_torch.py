"""PyTorch's FLOP counter over the same network, layer by layer, without computing anything."""

import pytest

from npmobilenet.analysis.cost import cost
from npmobilenet.architecture import (
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    Input,
    ReLU,
    ZeroPadding2D,
    explicit_padding,
    mobilenet_v1,
    mobilenet_v2,
)
from npmobilenet.architecture.variants import full_convolution

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install 'npmobilenet[bench]'")
flop_counter = pytest.importorskip("torch.utils.flop_counter")

NETWORKS = [
    mobilenet_v1(),
    mobilenet_v1((97, 130, 3), 0.25),
    full_convolution(mobilenet_v1((128, 128, 3))),
    mobilenet_v2(),
    mobilenet_v2((97, 130, 3), 1.4),
]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_flops(network):
    counter = flop_counter.FlopCounterMode(display=False)
    by_layer = {}
    tensors = {}
    for node in network:
        with counter:
            tensors[node.name] = run(network, node, [tensors[name] for name in node.inputs])
        by_layer[node.name] = counter.get_total_flops()
    found = cost(network)
    assert by_layer == {network.nodes[0].name: 0} | {
        layer.name: layer.flops for layer in found.layers
    }


def run(network, node, inputs):
    """The layer in PyTorch on its meta device: shapes only, channels first."""
    layer = node.layer
    functional = torch.nn.functional
    empty = {"device": "meta"}
    if isinstance(layer, Input):
        height, width, depth = layer.shape
        return torch.empty((1, depth, height, width), **empty)
    x = inputs[0]
    if isinstance(layer, Conv2D | DepthwiseConv2D):
        height, width, depth, filters = network.layer_variables(node.name)["kernel"]
        vertical, horizontal = explicit_padding(
            layer.padding, tuple(x.shape[2:]), layer.kernel_size, layer.strides
        )
        x = functional.pad(x, (*horizontal, *vertical))
        separate = isinstance(layer, DepthwiseConv2D)
        shape = (depth * filters, 1) if separate else (filters, depth)
        kernel = torch.empty((*shape, height, width), **empty)
        groups = depth if separate else 1
        return functional.conv2d(x, kernel, stride=layer.strides, groups=groups)
    if isinstance(layer, ZeroPadding2D):
        vertical, horizontal = layer.padding
        return functional.pad(x, (*horizontal, *vertical))
    if isinstance(layer, Dense):
        return functional.linear(x, torch.empty((layer.units, x.shape[-1]), **empty))
    if isinstance(layer, GlobalAveragePooling2D):
        return x.mean((2, 3), keepdim=layer.keepdims)
    if isinstance(layer, Add):
        return sum(inputs)
    if isinstance(layer, BatchNormalization):
        scale = torch.empty((1, x.shape[1], 1, 1), **empty)
        return x * scale + scale
    if isinstance(layer, ReLU):
        return x.clamp(0, layer.max_value)
    return x
