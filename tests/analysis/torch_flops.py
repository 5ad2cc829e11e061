"""FLOPs of each layer of the networks in a file, as PyTorch counts them; nothing is computed.

A program of its own: PyTorch may bring Triton, whose LLVM and TensorFlow's or Numba's crash in one
process. Reads a pickled list of networks, writes a list of mappings as JSON.
"""

import json
import pickle
import sys
from pathlib import Path

import torch
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

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
)


def main(path):
    networks = pickle.loads(Path(path).read_bytes())
    sys.stdout.write(json.dumps([flops(network) for network in networks]))


def flops(network):
    counter = FlopCounterMode(display=False)
    by_layer = {}
    tensors = {}
    for node in network:
        with counter:
            tensors[node.name] = run(network, node, [tensors[name] for name in node.inputs])
        by_layer[node.name] = counter.get_total_flops()
    return by_layer


def run(network, node, inputs):
    """The layer in PyTorch on its meta device: shapes only, channels first."""
    layer = node.layer
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


if __name__ == "__main__":
    main(sys.argv[1])
