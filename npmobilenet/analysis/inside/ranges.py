"""Bounds of every channel that hold for any picture, from the weights alone.

Interval arithmetic: if the inputs of a layer lie between known bounds, so do its outputs. Pictures
have bounds, and every ReLU6 sets new ones, so the bounds do not grow without end. They are not
tight, but what they rule out is ruled out: a channel whose upper bound is 0 behind a ReLU is 0 for
every picture that there can be.
"""

import functools
from collections.abc import Mapping
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.inside.channelwise import layer_variables, scale_and_shift
from npmobilenet.analysis.resized import check_convex
from npmobilenet.architecture import (
    Activation,
    Add,
    Average,
    AveragePooling2D,
    BatchNormalization,
    CenterCrop,
    Concatenate,
    Conv2D,
    Cropping2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Identity,
    Layer,
    LayerNormalization,
    Maximum,
    MaxPooling2D,
    Minimum,
    Multiply,
    Network,
    Normalization,
    Permute,
    PReLU,
    ReLU,
    RepeatVector,
    Rescaling,
    Reshape,
    Resizing,
    SeparableConv2D,
    Subtract,
    UnitNormalization,
    UpSampling2D,
    ZeroPadding2D,
)
from npmobilenet.architecture.activations import facts
from npmobilenet.architecture.layers import Window
from npmobilenet.architecture.pictures import picture_range
from npmobilenet.interpreter import Variables, run_layer
from npmobilenet.reference import FloatArray, activate

Range = tuple[FloatArray, FloatArray]
"""Lower and upper bound of each channel, float64 ``(channels,)``."""


def channel_ranges(network: Network, weights: Mapping[str, NDArray[Any]]) -> dict[str, Range]:
    """Bounds of the channels of every layer, by the layer's name in running order.

    Parameters
    ----------
    network : Network
        Pictures are within its ``input_range``.
    weights : mapping of str to array
        Every variable by its canonical name.

    Raises
    ------
    PictureInputError
        If nothing says what values the network takes.
    ValueError
        If there is a layer for which no rule is known.
    """
    first, *rest = network
    channels = network.shapes[first.name][-1] or 0
    low, high = picture_range(network)
    ranges: dict[str, Range] = {}
    ranges[first.name] = np.full(channels, low, np.float64), np.full(channels, high, np.float64)
    for node in rest:
        inputs = [ranges[source] for source in node.inputs]
        if isinstance(node.layer, Flatten | Reshape):
            ranges[node.name] = _regrouped(inputs[0], network.shapes[node.name][-1])
        elif isinstance(node.layer, Permute):
            ranges[node.name] = _reordered(node.layer, inputs[0], network.shapes[node.name][-1])
        else:
            variables = layer_variables(network, weights, node.name)
            ranges[node.name] = propagate(node.layer, variables, *inputs)
    return ranges


def _reordered(layer: Permute, x: Range, channels: int | None) -> Range:
    """Channels stay what they are only while they are the last axis."""
    if layer.dims[-1] == len(layer.dims):
        return x
    if channels is None:
        raise ValueError(f"layer {layer.name!r}: bounds need the size of the input")
    return np.full(channels, x[0].min()), np.full(channels, x[1].max())


def _regrouped(x: Range, channels: int | None) -> Range:
    """Values in other channels than before are only known to be among all of them."""
    if channels == x[0].size:
        return x
    if channels is None:
        raise ValueError("bounds of flattened values need the size of the input")
    return np.full(channels, x[0].min()), np.full(channels, x[1].max())


@singledispatch
def propagate(layer: Layer, variables: Variables, *inputs: Range) -> Range:
    """Bounds of a layer's output from those of its inputs."""
    raise ValueError(
        f"layer {layer.name!r} is a {type(layer).__name__}, for which no bounds are known"
    )


@propagate.register
def _same(
    layer: Dropout
    | Identity
    | AveragePooling2D
    | MaxPooling2D
    | GlobalAveragePooling2D
    | GlobalMaxPooling2D,
    variables: Variables,
    x: Range,
) -> Range:
    return x


@propagate.register
def _moved(
    layer: Cropping2D | CenterCrop | RepeatVector | UpSampling2D, variables: Variables, x: Range
) -> Range:
    check_convex(layer)
    return x


@propagate.register
def _resizing(layer: Resizing, variables: Variables, x: Range) -> Range:
    check_convex(layer)
    if not layer.pad_to_aspect_ratio:
        return x
    return np.minimum(x[0], layer.fill_value), np.maximum(x[1], layer.fill_value)


@propagate.register
def _zero_padding(layer: ZeroPadding2D, variables: Variables, x: Range) -> Range:
    return _with_zero(x)


@propagate.register
def _add(layer: Add, variables: Variables, *inputs: Range) -> Range:
    low, high = (np.sum([bounds[end] for bounds in inputs], axis=0) for end in (0, 1))
    return low, high


@propagate.register
def _multiply(layer: Multiply, variables: Variables, *inputs: Range) -> Range:
    return functools.reduce(_product_of, inputs)


def _product_of(x: Range, y: Range) -> Range:
    """The corners of an interval of factors hold the ends of the products."""
    corners = [one * other for one in x for other in y]
    return np.min(corners, axis=0), np.max(corners, axis=0)


@propagate.register
def _subtract(layer: Subtract, variables: Variables, x: Range, y: Range) -> Range:
    return x[0] - y[1], x[1] - y[0]


@propagate.register
def _rising_merge(
    layer: Average | Maximum | Minimum, variables: Variables, *inputs: Range
) -> Range:
    low, high = (run_layer(layer, {}, *(bounds[end] for bounds in inputs)) for end in (0, 1))
    return low, high


@propagate.register
def _concatenate(layer: Concatenate, variables: Variables, *inputs: Range) -> Range:
    if layer.axis == -1:
        low, high = (np.concatenate([bounds[end] for bounds in inputs]) for end in (0, 1))
        return low, high
    return np.min([low for low, _ in inputs], axis=0), np.max([high for _, high in inputs], axis=0)


@propagate.register
def _unit_normalization(layer: UnitNormalization, variables: Variables, x: Range) -> Range:
    return np.where(x[0] < 0, -1.0, 0.0), np.where(x[1] > 0, 1.0, 0.0)


@propagate.register
def _layer_normalization(layer: LayerNormalization, variables: Variables, x: Range) -> Range:
    most = np.sqrt(x[0].size - 1)  # one value far from all others
    gamma, beta = variables.get("gamma", np.ones(1)), variables.get("beta", np.zeros(1))
    reach = np.abs(gamma) * most
    return np.broadcast_to(beta - reach, x[0].shape), np.broadcast_to(beta + reach, x[0].shape)


@propagate.register
def _channelwise(
    layer: BatchNormalization | Normalization | Rescaling, variables: Variables, x: Range
) -> Range:
    scale, shift = scale_and_shift(layer, variables, x[0].size)
    ends = x[0] * scale + shift, x[1] * scale + shift
    return np.minimum(*ends), np.maximum(*ends)


@propagate.register
def _relu(layer: ReLU, variables: Variables, x: Range) -> Range:
    return run_layer(layer, {}, x[0]), run_layer(layer, {}, x[1])


@propagate.register
def _prelu(layer: PReLU, variables: Variables, x: Range) -> Range:
    alpha = variables["alpha"].reshape(-1, variables["alpha"].shape[-1])
    ends = np.stack([np.where(end > 0, end, end * alpha) for end in x])
    low, high = ends.min((0, 1)), ends.max((0, 1))
    passes_zero = (x[0] < 0) & (x[1] > 0)
    return np.where(passes_zero, np.minimum(low, 0), low), high


@propagate.register
def _activation(layer: Activation, variables: Variables, x: Range) -> Range:
    return _activated(layer.activation, x)


@propagate.register
def _convolution(layer: Conv2D | Dense, variables: Variables, x: Range) -> Range:
    kernel = variables["kernel"]
    bounds = _products(kernel.reshape(-1, *kernel.shape[-2:]), _padded(layer, x))
    low, high = (np.sum(end, axis=(0, 1)) for end in bounds)
    return _activated(layer.activation, _shifted((low, high), variables.get("bias")))


@propagate.register
def _depthwise(layer: DepthwiseConv2D, variables: Variables, x: Range) -> Range:
    kernel = variables["kernel"]
    bounds = _products(kernel.reshape(-1, *kernel.shape[-2:]), _padded(layer, x))
    low, high = (np.sum(end, axis=0).reshape(-1) for end in bounds)
    return _activated(layer.activation, _shifted((low, high), variables.get("bias")))


@propagate.register
def _separable(layer: SeparableConv2D, variables: Variables, x: Range) -> Range:
    depthwise = variables["depthwise_kernel"]
    bounds = _products(depthwise.reshape(-1, *depthwise.shape[-2:]), _padded(layer, x))
    low, high = (np.sum(end, axis=0).reshape(-1) for end in bounds)
    bounds = _products(variables["pointwise_kernel"][0], (low, high))
    low, high = (np.sum(end, axis=(0, 1)) for end in bounds)
    return _activated(layer.activation, _shifted((low, high), variables.get("bias")))


def _products(kernel: FloatArray, x: Range) -> Range:
    """Bounds of each product of a kernel ``(taps, in, out)`` with an input channel."""
    ends = [kernel * bound[:, np.newaxis] for bound in x]
    return np.minimum(*ends), np.maximum(*ends)


def _padded(layer: Layer, x: Range) -> Range:
    """A window that hangs over the edge sees zeros too."""
    return _with_zero(x) if isinstance(layer, Window) and layer.padding != "valid" else x


def _with_zero(x: Range) -> Range:
    return np.minimum(x[0], 0), np.maximum(x[1], 0)


def _shifted(x: Range, bias: FloatArray | None) -> Range:
    return x if bias is None else (x[0] + bias, x[1] + bias)


def _activated(activation: str, x: Range) -> Range:
    known = facts(activation)
    if known.form in ("shares", "logarithms"):
        limits = (0.0, 1.0) if known.form == "shares" else (-np.inf, 0.0)
        return np.full_like(x[0], limits[0]), np.full_like(x[1], limits[1])
    low, high = (activate(bound, activation) for bound in x)
    if known.form == "rising":
        return low, high
    lowest = np.where(x[0] < 0, known.lowest, low)
    return lowest, np.maximum(low, high)
