"""A network with batch norm inside the weights: what converters of other libraries make of it.

Written apart from the engine of npmobilenet, so that a mistake in one shows beside the other.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    Padding,
    ReLU,
    Reshape,
    ZeroPadding2D,
    explicit_padding,
)

Weights = Mapping[str, NDArray[Any]]

_WITH_KERNEL = Conv2D | DepthwiseConv2D | Dense


@dataclass(frozen=True)
class Folded:
    """A network with fewer layers and the same output.

    Parameters
    ----------
    network : Network
    weights : dict of str to array
        float32; folded in float64 and rounded once.
    stands_for : dict of str to str
        A layer of the folded network, and the layer of the original one whose output it gives.
    """

    network: Network
    weights: dict[str, NDArray[np.float32]]
    stands_for: dict[str, str]


def fold(network: Network, weights: Weights) -> Folded:
    """Fold batch norm, activations and padding into convolutions and dense layers.

    A 1 x 1 convolution over a single pixel, as in the head of MobileNet V1, becomes a dense layer.
    Padding that equals SAME is called so. A layer that cannot be folded, because another one reads
    what it would change, stays as it is.

    Parameters
    ----------
    network : Network
        Height and width must be known.
    weights : mapping of str to array
        Every variable of the network.
    """
    folding = _Folding(network, weights)
    for node in network:
        folding.visit(node)
    nodes = tuple(folding.nodes.values())
    small = {name: value.astype(np.float32) for name, value in folding.weights.items()}
    # The last layer that a new one gives remains; padding that a convolution does itself is none.
    stands_for = {new: old for old, new in folding.given_by.items() if old not in folding.padding}
    return Folded(Network(network.name, nodes, network.input_range), small, stands_for)


class _Folding:
    def __init__(self, network: Network, weights: Weights) -> None:
        self.network = network
        self.given = weights
        self.nodes: dict[str, Node] = {}
        self.weights: dict[str, NDArray[np.float64]] = {}
        self.given_by: dict[str, str] = {}  # an old layer: the new one that gives its output
        self.padding: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {}
        self.readers = Counter(source for node in network for source in node.inputs)

    def visit(self, node: Node) -> None:
        """Fold one layer into those before it, or keep it."""
        layer = node.layer
        inputs = tuple(self.given_by[name] for name in node.inputs)
        if isinstance(layer, Dropout | Identity) or self._changes_no_shape(node):
            self.given_by[node.name] = inputs[0]
        elif isinstance(layer, ZeroPadding2D) and self._pads_windows(node):
            self.given_by[node.name] = inputs[0]
            self.padding[node.name] = layer.padding
        elif isinstance(layer, BatchNormalization) and self._open(node):
            self._fold(layer, inputs[0])
        elif (activation := _activation(layer)) and self._open(node):
            self._replace(inputs[0], activation=activation)
            self.given_by[node.name] = inputs[0]
        else:
            self._keep(node, inputs)

    def _keep(self, node: Node, inputs: tuple[str, ...]) -> None:
        layer = node.layer
        for variable in self.network.layer_variables(node.name):
            name = f"{node.name}/{variable}"
            self.weights[name] = self.given[name].astype(np.float64)
        if isinstance(layer, _WITH_KERNEL):
            layer = replace(layer, use_bias=True)
            outputs = self.network.shapes[node.name][-1] or 0
            self.weights.setdefault(f"{node.name}/bias", np.zeros(outputs))
        if isinstance(layer, Conv2D | DepthwiseConv2D):
            layer = replace(layer, padding=self._padding(node, layer))
        if isinstance(layer, Conv2D) and self._sees_one_pixel(node):
            layer = Dense(name=layer.name, units=layer.filters, activation=layer.activation)
            kernel = self.weights[f"{node.name}/kernel"]
            self.weights[f"{node.name}/kernel"] = kernel.reshape(kernel.shape[-2:])
            self._replace(inputs[0], keepdims=False)
        self.nodes[node.name] = Node(layer, inputs)
        self.given_by[node.name] = node.name

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
        self.given_by[norm.name] = convolution

    def _open(self, node: Node) -> bool:
        """Whether what the node reads is linear, and nobody else reads it."""
        source = node.inputs[0]
        new = self.given_by[source]
        layer = self.nodes[new].layer
        return (
            isinstance(layer, _WITH_KERNEL)
            and layer.activation == "linear"
            and source not in self.padding
            and self._has_one_reader(new)
        )

    def _has_one_reader(self, new: str) -> bool:
        """Whether each old layer that a new one gives is read once: by the one behind it."""
        return all(self.readers[old] == 1 for old, given in self.given_by.items() if given == new)

    def _pads_windows(self, node: Node) -> bool:
        """Whether every reader of a padding layer is a convolution that can pad by itself."""
        readers = [other.layer for other in self.network if node.name in other.inputs]
        return bool(readers) and all(
            isinstance(layer, Conv2D | DepthwiseConv2D) and layer.padding == "valid"
            for layer in readers
        )

    def _padding(self, node: Node, layer: Conv2D | DepthwiseConv2D) -> Padding:
        padding = self.padding.get(node.inputs[0], layer.padding)
        height, width, _ = self.network.shapes[self._unpadded(node.inputs[0])]
        assert height is not None  # noqa: S101  -- as the docstring demands
        assert width is not None  # noqa: S101
        same = explicit_padding(
            "same", (height, width), layer.kernel_size, layer.strides, layer.dilation
        )
        return "same" if padding == same else padding

    def _unpadded(self, source: str) -> str:
        return self.network[source].inputs[0] if source in self.padding else source

    def _changes_no_shape(self, node: Node) -> bool:
        """A reshape to classes, once the head is a dense layer."""
        if not isinstance(node.layer, Reshape):
            return False
        before = self.given_by[node.inputs[0]]
        return isinstance(self.nodes[before].layer, Dense) and isinstance(
            self.network[before].layer, Conv2D
        )

    def _sees_one_pixel(self, node: Node) -> bool:
        """Whether a convolution follows global pooling, and a reshape to classes follows it."""
        pooling = self.given_by[node.inputs[0]]
        readers = [other.layer for other in self.network if node.name in other.inputs]
        return (
            isinstance(self.nodes[pooling].layer, GlobalAveragePooling2D)
            and isinstance(node.layer, Conv2D)
            and node.layer.kernel_size == (1, 1)
            and self._has_one_reader(pooling)
            and bool(readers)
            and all(isinstance(layer, Reshape) for layer in readers)
        )

    def _replace(self, name: str, **changes: object) -> None:
        node = self.nodes[name]
        self.nodes[name] = Node(replace(node.layer, **changes), node.inputs)  # type: ignore[arg-type]


def _activation(layer: Layer) -> str | None:
    """The name under which a layer with a kernel can carry an activation out."""
    if isinstance(layer, Activation):
        return layer.activation
    if isinstance(layer, ReLU):
        return {None: "relu", 6.0: "relu6"}.get(layer.max_value)
    return None
