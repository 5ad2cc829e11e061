"""A folded network as a PyTorch module."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.peers.folding import fold
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


class TorchNetwork(nn.Module):
    """Runs the folded network on NCHW tensors."""

    def __init__(self, network: Network, weights) -> None:
        super().__init__()
        network, weights = fold(network, weights)
        self.inputs = {node.name: node.inputs for node in network}
        self.steps = nn.ModuleDict(
            {
                node.name: _module(node, network, weights)
                for node in network
                if not isinstance(node.layer, Input)
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        first, *rest = self.inputs
        values = {first: x}
        for name in rest:
            values[name] = self.steps[name](*(values[source] for source in self.inputs[name]))
        return values[name]


class _Sum(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y


class _Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))


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
            steps = [_Mean()]
        case Add():
            return _Sum()
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
