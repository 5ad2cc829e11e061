"""A network as the peers run it best: batch norm folded, no padding layers, activations fused.

Written apart from the engine of npmobilenet, so that a mistake in one shows beside the other.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from npmobilenet.architecture import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    Identity,
    Layer,
    Network,
    Node,
    ReLU,
    Reshape,
    ZeroPadding2D,
    explicit_padding,
)

Weights = Mapping[str, np.ndarray]


def fold(network: Network, weights: Weights) -> tuple[Network, dict[str, np.ndarray]]:
    """The network with fewer layers and the same output; batch norm is folded in float64.

    Only convolutions, dense layers, pooling and residual additions remain, each with its bias and
    activation. A 1 x 1 convolution over a single pixel, as in the head of MobileNet V1, becomes a
    dense layer. Padding that equals SAME is called so.
    """
    folding = _Folding(network, weights)
    for node in network:
        folding.visit(node)
    nodes = tuple(folding.nodes.values())
    small = {name: value.astype(np.float32) for name, value in folding.weights.items()}
    return Network(network.name, nodes, network.input_range), small


class _Folding:
    def __init__(self, network: Network, weights: Weights) -> None:
        self.network = network
        self.given = weights
        self.nodes: dict[str, Node] = {}
        self.weights: dict[str, np.ndarray] = {}
        self.stands_for: dict[str, str] = {}  # an old layer: the new one that gives its output
        self.padding: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {}

    def visit(self, node: Node) -> None:
        layer = node.layer
        inputs = tuple(self.stands_for[name] for name in node.inputs)
        if isinstance(layer, Dropout | Identity) or self._changes_no_shape(node):
            self.stands_for[node.name] = inputs[0]
        elif isinstance(layer, ZeroPadding2D):
            self.stands_for[node.name] = inputs[0]
            self.padding[node.name] = layer.padding
        elif isinstance(layer, BatchNormalization):
            self._fold(layer, inputs[0])
        elif isinstance(layer, ReLU | Activation) and self._is_linear(inputs[0]):
            self._replace(inputs[0], activation=_activation(layer))
            self.stands_for[node.name] = inputs[0]
        else:
            self._keep(node, inputs)

    def _keep(self, node: Node, inputs: tuple[str, ...]) -> None:
        layer = node.layer
        for variable in self.network.layer_variables(node.name):
            name = f"{node.name}/{variable}"
            self.weights[name] = self.given[name].astype(np.float64)
        if isinstance(layer, Conv2D | DepthwiseConv2D):
            layer = replace(layer, padding=self._padding(node), use_bias=True)
            outputs = self.network.shapes[node.name][-1]
            self.weights.setdefault(f"{node.name}/bias", np.zeros(outputs))
        if isinstance(layer, Conv2D) and self._sees_one_pixel(node):
            layer = Dense(name=layer.name, units=layer.filters, activation=layer.activation)
            kernel = self.weights[f"{node.name}/kernel"]
            self.weights[f"{node.name}/kernel"] = kernel.reshape(kernel.shape[-2:])
            self._replace(inputs[0], keepdims=False)
        self.nodes[node.name] = Node(layer, inputs)
        self.stands_for[node.name] = node.name

    def _fold(self, norm: BatchNormalization, convolution: str) -> None:
        mean, variance, gamma, beta = (
            self.given[f"{norm.name}/{name}"].astype(np.float64)
            if f"{norm.name}/{name}" in self.given
            else np.float64(default)
            for name, default in (
                ("moving_mean", 0),
                ("moving_variance", 1),
                ("gamma", 1),
                ("beta", 0),
            )
        )
        scale = gamma / np.sqrt(variance + norm.epsilon)
        kernel, bias = f"{convolution}/kernel", f"{convolution}/bias"
        depthwise = isinstance(self.nodes[convolution].layer, DepthwiseConv2D)
        by_output = scale.reshape(self.weights[kernel].shape[-2:]) if depthwise else scale
        self.weights[kernel] = self.weights[kernel] * by_output
        self.weights[bias] = (self.weights[bias] - mean) * scale + beta
        self.stands_for[norm.name] = convolution

    def _padding(self, node: Node):
        layer, source = node.layer, self.stands_for[node.inputs[0]]
        padding = layer.padding
        if node.inputs[0] in self.padding:
            padding = self.padding[node.inputs[0]]
        size = self.network.shapes[source][:2]
        if padding == explicit_padding("same", size, layer.kernel_size, layer.strides):
            return "same"
        return padding

    def _changes_no_shape(self, node: Node) -> bool:
        """A reshape to classes, once the head is a dense layer."""
        return isinstance(node.layer, Reshape) and isinstance(
            self.nodes[self.stands_for[node.inputs[0]]].layer, Dense
        )

    def _sees_one_pixel(self, node: Node) -> bool:
        source = self.nodes[self.stands_for[node.inputs[0]]].layer
        return isinstance(source, GlobalAveragePooling2D) and node.layer.kernel_size == (1, 1)

    def _is_linear(self, name: str) -> bool:
        return getattr(self.nodes[name].layer, "activation", None) == "linear"

    def _replace(self, name: str, **changes: object) -> None:
        node = self.nodes[name]
        self.nodes[name] = Node(replace(node.layer, **changes), node.inputs)


def _activation(layer: Layer) -> str:
    if isinstance(layer, Activation):
        return layer.activation
    return "relu" if layer.max_value is None else f"relu{layer.max_value:g}"
