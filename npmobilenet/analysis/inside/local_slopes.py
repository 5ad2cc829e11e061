"""A head taken apart at one point: how its output depends on each value of its input.

A layer of a head is affine, or becomes so where it is looked at from one point: a ReLU is a
factor of 1 or 0 for each value, a pooling is a mean or picks one pixel. Going backwards through
the layers gives a slope for each value of the input and, apart from them, all constants:

    output = sum(slopes * input) + offset

For a head without hidden activations this holds for every input; otherwise for this one.
"""

from collections.abc import Mapping
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.inside.channelwise import layer_variables, scale_and_shift
from npmobilenet.architecture import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Identity,
    Layer,
    Network,
    Normalization,
    PReLU,
    ReLU,
    Rescaling,
    Reshape,
)
from npmobilenet.interpreter import Variables, run_layer
from npmobilenet.reference import FloatArray, windows

_STEP = 1e-6  # of the difference quotient of a smooth activation, in float64

Pulled = tuple[FloatArray, float]
"""The slopes with respect to a layer's input, and the constant that the layer contributes."""


def local_slopes(
    network: Network, weights: Mapping[str, NDArray[Any]], x: FloatArray, output: int
) -> Pulled:
    """Slopes of one output value with respect to the input, and the offset.

    Parameters
    ----------
    network : Network
        Whose output is a vector.
    weights : mapping of str to array
        Every variable by its canonical name.
    x : array (1, *network.input_shape)
        The point; everything is computed in float64.
    output : int
        Index into the output.

    Returns
    -------
    slopes : array (1, *network.input_shape), float64
    offset : float

    Raises
    ------
    ValueError
        If a layer cannot be taken apart.
    """
    variables = {node.name: layer_variables(network, weights, node.name) for node in network}
    values: dict[str, FloatArray] = {network.nodes[0].name: x.astype(np.float64)}
    for node in network.nodes[1:]:
        inputs = [values[source] for source in node.inputs]
        values[node.name] = run_layer(node.layer, variables[node.name], *inputs)
    last = network.nodes[-1].name
    slopes = {name: np.zeros_like(value) for name, value in values.items()}
    slopes[last][0, output] = 1.0
    offset = 0.0
    for node in reversed(network.nodes[1:]):
        for source in node.inputs:
            pulled, constant = pull_back(
                node.layer, variables[node.name], values[source], slopes[node.name]
            )
            slopes[source] += pulled
            offset += constant
    return slopes[network.nodes[0].name], offset


@singledispatch
def pull_back(layer: Layer, variables: Variables, x: FloatArray, slopes: FloatArray) -> Pulled:
    """From slopes with respect to a layer's output to those with respect to its input ``x``."""
    raise ValueError(
        f"layer {layer.name!r} is a {type(layer).__name__}: a head with such a layer cannot be "
        "taken apart into contributions of the pixels"
    )


@pull_back.register
def _same(
    layer: Dropout | Identity | Add, variables: Variables, x: FloatArray, slopes: FloatArray
) -> Pulled:
    return slopes, 0.0


@pull_back.register
def _same_values(
    layer: Flatten | Reshape, variables: Variables, x: FloatArray, slopes: FloatArray
) -> Pulled:
    return slopes.reshape(x.shape), 0.0


@pull_back.register
def _channelwise(
    layer: BatchNormalization | Normalization | Rescaling,
    variables: Variables,
    x: FloatArray,
    slopes: FloatArray,
) -> Pulled:
    scale, shift = scale_and_shift(layer, variables, x.shape[-1])
    return slopes * scale, float(np.sum(slopes * shift))


@pull_back.register
def _elementwise(
    layer: ReLU | Activation, variables: Variables, x: FloatArray, slopes: FloatArray
) -> Pulled:
    return _tangent(layer, x, slopes)


@pull_back.register
def _prelu(layer: PReLU, variables: Variables, x: FloatArray, slopes: FloatArray) -> Pulled:
    return slopes * np.where(x > 0, 1.0, variables["alpha"]), 0.0


@pull_back.register
def _weighted(
    layer: Dense | Conv2D, variables: Variables, x: FloatArray, slopes: FloatArray
) -> Pulled:
    kernel = variables["kernel"]
    if isinstance(layer, Conv2D):
        if layer.kernel_size != (1, 1) or layer.strides != (1, 1):
            raise ValueError(
                f"layer {layer.name!r} is a convolution of {layer.kernel_size} behind the last "
                "feature map: only 1 x 1 can be taken apart into contributions of the pixels"
            )
        kernel = kernel[0, 0]
    offset = 0.0
    bias = variables.get("bias")
    if layer.activation != "linear":
        before = x @ kernel + (0.0 if bias is None else bias)
        activation = Activation(name=layer.name, activation=layer.activation)
        slopes, offset = _tangent(activation, before, slopes)
    if bias is not None:
        offset += float(np.sum(slopes * bias))
    return slopes @ kernel.T, offset


@pull_back.register
def _global_average(
    layer: GlobalAveragePooling2D, variables: Variables, x: FloatArray, slopes: FloatArray
) -> Pulled:
    share = slopes.reshape(1, 1, 1, -1) / (x.shape[1] * x.shape[2])
    return np.broadcast_to(share, x.shape), 0.0


@pull_back.register
def _global_max(
    layer: GlobalMaxPooling2D, variables: Variables, x: FloatArray, slopes: FloatArray
) -> Pulled:
    pixels = x.reshape(-1, x.shape[-1])
    pulled = np.zeros_like(pixels)
    pulled[pixels.argmax(axis=0), np.arange(x.shape[-1])] = slopes.reshape(-1)
    return pulled.reshape(x.shape), 0.0


@pull_back.register
def _average(
    layer: AveragePooling2D, variables: Variables, x: FloatArray, slopes: FloatArray
) -> Pulled:
    _, height, width, channels = x.shape
    pixels = np.arange(height * width, dtype=np.float64).reshape(1, height, width, 1)
    window = (layer.kernel_size, layer.strides, layer.padding, layer.dilation)
    seen = windows(pixels, *window, fill=-1)[:, :, 0, :, :, 0].astype(int)
    inside = seen >= 0  # padding is no value of a mean
    share = slopes[0] / inside.sum(axis=(0, 1))[..., np.newaxis]
    pulled = np.zeros((height * width, channels))
    *_, rows, columns = np.nonzero(inside)
    np.add.at(pulled, seen[inside], share[rows, columns])
    return pulled.reshape(x.shape), 0.0


def _tangent(layer: ReLU | Activation, before: FloatArray, slopes: FloatArray) -> Pulled:
    """An activation replaced by the straight line that touches it at each value."""
    after = run_layer(layer, {}, before)
    if isinstance(layer, ReLU) or layer.activation in ("linear", "relu", "relu6"):
        # Each value either passes or is held at a limit.
        own = (after == before).astype(np.float64)
    else:
        above, below = (run_layer(layer, {}, before + step) for step in (_STEP, -_STEP))
        own = (above - below) / (2 * _STEP)
    return slopes * own, float(np.sum(slopes * (after - own * before)))
