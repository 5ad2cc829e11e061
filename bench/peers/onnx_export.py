"""A network as an ONNX file: folded, NCHW, a node for each layer and each activation."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

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

OPSET = 17
IR_VERSION = 9


def write_onnx(
    network: Network, weights: Mapping[str, np.ndarray], batch_size: int, path: Path
) -> None:
    """Write ``network`` for batches of one size; the input is ``(N, C, H, W)``."""
    import onnx
    from onnx import helper

    network, weights = fold(network, weights)
    graph = _Graph(network, weights)
    for node in network:
        graph.add(node)
    first, last = network.nodes[0].name, network.nodes[-1].name
    values = [
        helper.make_tensor_value_info(
            graph.value[name], onnx.TensorProto.FLOAT, (batch_size, *_nchw(network.shapes[name]))
        )
        for name in (first, last)
    ]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "network", values[:1], values[1:], graph.initializers),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _nchw(shape):
    return (shape[-1], *shape[:-1])


class _Graph:
    def __init__(self, network: Network, weights: Mapping[str, np.ndarray]) -> None:
        self.network = network
        self.weights = weights
        self.nodes = []
        self.initializers = []
        self.value = {}  # a layer's name: the name of the ONNX value that it gives

    def add(self, node) -> None:
        layer = node.layer
        inputs = [self.value[name] for name in node.inputs]
        match layer:
            case Input():
                self.value[node.name] = node.name
                return
            case Conv2D() | DepthwiseConv2D():
                self._convolution(node, inputs)
            case Dense():
                kernel = self._constant(f"{node.name}/kernel")
                bias = self._constant(f"{node.name}/bias")
                self._node("Gemm", [*inputs, kernel, bias], node.name)
            case MaxPooling2D() | AveragePooling2D():
                kind = "MaxPool" if isinstance(layer, MaxPooling2D) else "AveragePool"
                self._node(kind, inputs, node.name, **self._window(node))
            case GlobalAveragePooling2D():
                self._node("GlobalAveragePool", inputs, f"{node.name}/mean")
                self._node("Flatten", [f"{node.name}/mean"], node.name)
            case Add():
                self._node("Add", inputs, node.name)
            case _:
                raise TypeError(f"layer {layer.name!r} is a {type(layer).__name__}: not exported")
        self.value[node.name] = self._activation(node)

    def _convolution(self, node, inputs) -> None:
        kernel = self.weights[f"{node.name}/kernel"]
        groups = 1
        if isinstance(node.layer, DepthwiseConv2D):
            groups = kernel.shape[2]
            kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
        weight = self._constant(f"{node.name}/kernel", kernel.transpose(3, 2, 0, 1))
        bias = self._constant(f"{node.name}/bias")
        window = self._window(node)
        self._node("Conv", [*inputs, weight, bias], node.name, group=groups, **window)

    def _window(self, node) -> dict[str, object]:
        layer = node.layer
        size = self.network.shapes[node.inputs[0]][:2]
        (top, bottom), (left, right) = explicit_padding(
            layer.padding, size, layer.kernel_size, layer.strides
        )
        return {
            "kernel_shape": layer.kernel_size,
            "strides": layer.strides,
            "pads": (top, left, bottom, right),
        }

    def _activation(self, node) -> str:
        activation = getattr(node.layer, "activation", "linear")
        output = f"{node.name}/{activation}"
        match activation:
            case "linear":
                return node.name
            case "relu6":
                low = self._constant(f"{node.name}/low", np.float32(0))
                high = self._constant(f"{node.name}/high", np.float32(6))
                self._node("Clip", [node.name, low, high], output)
            case "relu" | "softmax":
                self._node(activation.title(), [node.name], output)
            case _:
                raise ValueError(f"activation {activation!r} is not exported")
        return output

    def _node(self, kind: str, inputs, output: str, **attributes: object) -> None:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))

    def _constant(self, name: str, value: np.ndarray | None = None) -> str:
        from onnx import numpy_helper

        array = np.ascontiguousarray(self.weights[name] if value is None else value)
        self.initializers.append(numpy_helper.from_array(array, name))
        return name
