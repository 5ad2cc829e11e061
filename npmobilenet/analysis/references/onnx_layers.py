"""What each layer is in ONNX."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.architecture import (
    Activation,
    Add,
    Average,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Identity,
    Layer,
    Maximum,
    MaxPooling2D,
    Minimum,
    Multiply,
    Network,
    PReLU,
    ReLU,
    Rescaling,
    Reshape,
    Subtract,
    ZeroPadding2D,
    explicit_padding,
)
from npmobilenet.architecture.activations import facts
from npmobilenet.architecture.layers import Window
from npmobilenet.architecture.shapes import channels


class OnnxGraph:
    """The nodes and constants of a graph that grows layer by layer.

    ``value`` maps a layer's name to the name of the ONNX value with its output.
    """

    def __init__(
        self, network: Network, weights: Mapping[str, NDArray[Any]], batch_size: int
    ) -> None:
        self.network = network
        self.weights = weights
        self.batch_size = batch_size
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.value: dict[str, str] = {}

    def node(self, kind: str, inputs: Sequence[str], output: str, **attributes: object) -> str:
        """Append a node; its output's name is returned."""
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, value: NDArray[Any] | None = None) -> str:
        """Add a constant, by default the variable of this name."""
        from onnx import numpy_helper

        array = np.ascontiguousarray(self.weights[name] if value is None else value)
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def activated(self, layer: str, value: str, activation: str) -> str:
        """The value behind an activation.

        Raises
        ------
        ValueError
            If it has no conversion.
        """
        if activation == "linear":
            return value
        output = f"{layer}/{activation}"
        if activation == "relu6":
            return self.clipped(layer, value, output, 6.0)
        kind = facts(activation).onnx
        if kind is None or "(" in activation:
            raise ValueError(
                f"layer {layer!r} has activation {activation!r}, which cannot be written for ONNX"
            )
        # Softmax works along channels, which are the first axis behind the batch here.
        axis = {"axis": 1} if activation == "softmax" else {}
        return self.node(kind, [value], output, **axis)

    def clipped(self, layer: str, value: str, output: str, highest: float) -> str:
        """The value between 0 and ``highest``."""
        low = self.constant(f"{layer}/low", np.array(0, np.float32))
        high = self.constant(f"{layer}/high", np.array(highest, np.float32))
        return self.node("Clip", [value, low, high], output)

    def window(self, layer: Window) -> dict[str, object]:
        """The attributes of convolutions and poolings."""
        height, width = self.network.shapes[self.network[layer.name].inputs[0]][:2]
        assert height is not None  # noqa: S101  -- the size of a batch to be run is known
        assert width is not None  # noqa: S101
        (top, bottom), (left, right) = explicit_padding(
            layer.padding, (height, width), layer.kernel_size, layer.strides, layer.dilation
        )
        # Average pooling has no such attribute before operator set 19.
        dilated = {"dilations": layer.dilation} if layer.dilation != (1, 1) else {}
        return {
            "kernel_shape": layer.kernel_size,
            "strides": layer.strides,
            "pads": (top, left, bottom, right),
            **dilated,
        }


def _convolution(graph: OnnxGraph, layer: Conv2D | DepthwiseConv2D, x: str) -> str:
    kernel = graph.weights[f"{layer.name}/kernel"]
    groups = 1
    if isinstance(layer, DepthwiseConv2D):
        groups = kernel.shape[2]
        kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
    inputs = [x, graph.constant(f"{layer.name}/kernel", kernel.transpose(3, 2, 0, 1))]
    if layer.use_bias:
        inputs.append(graph.constant(f"{layer.name}/bias"))
    return graph.node("Conv", inputs, layer.name, group=groups, **graph.window(layer))


def _dense(graph: OnnxGraph, layer: Dense, x: str) -> str:
    if len(graph.network.shapes[layer.name]) != 1:
        raise ValueError(f"layer {layer.name!r} (Dense over images) cannot be written for ONNX")
    inputs = [x, graph.constant(f"{layer.name}/kernel")]
    if layer.use_bias:
        inputs.append(graph.constant(f"{layer.name}/bias"))
    return graph.node("Gemm", inputs, layer.name)


def _batch_norm(graph: OnnxGraph, layer: BatchNormalization, x: str) -> str:
    size = channels(graph.network.shapes[layer.name])
    given = {
        name: graph.weights.get(f"{layer.name}/{name}", np.full(size, default, np.float32))
        for name, default in (("gamma", 1), ("beta", 0), ("moving_mean", 0), ("moving_variance", 1))
    }
    inputs = [x, *(graph.constant(f"{layer.name}/{name}", value) for name, value in given.items())]
    return graph.node("BatchNormalization", inputs, layer.name, epsilon=layer.epsilon)


def _relu(graph: OnnxGraph, layer: ReLU, x: str) -> str:
    if layer.max_value is None:
        return graph.node("Relu", [x], layer.name)
    return graph.clipped(layer.name, x, layer.name, layer.max_value)


def _concatenate(graph: OnnxGraph, layer: Concatenate, *inputs: str) -> str:
    if len(graph.network.shapes[layer.name]) == 3:
        axis = {-1: 1, -2: 3, -3: 2}[layer.axis]  # channels come first
    else:
        axis = layer.axis
    return graph.node("Concat", inputs, layer.name, axis=axis)


def _multiply(graph: OnnxGraph, layer: Multiply, *inputs: str) -> str:
    product = inputs[0]
    for number, factor in enumerate(inputs[1:], start=2):
        name = layer.name if number == len(inputs) else f"{layer.name}/{number}"
        product = graph.node("Mul", [product, factor], name)
    return product


def _prelu(graph: OnnxGraph, layer: PReLU, x: str) -> str:
    alpha = np.moveaxis(graph.weights[f"{layer.name}/alpha"], -1, 0)
    return graph.node("PRelu", [x, graph.constant(f"{layer.name}/alpha", alpha)], layer.name)


def _zero_padding(graph: OnnxGraph, layer: ZeroPadding2D, x: str) -> str:
    (top, bottom), (left, right) = layer.padding
    pads = np.array([0, 0, top, left, 0, 0, bottom, right], np.int64)
    return graph.node("Pad", [x, graph.constant(f"{layer.name}/pads", pads)], layer.name)


def _global_pooling(
    graph: OnnxGraph, layer: GlobalAveragePooling2D | GlobalMaxPooling2D, x: str
) -> str:
    kind = type(layer).__name__.removesuffix("ing2D")
    if layer.keepdims:
        return graph.node(kind, [x], layer.name)
    return graph.node("Flatten", [graph.node(kind, [x], f"{layer.name}/pooled")], layer.name)


def _reshape(graph: OnnxGraph, layer: Flatten | Reshape, x: str) -> str:
    """Keras reshapes channels last."""
    before, after = (
        graph.network.shapes[name] for name in (graph.network[layer.name].inputs[0], layer.name)
    )
    if len(before) == 3:
        x = graph.node("Transpose", [x], f"{layer.name}/nhwc", perm=(0, 2, 3, 1))
    shape = graph.constant(f"{layer.name}/shape", np.array([graph.batch_size, *after], np.int64))
    if len(after) != 3:
        return graph.node("Reshape", [x, shape], layer.name)
    reshaped = graph.node("Reshape", [x, shape], f"{layer.name}/reshaped")
    return graph.node("Transpose", [reshaped], layer.name, perm=(0, 3, 1, 2))


def _rescaling(graph: OnnxGraph, layer: Rescaling, x: str) -> str:
    scale, offset = (
        graph.constant(f"{layer.name}/{name}", np.array(value, np.float32).reshape(-1, 1, 1))
        for name, value in (("scale", layer.scale), ("offset", layer.offset))
    )
    return graph.node(
        "Add", [graph.node("Mul", [x, scale], f"{layer.name}/scaled"), offset], layer.name
    )


CONVERSIONS: Mapping[type[Layer], Callable[..., str]] = {
    Activation: lambda graph, layer, x: graph.activated(layer.name, x, layer.activation),
    Add: lambda graph, layer, *inputs: graph.node(
        "Add" if len(inputs) == 2 else "Sum", inputs, layer.name
    ),
    AveragePooling2D: lambda graph, layer, x: graph.node(
        "AveragePool", [x], layer.name, **graph.window(layer)
    ),
    BatchNormalization: _batch_norm,
    Conv2D: _convolution,
    Dense: _dense,
    DepthwiseConv2D: _convolution,
    Dropout: lambda graph, layer, x: x,
    Flatten: _reshape,
    GlobalAveragePooling2D: _global_pooling,
    GlobalMaxPooling2D: _global_pooling,
    Identity: lambda graph, layer, x: x,
    MaxPooling2D: lambda graph, layer, x: graph.node(
        "MaxPool", [x], layer.name, **graph.window(layer)
    ),
    Average: lambda graph, layer, *inputs: graph.node("Mean", inputs, layer.name),
    Concatenate: _concatenate,
    Maximum: lambda graph, layer, *inputs: graph.node("Max", inputs, layer.name),
    Minimum: lambda graph, layer, *inputs: graph.node("Min", inputs, layer.name),
    PReLU: _prelu,
    Multiply: _multiply,
    Subtract: lambda graph, layer, *inputs: graph.node("Sub", inputs, layer.name),
    ReLU: _relu,
    Rescaling: _rescaling,
    Reshape: _reshape,
    ZeroPadding2D: _zero_padding,
}
"""By the kind of layer: the graph, the layer and the values it reads to the value that it gives."""
