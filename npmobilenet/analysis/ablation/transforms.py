"""Networks that differ from another in one decision."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.folding import fold
from npmobilenet.architecture import (
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Layer,
    Network,
    Node,
    ReLU,
    Rescaling,
)
from npmobilenet.architecture.layers import Window
from npmobilenet.architecture.variants import same_padding

Weights = Mapping[str, NDArray[Any]]

_ODD_END = ((0, 1), (0, 1))


@dataclass(frozen=True)
class Ablated:
    """A network with its weights.

    Parameters
    ----------
    network : Network
    weights : mapping of str to array
    stands_for : mapping of str to str
        A layer, and the one of the original network whose output it gives, where the names differ.
    """

    network: Network
    weights: Weights
    stands_for: Mapping[str, str] = field(default_factory=dict)


def with_padding(network: Network, weights: Weights, padding: str) -> Ablated:
    """Windows with a stride padded in another way.

    ``"same"``: TensorFlow's SAME, whose odd row and column are at the end. ``"symmetric"``: as much
    before as behind, as in other frameworks. ``"keras"``: one row and column at the end of the
    depthwise convolutions, as in keras.applications' MobileNet V1.
    """
    same = same_padding(network)

    def padded(layer: Layer) -> Layer:
        if not isinstance(layer, Window) or layer.strides == (1, 1) or layer.padding != "same":
            return layer
        if padding == "symmetric":
            height, width = (size // 2 for size in layer.kernel_size)
            return replace(layer, padding=((height, height), (width, width)))
        if padding == "keras" and isinstance(layer, DepthwiseConv2D):
            return replace(layer, padding=_ODD_END) if layer.kernel_size == (3, 3) else layer
        return layer

    return Ablated(_each_layer(same, padded), weights)


def with_epsilon(network: Network, weights: Weights, epsilon: float) -> Ablated:
    """Every batch norm with this epsilon."""

    def changed(layer: Layer) -> Layer:
        return replace(layer, epsilon=epsilon) if isinstance(layer, BatchNormalization) else layer

    return Ablated(_each_layer(network, changed), weights)


def with_relu(network: Network, weights: Weights, max_value: float | None) -> Ablated:
    """Every ReLU cut off at another value, or at none."""

    def changed(layer: Layer) -> Layer:
        return replace(layer, max_value=max_value) if isinstance(layer, ReLU) else layer

    return Ablated(_each_layer(network, changed), weights)


def folded_into_weights(network: Network, weights: Weights) -> Ablated:
    """Batch norm multiplied into the kernels, which are float32 again afterwards."""
    folded = fold(network, weights)
    return Ablated(folded.network, folded.weights, folded.stands_for)


def scale_and_shift(network: Network, weights: Weights) -> Ablated:
    """Batch norm as ``x * scale + shift``, with two float32 vectors, behind the convolution."""
    nodes = []
    kept = dict(weights)
    for node in network:
        layer = node.layer
        if isinstance(layer, BatchNormalization):
            variables = {
                name: kept.pop(f"{node.name}/{name}").astype(np.float64)
                for name in network.layer_variables(node.name)
            }
            scale = variables.get("gamma", 1.0) / np.sqrt(
                variables["moving_variance"] + layer.epsilon
            )
            shift = variables.get("beta", 0.0) - variables["moving_mean"] * scale
            layer = Rescaling(
                name=node.name, scale=tuple(scale.tolist()), offset=tuple(shift.tolist())
            )
        nodes.append(Node(layer, node.inputs))
    return Ablated(replace(network, nodes=tuple(nodes)), kept)


def depthwise_as_full(network: Network, weights: Weights) -> Ablated:
    """Each depthwise convolution as a standard one, whose kernel is zero between channels."""
    nodes = []
    changed = dict(weights)
    for node in network:
        layer = node.layer
        if isinstance(layer, DepthwiseConv2D):
            kernel = weights[f"{node.name}/kernel"]
            changed[f"{node.name}/kernel"] = _diagonal(kernel)
            layer = Conv2D(
                name=layer.name,
                kernel_size=layer.kernel_size,
                strides=layer.strides,
                padding=layer.padding,
                dilation=layer.dilation,
                filters=kernel.shape[2] * kernel.shape[3],
                use_bias=layer.use_bias,
                activation=layer.activation,
            )
        nodes.append(Node(layer, node.inputs))
    return Ablated(replace(network, nodes=tuple(nodes)), changed)


def _diagonal(kernel: NDArray[Any]) -> NDArray[Any]:
    """``(height, width, C, M)`` to ``(height, width, C, C * M)``."""
    height, width, channels, multiplier = kernel.shape
    full = np.zeros((height, width, channels, channels, multiplier), kernel.dtype)
    every = np.arange(channels)
    full[:, :, every, every] = kernel
    return full.reshape(height, width, channels, channels * multiplier)


def _each_layer(network: Network, change: Callable[[Layer], Layer]) -> Network:
    return replace(network, nodes=tuple(Node(change(node.layer), node.inputs) for node in network))
