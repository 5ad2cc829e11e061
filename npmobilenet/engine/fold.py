"""From layers to steps: batch norm into weights, activations into limits, residuals into sums."""

from collections import Counter
from collections.abc import Mapping
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.architecture import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Identity,
    MaxPooling2D,
    Network,
    Node,
    Normalization,
    Padding,
    ReLU,
    Rescaling,
    Reshape,
    SeparableConv2D,
    ZeroPadding2D,
)
from npmobilenet.architecture.layers import Window
from npmobilenet.architecture.shapes import Shape, channels
from npmobilenet.engine.steps import (
    NO_PADDING,
    Convolution,
    Copy,
    Depthwise,
    Linear,
    Pool,
    Softmax,
    Step,
    sample_shape,
)

_LIMITS = {"linear": (-inf, inf), "relu": (0.0, inf), "relu6": (0.0, 6.0)}


class UnsupportedError(Exception):
    """A node has no kernel; ``name`` says which."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def fold(network: Network, weights: Mapping[str, NDArray[Any]]) -> list[Step]:
    """The steps of a network, in running order; none if no layer changes anything.

    Raises
    ------
    UnsupportedError
        At the first layer that no kernel covers.
    """
    folding = _Folding(network, weights)
    for node in list(network)[1:]:
        folding.add(node)
    for name in folding.zeros:
        if not folding.readers[name]:  # whoever reads it pads; nobody else would
            raise UnsupportedError(name)
    last = network.nodes[-1].name
    if folding.steps and (folding.result[last] is not folding.steps[-1] or last in folding.zeros):
        raise UnsupportedError(last)
    return folding.steps


def _same_pixels(before: Shape, after: Shape) -> bool:
    """Whether values under both shapes are the same pixels to a kernel."""
    if None in before or None in after:
        return False
    return sample_shape(before) == sample_shape(after)


class _Folding:
    def __init__(self, network: Network, weights: Mapping[str, NDArray[Any]]) -> None:
        self.network = network
        self.weights = weights
        self.steps: list[Step] = []
        self.result: dict[str, Step | None] = {network.nodes[0].name: None}
        self.zeros: dict[str, Padding] = {}
        self.readers = Counter(source for node in network for source in node.inputs)

    def add(self, node: Node) -> None:
        layer, source = node.layer, node.inputs[0]
        for padded in self.zeros.keys() & set(node.inputs):
            if not isinstance(layer, Conv2D | DepthwiseConv2D):  # nobody else pads by itself
                raise UnsupportedError(padded)
        match layer:
            case Conv2D() | DepthwiseConv2D() | SeparableConv2D() | Dense():
                self._weighted(node, layer)
            case BatchNormalization() | Normalization() | Rescaling():
                self._scale(node, *self._scale_and_shift(node))
            case ReLU():
                self._limit(node, 0.0, inf if layer.max_value is None else layer.max_value)
            case Activation():
                self._activate(node, layer.activation)
            case Add():
                self._residual(node)
            case ZeroPadding2D():
                self.result[node.name] = self.result[source]
                self.zeros[node.name] = layer.padding
            case GlobalAveragePooling2D() | GlobalMaxPooling2D():
                largest = isinstance(layer, GlobalMaxPooling2D)
                self._append(node, Pool(self.result[source], [node.name], largest))
            case AveragePooling2D() | MaxPooling2D():
                window = (layer.kernel_size, layer.strides, layer.dilation, layer.padding)
                largest = isinstance(layer, MaxPooling2D)
                self._append(node, Pool(self.result[source], [node.name], largest, *window))
            case Dropout() | Identity():
                self._rename(node)
            case Flatten() | Reshape():
                self._reshape(node)
            case _:
                raise UnsupportedError(node.name)

    def _variable(self, node: Node, name: str) -> NDArray[np.float64] | None:
        values = self.weights.get(f"{node.name}/{name}")
        return None if values is None else np.asarray(values, np.float64)

    def _kernel(self, node: Node, name: str = "kernel") -> NDArray[Any]:
        return self.weights[f"{node.name}/{name}"]

    def _append(self, node: Node, step: Step) -> None:
        self.steps.append(step)
        self.result[node.name] = step

    def _rename(self, node: Node) -> None:
        """The node's values are those of the step that it reads."""
        step = self.result[node.inputs[0]]
        if step is not None:
            alone = self._alone(node.inputs[0], step)
            (step.layers if alone else step.views).append(node.name)
        self.result[node.name] = step

    def _reshape(self, node: Node) -> None:
        before, after = (self.network.shapes[name] for name in (node.inputs[0], node.name))
        if before == after or _same_pixels(before, after):
            self._rename(node)
        else:
            self._append(node, Copy(self.result[node.inputs[0]], [node.name]))

    def _alone(self, source: str, step: Step) -> bool:
        """Whether nothing else reads what the step has computed so far."""
        return self.readers[source] == 1 and step.name == source

    def _open(self, source: str) -> Linear | None:
        """The step behind ``source`` if its result may still be changed."""
        step = self.result[source]
        if isinstance(step, Linear) and self._alone(source, step) and not step.activated:
            return step
        return None

    def _weighted(
        self, node: Node, layer: Conv2D | DepthwiseConv2D | SeparableConv2D | Dense
    ) -> None:
        source = node.inputs[0]
        before, bias = self.result[source], self._variable(node, "bias")
        window: dict[str, Any] = {}
        names = [node.name]
        if isinstance(layer, Window):
            padding = layer.padding
            if source in self.zeros:
                if padding != "valid":
                    raise UnsupportedError(source)
                padding = self.zeros[source]
                names = [source, node.name]
            window = {"strides": layer.strides, "dilation": layer.dilation, "padding": padding}
        if isinstance(layer, DepthwiseConv2D | SeparableConv2D):
            separable = isinstance(layer, SeparableConv2D)
            kernel = self._kernel(node, "depthwise_kernel" if separable else "kernel")
            kernel = kernel.reshape(*kernel.shape[:2], -1)
            size = kernel.shape[2]
            shift = np.zeros(size) if bias is None or separable else bias
            step = Depthwise(before, names, kernel, shift, np.ones(size), inner=separable, **window)
            step.multiplier = layer.depth_multiplier
            self._append(node, step)
            before, names, window = step, [node.name], {}
        if not isinstance(layer, DepthwiseConv2D):
            separable = isinstance(layer, SeparableConv2D)
            kernel = self._kernel(node, "pointwise_kernel" if separable else "kernel")
            kernel = kernel[None, None] if isinstance(layer, Dense) else kernel
            size = kernel.shape[3]
            shift = np.zeros(size) if bias is None else bias
            self._append(node, Convolution(before, names, kernel, shift, np.ones(size), **window))
        self._activate_result(node, layer.activation)

    def _activate_result(self, node: Node, activation: str) -> None:
        """Apply the activation that a layer with weights carries itself."""
        step = self.result[node.name]
        if activation in _LIMITS:
            assert isinstance(step, Linear)  # noqa: S101
            step.low, step.high = _LIMITS[activation]
        elif activation == "softmax" and self._flat(node.name):
            assert step is not None  # noqa: S101
            step.inner = True
            self._append(node, Softmax(step, [node.name]))
        else:
            raise UnsupportedError(node.name)

    def _flat(self, name: str) -> bool:
        return len(self.network.shapes[name]) == 1

    def _activate(self, node: Node, activation: str) -> None:
        if activation == "linear":
            self._rename(node)
        elif activation in _LIMITS:
            self._limit(node, *_LIMITS[activation])
        elif activation == "softmax" and self._flat(node.name):
            self._append(node, Softmax(self.result[node.inputs[0]], [node.name]))
        else:
            raise UnsupportedError(node.name)

    def _scale_and_shift(self, node: Node) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        layer = node.layer
        size = channels(self.network.shapes[node.name])
        if isinstance(layer, Rescaling):
            return (
                np.broadcast_to(np.asarray(layer.scale, np.float64), (size,)),
                np.broadcast_to(np.asarray(layer.offset, np.float64), (size,)),
            )
        if isinstance(layer, Normalization):
            mean, variance = self._variable(node, "mean"), self._variable(node, "variance")
            assert mean is not None and variance is not None  # noqa: S101, PT018
            scale = 1 / np.maximum(np.sqrt(variance), 1e-7)
            return np.broadcast_to(scale, (size,)), np.broadcast_to(-mean * scale, (size,))
        assert isinstance(layer, BatchNormalization)  # noqa: S101
        mean, variance = (self._variable(node, f"moving_{v}") for v in ("mean", "variance"))
        assert mean is not None and variance is not None  # noqa: S101, PT018
        gamma, beta = self._variable(node, "gamma"), self._variable(node, "beta")
        scale = (1 if gamma is None else gamma) / np.sqrt(variance + layer.epsilon)
        return scale, (0 if beta is None else beta) - mean * scale

    def _scale(self, node: Node, scale: NDArray[np.float64], shift: NDArray[np.float64]) -> None:
        step = self._open(node.inputs[0])
        if step is None or (isinstance(step, Convolution) and step.adds):
            self._append(node, self._channelwise(node, scale, shift))
            return
        step.scale = step.scale * scale
        step.bias = step.bias * scale + shift
        self._rename(node)

    def _limit(self, node: Node, low: float, high: float) -> None:
        step = self._open(node.inputs[0])
        if step is None:
            size = channels(self.network.shapes[node.name])
            step = self._channelwise(node, np.ones(size), np.zeros(size))
            self._append(node, step)
        else:
            self._rename(node)
        step.low, step.high = low, high

    def _channelwise(
        self, node: Node, scale: NDArray[np.float64], shift: NDArray[np.float64]
    ) -> Depthwise:
        """A layer by itself that scales each channel: a depthwise convolution, 1 x 1."""
        source = self.result[node.inputs[0]]
        kernel = np.ones((1, 1, scale.size))
        return Depthwise(source, [node.name], kernel, shift, scale, padding=NO_PADDING)

    def _residual(self, node: Node) -> None:
        if len(node.inputs) != 2:
            raise UnsupportedError(node.name)
        results = [self.result[source] for source in node.inputs]
        positions = [-1 if step is None else self.steps.index(step) for step in results]
        late = int(positions[1] > positions[0])
        step = self._open(node.inputs[late])
        if not isinstance(step, Convolution) or step.adds or node.inputs[0] == node.inputs[1]:
            raise UnsupportedError(node.name)
        step.skip, step.adds = results[1 - late], True
        step.layers.append(node.name)
        self.result[node.name] = step
