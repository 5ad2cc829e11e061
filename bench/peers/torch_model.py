"""A folded network as a PyTorch module."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from bench.peers.torch_network import Mean, Sum, TorchNetwork
from npmobilenet.analysis.folding import fold
from npmobilenet.architecture import (
    Add,
    AveragePooling2D,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    Input,
    MaxPooling2D,
    Network,
    explicit_padding,
)


def torch_model(network: Network, weights: Mapping[str, np.ndarray]) -> TorchNetwork:
    """The folded network with its weights, channels last, for inference."""
    folded = fold(network, weights)
    network, weights = folded.network, folded.weights
    inputs = {node.name: node.inputs for node in network}
    steps = {
        node.name: _module(node, network, weights)
        for node in network
        if not isinstance(node.layer, Input)
    }
    return TorchNetwork(inputs, steps).eval().to(memory_format=torch.channels_last)


def _module(node, network: Network, weights) -> nn.Module:
    layer = node.layer
    match layer:
        case Conv2D() | DepthwiseConv2D():
            steps = _convolution(node, network, weights)
        case Dense():
            kernel = weights[f"{node.name}/kernel"]
            linear = nn.Linear(*kernel.shape)
            _set(linear, kernel.T, weights[f"{node.name}/bias"])
            steps = [linear]
        case MaxPooling2D():
            steps = [nn.MaxPool2d(layer.kernel_size, layer.strides)]
        case AveragePooling2D():
            steps = [nn.AvgPool2d(layer.kernel_size, layer.strides)]
        case GlobalAveragePooling2D():
            steps = [Mean()]
        case Add():
            return Sum()
        case _:
            raise TypeError(f"layer {layer.name!r} is a {type(layer).__name__}: not converted")
    activation = getattr(layer, "activation", "linear")
    if activation != "linear":
        steps.append(
            {"relu": nn.ReLU(), "relu6": nn.Hardtanh(0.0, 6.0), "softmax": nn.Softmax(-1)}[
                activation
            ]
        )
    return nn.Sequential(*steps)


def _convolution(node, network: Network, weights) -> list[nn.Module]:
    layer = node.layer
    kernel = weights[f"{node.name}/kernel"]
    groups = 1
    if isinstance(layer, DepthwiseConv2D):
        groups = kernel.shape[2]
        kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
    size = network.shapes[node.inputs[0]][:2]
    (top, bottom), (left, right) = explicit_padding(
        layer.padding, size, layer.kernel_size, layer.strides
    )
    even = (top, left) == (bottom, right)
    convolution = nn.Conv2d(
        kernel.shape[2] * groups,
        kernel.shape[3],
        layer.kernel_size,
        layer.strides,
        (top, left) if even else 0,
        groups=groups,
    )
    _set(convolution, kernel.transpose(3, 2, 0, 1), weights[f"{node.name}/bias"])
    # PyTorch's convolution cannot pad one side only.
    return [convolution] if even else [nn.ZeroPad2d((left, right, top, bottom)), convolution]


def _set(module: nn.Module, weight: np.ndarray, bias: np.ndarray) -> None:
    module.weight.data = torch.from_numpy(np.ascontiguousarray(weight))
    module.bias.data = torch.from_numpy(bias)
