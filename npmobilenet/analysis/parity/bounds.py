"""How far a float32 layer can be from the exact one when nothing but rounding is at work.

A sum of ``n`` products in float32 is within ``gamma(n) * sum |x| |w|`` of the exact one, with
``gamma(n) = n u / (1 - n u)`` and ``u = 2**-24``, whatever the order of its terms and with or
without fused multiply-adds (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1).
A layer that is further off computes something else: another weight, epsilon, padding or precision.

Wide pointwise convolutions may be done by Strassen's product, as this library does them. It is not
a sum in any order: a pixel is computed with another, whose size counts as well. Their rounding is
relative to the seven products of sums of magnitudes.

Here every value carries such a bound, element by element. A layer adds its own rounding to what
it inherits: sums pass errors on through ``|w|``, layers that only choose or move values pass on
the interval. ``EXTRA`` roundings more are granted to each layer, so that batch norm may be folded
into weights and bias or be a scale and a shift. The bound is the worst case; what really happens is
nearer to ``sqrt(n)`` than to ``n``, so most layers use a few percent of it.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import singledispatch
from math import prod

import numpy as np

from npmobilenet.analysis.resized import check_convex, passes
from npmobilenet.architecture import (
    Activation,
    Add,
    Average,
    AveragePooling2D,
    BatchNormalization,
    CenterCrop,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    Layer,
    LayerNormalization,
    Multiply,
    Normalization,
    PReLU,
    Rescaling,
    Resizing,
    SeparableConv2D,
    Subtract,
    UnitNormalization,
    UpSampling2D,
)
from npmobilenet.architecture.activations import facts
from npmobilenet.engine.strassen import is_wide
from npmobilenet.interpreter import run_layer
from npmobilenet.kernels.strassen import powers_of_columns
from npmobilenet.reference import FloatArray, activate

UNIT_ROUNDOFF = 2.0**-24
EXTRA = 8
SMALLEST_NORMAL = 2.0**-126  # below it kernels may take values for zero

Variables = Mapping[str, FloatArray]


@dataclass(frozen=True)
class Bounded:
    """Exact values, and how far float32 may be from each.

    Parameters
    ----------
    value : array of float64
    error : array of float64, of the same shape, not negative
    roundings : int
        Of the sum that the values are, if they have not been stored since: what is folded into
        such a sum, a bias or a residual, goes through as many.
    """

    value: FloatArray
    error: FloatArray
    roundings: int = 0

    @classmethod
    def exact(cls, value: FloatArray) -> "Bounded":
        """Values that are known without error."""
        value = np.asarray(value, np.float64)
        return cls(value, np.zeros_like(value))


def gamma(roundings: int) -> float:
    """The largest relative error that this many roundings in a row can make."""
    return roundings * UNIT_ROUNDOFF / (1 - roundings * UNIT_ROUNDOFF)


@singledispatch
def bounded_layer(layer: Layer, variables: Variables, *inputs: Bounded) -> Bounded:
    """What a layer gives exactly, and how far a float32 implementation may be from it.

    Layers without a rule of their own round nothing and are monotone in each input: they choose,
    clip or move values.
    """
    return _between_ends(lambda *values: run_layer(layer, variables, *values), *inputs)


@bounded_layer.register(Conv2D)
@bounded_layer.register(DepthwiseConv2D)
@bounded_layer.register(Dense)
def _(layer: Conv2D | DepthwiseConv2D | Dense, variables: Variables, x: Bounded) -> Bounded:
    kernel = variables["kernel"].shape
    terms = prod(kernel[:2]) if isinstance(layer, DepthwiseConv2D) else prod(kernel[:-1])
    linear = replace(layer, activation="linear")
    if (
        isinstance(linear, Conv2D)
        and kernel[:2] == linear.strides == (1, 1)
        and is_wide(*kernel[2:])
    ):
        return _activated(_strassen(linear, variables, x), layer.activation)
    return _activated(_weighted_sum(linear, variables, x, terms), layer.activation)


@bounded_layer.register
def _(layer: SeparableConv2D, variables: Variables, x: Bounded) -> Bounded:
    depthwise = DepthwiseConv2D(
        name=layer.name,
        kernel_size=layer.kernel_size,
        strides=layer.strides,
        padding=layer.padding,
        dilation=layer.dilation,
        depth_multiplier=layer.depth_multiplier,
        use_bias=False,
    )
    pointwise = Conv2D(
        name=layer.name, filters=layer.filters, kernel_size=(1, 1), activation=layer.activation
    )
    filtered = bounded_layer(depthwise, {"kernel": variables["depthwise_kernel"]}, x)
    mixing = {name: value for name, value in variables.items() if name == "bias"}
    return bounded_layer(pointwise, mixing | {"kernel": variables["pointwise_kernel"]}, filtered)


@bounded_layer.register
def _(layer: GlobalAveragePooling2D, variables: Variables, x: Bounded) -> Bounded:
    return _weighted_sum(layer, variables, x, terms=prod(x.value.shape[1:3]))


@bounded_layer.register
def _(layer: AveragePooling2D, variables: Variables, x: Bounded) -> Bounded:
    return _weighted_sum(layer, variables, x, terms=prod(layer.kernel_size))


@bounded_layer.register
def _(layer: BatchNormalization, variables: Variables, x: Bounded) -> Bounded:
    scale = 1 / np.sqrt(variables["moving_variance"].astype(np.float64) + layer.epsilon)
    scale = scale * variables.get("gamma", np.ones(1))
    shift = variables.get("beta", np.zeros(1))
    value = run_layer(layer, variables, x.value)
    return _scaled(value, x, scale, variables["moving_mean"], shift)


@bounded_layer.register
def _(layer: Normalization, variables: Variables, x: Bounded) -> Bounded:
    scale = 1 / np.maximum(np.sqrt(variables["variance"].astype(np.float64)), 1e-7)
    value = run_layer(layer, variables, x.value)
    return _scaled(value, x, scale, variables["mean"], np.zeros(1))


@bounded_layer.register
def _(layer: Rescaling, variables: Variables, x: Bounded) -> Bounded:
    value = run_layer(layer, variables, x.value)
    return _scaled(value, x, np.asarray(layer.scale), np.zeros(1), np.asarray(layer.offset))


@bounded_layer.register
def _(layer: CenterCrop | Resizing | UpSampling2D, variables: Variables, x: Bounded) -> Bounded:
    blended = passes(layer, x.value.shape[1:])
    if blended is None:  # pixels are only chosen
        return _between_ends(lambda value: run_layer(layer, variables, value), x)
    check_convex(layer)  # else weights would have to be taken without their signs
    value = run_layer(layer, variables, x.value)
    own = gamma(sum(taps for _, taps in blended) + EXTRA)
    exact = layer
    if isinstance(layer, Resizing):  # what it fills in has no error but that of its blending
        exact = replace(layer, fill_value=own * abs(layer.fill_value))
    error = run_layer(exact, variables, x.error + own * (np.abs(x.value) + x.error))
    return Bounded(value, error + SMALLEST_NORMAL)


@bounded_layer.register
def _(layer: Add, variables: Variables, *inputs: Bounded) -> Bounded:
    inherited = np.sum([x.error for x in inputs], axis=0)
    largest = np.sum([np.abs(x.value) + x.error for x in inputs], axis=0)
    value = run_layer(layer, variables, *(x.value for x in inputs))
    own = gamma(len(inputs) + max(x.roundings for x in inputs))
    return Bounded(value, inherited + own * largest)


@bounded_layer.register
def _(layer: Multiply, variables: Variables, *inputs: Bounded) -> Bounded:
    return functools.reduce(_product_of, inputs)


def _product_of(x: Bounded, y: Bounded) -> Bounded:
    value = x.value * y.value
    largest = (np.abs(x.value) + x.error) * (np.abs(y.value) + y.error)
    return Bounded(value, largest - np.abs(value) + gamma(EXTRA) * largest + SMALLEST_NORMAL)


@bounded_layer.register
def _(layer: Average | Subtract, variables: Variables, *inputs: Bounded) -> Bounded:
    share = len(inputs) if isinstance(layer, Average) else 1
    value = run_layer(layer, variables, *(x.value for x in inputs))
    error, largest = (
        functools.reduce(np.add, terms)
        for terms in ([x.error for x in inputs], [np.abs(x.value) + x.error for x in inputs])
    )
    return Bounded(value, (error + gamma(len(inputs) + EXTRA) * largest) / share + SMALLEST_NORMAL)


@bounded_layer.register
def _(
    layer: LayerNormalization | UnitNormalization, variables: Variables, *inputs: Bounded
) -> Bounded:
    raise ValueError(
        f"layer {layer.name!r} is a {type(layer).__name__}: no bounds of its rounding are known"
    )


@bounded_layer.register
def _(layer: PReLU, variables: Variables, x: Bounded) -> Bounded:
    slope = np.maximum(np.abs(variables["alpha"]), 1)
    value = run_layer(layer, variables, x.value)
    return Bounded(value, slope * x.error + gamma(EXTRA) * np.abs(value) + SMALLEST_NORMAL)


@bounded_layer.register
def _(layer: Activation, variables: Variables, x: Bounded) -> Bounded:
    return _activated(x, layer.activation)


def _strassen(layer: Conv2D, variables: Variables, x: Bounded) -> Bounded:
    """A wide pointwise convolution, by either product."""
    _, _, depth, columns = variables["kernel"].shape
    plain = _weighted_sum(layer, variables, x, depth)
    largest = np.abs(x.value) + x.error
    kernel = np.abs(variables["kernel"].reshape(depth, columns))
    powers = powers_of_columns(kernel)  # by which columns are divided before they are mixed
    sizes = [
        strassen_magnitudes(image.reshape(-1, depth), kernel / powers) * powers for image in largest
    ]
    own = gamma(depth + EXTRA) * np.reshape(sizes, (*x.value.shape[:-1], columns))
    return replace(plain, error=plain.error + own)


def strassen_magnitudes(pixels: FloatArray, matrix: FloatArray) -> FloatArray:
    """What the roundings of Strassen's product are relative to.

    Parameters
    ----------
    pixels : array (P, K), not negative
        Of one image, in order; neighbours are pairs, and a last one is alone if ``P`` is odd.
    matrix : array (K, N), not negative
    """
    odd = len(pixels) % 2
    paired = np.concatenate([pixels, pixels[len(pixels) - odd :]])
    (x1, x2), (y1, y2) = (np.hsplit(paired[first::2], 2) for first in (0, 1))
    (b11, b12), (b21, b22) = (np.hsplit(half, 2) for half in np.vsplit(matrix, 2))
    p = (
        x1 @ (b12 + b22),
        y2 @ (b21 + b11),
        (y1 + y2) @ b11,
        (x1 + x2) @ b22,
        (x1 + y2) @ (b11 + b22),
        (y1 + x1) @ (b11 + b12),
        (x2 + y2) @ (b21 + b22),
    )
    lower, right = p[2] + p[1], p[0] + p[3]
    result = np.empty((len(paired), matrix.shape[1]))
    result[::2] = np.hstack([p[4] + p[1] + p[3] + p[6], right])
    result[1::2] = np.hstack([lower, p[4] + p[2] + p[0] + p[5]])
    if odd:
        result[-2] = np.hstack([lower[-1:], right[-1:]])
    return result[: len(pixels)]


def _weighted_sum(layer: Layer, variables: Variables, x: Bounded, terms: int) -> Bounded:
    """A layer that is linear in ``x``: sums of so many products, and perhaps a bias."""
    value = run_layer(layer, variables, x.value)
    own = gamma(terms + EXTRA)
    absolute = {name: np.abs(variable) for name, variable in variables.items()}
    if "bias" in absolute:
        absolute["bias"] = own * absolute["bias"]
    largest = np.abs(x.value) + x.error
    error = run_layer(layer, absolute, x.error + own * largest)
    underflow = terms * SMALLEST_NORMAL * (1 + largest.max(initial=0))
    return Bounded(value, error + underflow, terms)


def _scaled(
    value: FloatArray, x: Bounded, scale: FloatArray, mean: FloatArray, shift: FloatArray
) -> Bounded:
    """``(x - mean) * scale + shift``, in this or another order of the steps."""
    scale, mean, shift = (np.abs(term.astype(np.float64)) for term in (scale, mean, shift))
    largest = (np.abs(x.value) + x.error + mean) * scale + shift
    error = scale * x.error + gamma(x.roundings + EXTRA) * largest + SMALLEST_NORMAL
    return Bounded(value, error, x.roundings)


_STEEPEST = 1.5  # slope of those that fall and rise


def _activated(x: Bounded, name: str) -> Bounded:
    if name == "linear":
        return x
    if name in ("softmax", "log_softmax"):
        return _softmax(x, logarithm=name == "log_softmax")
    known = facts(name)
    if known.form not in ("rising", "dips"):
        raise ValueError(f"no bounds of rounding are known for activation {name!r}")
    if "(" in name:  # parameters are rounded too, and with them where a function bends or jumps
        x = Bounded(x.value, x.error + gamma(2) * np.abs(x.value))
    if known.form == "dips":
        found = Bounded(activate(x.value, name), _STEEPEST * x.error)
    else:
        found = _between_ends(lambda values: activate(values, name), x)
    if known.exact:
        return found
    # Functions are approximated to a few units in the last place, of their terms rather than sums.
    size = np.minimum(np.abs(found.value), 1) + np.abs(found.value)
    if known.cancels:
        size = size + np.abs(x.value)
    return Bounded(found.value, found.error + gamma(4 * EXTRA) * size + SMALLEST_NORMAL)


def _softmax(x: Bounded, *, logarithm: bool) -> Bounded:
    """Exponents are off by their own error and the largest one's; so is the sum's logarithm."""
    largest = x.value.max(axis=-1, keepdims=True)
    terms = x.value.shape[-1]
    exponent = x.error + x.error.max(axis=-1, keepdims=True)
    exponent = exponent + gamma(EXTRA) * (largest - x.value)
    total = exponent.max(axis=-1, keepdims=True) + gamma(terms + 4 * EXTRA)
    value = activate(x.value, "log_softmax" if logarithm else "softmax")
    if logarithm:
        return Bounded(value, exponent + total + gamma(EXTRA) * np.abs(value))
    return Bounded(value, value * np.expm1(exponent + total) + SMALLEST_NORMAL)


def _between_ends(function: Callable[..., FloatArray], *inputs: Bounded) -> Bounded:
    """A monotone function: it maps the ends of an interval to the ends of the result."""
    value = function(*(x.value for x in inputs))
    if not any(x.error.any() for x in inputs):
        return Bounded.exact(value)
    above = function(*(x.value + x.error for x in inputs)) - value
    below = value - function(*(x.value - x.error for x in inputs))
    return Bounded(value, np.maximum(above, below))
