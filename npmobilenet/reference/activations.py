"""Activations by Keras' names. Each takes an array of any shape and leaves it as it was."""

import math
from collections.abc import Callable

import numpy as np

from npmobilenet.architecture.activations import parsed
from npmobilenet.reference.arrays import FloatArray, on_floats
from npmobilenet.reference.softmax import log_softmax, softmax


@on_floats
def linear(x: FloatArray) -> FloatArray:
    """``x`` itself."""
    return x


@on_floats
def relu(x: FloatArray, max_value: float | None = None) -> FloatArray:
    """``max(x, 0)``, and no more than ``max_value`` if there is one. Source: ``tf.nn.relu``."""
    if max_value is None:
        return np.maximum(x, 0)
    bounded: FloatArray = np.clip(x, 0, max_value)
    return bounded


@on_floats
def relu6(x: FloatArray) -> FloatArray:
    """``min(max(x, 0), 6)``: robust with few bits (arXiv 1801.04381, 3.1). ``tf.nn.relu6``."""
    return relu(x, max_value=6)


@on_floats
def leaky_relu(x: FloatArray, negative_slope: float = 0.2) -> FloatArray:
    """``x``, or ``negative_slope * x`` below 0. Source: ``tf.nn.leaky_relu``."""
    return np.where(x > 0, x, x * x.dtype.type(negative_slope))


@on_floats
def prelu(x: FloatArray, alpha: FloatArray) -> FloatArray:
    """``x``, or ``alpha * x`` below 0, for ``alpha`` of one sample's shape or of ones in it.

    Source: arXiv 1502.01852; ``keras.layers.PReLU``.
    """
    return np.where(x > 0, x, x * alpha.astype(x.dtype))


@on_floats
def sloped_relu(
    x: FloatArray, max_value: float = math.inf, negative_slope: float = 0.0, threshold: float = 0.0
) -> FloatArray:
    """``x`` from a threshold to a largest value, ``negative_slope * (x - threshold)`` below.

    Source: ``keras.layers.ReLU``.
    """
    kind = x.dtype.type
    below = kind(negative_slope) * (x - kind(threshold)) if negative_slope else np.zeros_like(x)
    kept: FloatArray = np.where(x > threshold, np.minimum(x, kind(max_value)), below)
    return np.where(np.isnan(x), x, kept)


@on_floats
def elu(x: FloatArray, alpha: float = 1.0) -> FloatArray:
    """``x``, or ``alpha * (exp(x) - 1)`` below 0. Source: ``tf.nn.elu``."""
    return np.where(x > 0, x, x.dtype.type(alpha) * np.expm1(np.minimum(x, 0)))


@on_floats
def celu(x: FloatArray, alpha: float = 1.0) -> FloatArray:
    """``max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))`` (arXiv 1704.07483)."""
    scale = x.dtype.type(alpha)
    return np.maximum(x, 0) + scale * np.expm1(np.minimum(x, 0) / scale)


@on_floats
def selu(x: FloatArray) -> FloatArray:
    """``1.0507 * elu(x)`` with slope 1.6733 below 0 (arXiv 1706.02515). Source: ``tf.nn.selu``."""
    scale, alpha = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
    return np.where(x > 0, scale * x, scale * alpha * np.expm1(np.minimum(x, 0)))


@on_floats
def exponential(x: FloatArray) -> FloatArray:
    """``exp(x)``, infinite where that is too large. Source: ``tf.exp``."""
    with np.errstate(over="ignore"):
        grown: FloatArray = np.exp(x)
    return grown


@on_floats
def sigmoid(x: FloatArray) -> FloatArray:
    """``1 / (1 + exp(-x))``, without overflow for any ``x``. Source: ``tf.nn.sigmoid``."""
    decay = np.exp(-np.abs(x))
    squashed: FloatArray = np.where(x >= 0, 1, decay) / (1 + decay)
    return squashed


@on_floats
def silu(x: FloatArray) -> FloatArray:
    """``x * sigmoid(x)``, also called swish (arXiv 1710.05941). Source: ``tf.nn.silu``."""
    return x * sigmoid(x)


@on_floats
def hard_sigmoid(x: FloatArray) -> FloatArray:
    """``relu6(x + 3) / 6``, as Keras 3 and MobileNetV3."""
    return relu6(x + 3) / 6


@on_floats
def hard_sigmoid_keras2(x: FloatArray) -> FloatArray:
    """``clip(0.2 x + 0.5, 0, 1)``: what Keras called ``hard_sigmoid`` before version 3."""
    bounded: FloatArray = np.clip(x * 0.2 + 0.5, 0, 1)
    return bounded


@on_floats
def hard_silu(x: FloatArray) -> FloatArray:
    """``x * hard_sigmoid(x)``, the h-swish of MobileNetV3 (arXiv 1905.02244, section 5.2)."""
    return x * hard_sigmoid(x)


@on_floats
def gelu(x: FloatArray) -> FloatArray:
    """``x * Phi(x)`` with the exact normal distribution. Source: ``tf.nn.gelu``, not approximate.

    NumPy has no error function, so this asks :mod:`math` for every value: fit for a head.
    """
    erf = np.vectorize(math.erf, otypes=[x.dtype])
    weighted: FloatArray = x * ((1 + erf(x / math.sqrt(2))) / 2)
    return weighted


@on_floats
def gelu_tanh(x: FloatArray) -> FloatArray:
    """GELU approximated by a hyperbolic tangent (arXiv 1606.08415, section 2)."""
    bent = np.tanh(x.dtype.type(math.sqrt(2 / math.pi)) * (x + x.dtype.type(0.044715) * x**3))
    weighted: FloatArray = x.dtype.type(0.5) * x * (1 + bent)
    return weighted


@on_floats
def mish(x: FloatArray) -> FloatArray:
    """``x * tanh(softplus(x))`` (arXiv 1908.08681). Source: ``keras.activations.mish``."""
    bent: FloatArray = x * np.tanh(softplus(x))
    return bent


@on_floats
def softsign(x: FloatArray) -> FloatArray:
    """``x / (1 + |x|)``. Source: ``tf.nn.softsign``."""
    bounded: FloatArray = x / (1 + np.abs(x))
    return bounded


@on_floats
def log_sigmoid(x: FloatArray) -> FloatArray:
    """``log(sigmoid(x))``. Source: ``tf.math.log_sigmoid``."""
    return -softplus(-x)


@on_floats
def hard_tanh(x: FloatArray) -> FloatArray:
    """``x`` between -1 and 1. Source: ``keras.activations.hard_tanh``."""
    bounded: FloatArray = np.clip(x, -1, 1)
    return bounded


@on_floats
def hard_shrink(x: FloatArray, threshold: float = 0.5) -> FloatArray:
    """``x`` where it is larger than a threshold in size, else 0."""
    return np.where(np.abs(x) > threshold, x, x * 0)


@on_floats
def soft_shrink(x: FloatArray, threshold: float = 0.5) -> FloatArray:
    """``x`` moved towards 0 by a threshold, and no further."""
    moved: FloatArray = np.sign(x) * np.maximum(np.abs(x) - x.dtype.type(threshold), 0)
    return moved


@on_floats
def tanh_shrink(x: FloatArray) -> FloatArray:
    """``x - tanh(x)``. Source: ``keras.activations.tanh_shrink``."""
    return x - np.tanh(x)


@on_floats
def sparse_plus(x: FloatArray) -> FloatArray:
    """0 up to -1, ``x`` from 1 on, ``(x + 1)^2 / 4`` between. ``keras.activations.sparse_plus``."""
    bent = np.square(np.clip(x, -1, 1) + 1) / 4
    return np.where(x < 1, bent, x)


@on_floats
def sparse_sigmoid(x: FloatArray) -> FloatArray:
    """``(x + 1) / 2`` between 0 and 1. Source: ``keras.activations.sparse_sigmoid``."""
    bounded: FloatArray = np.clip((x + 1) / 2, 0, 1)
    return bounded


@on_floats
def squareplus(x: FloatArray, b: float = 4.0) -> FloatArray:
    """``(x + sqrt(x^2 + b)) / 2`` (arXiv 2112.11687). Source: ``keras.activations.squareplus``."""
    with np.errstate(over="ignore"):
        rounded: FloatArray = (x + np.sqrt(np.square(x) + x.dtype.type(b))) / 2
    return rounded


@on_floats
def softplus(x: FloatArray) -> FloatArray:
    """``log(1 + exp(x))``. Source: ``tf.math.softplus``."""
    return np.logaddexp(x, 0)


@on_floats
def tanh(x: FloatArray) -> FloatArray:
    """Hyperbolic tangent. Source: ``tf.tanh``."""
    return np.tanh(x)


ACTIVATIONS: dict[str, Callable[..., FloatArray]] = {
    "celu": celu,
    "elu": elu,
    "exponential": exponential,
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "hard_shrink": hard_shrink,
    "hard_sigmoid": hard_sigmoid,
    "hard_sigmoid_keras2": hard_sigmoid_keras2,
    "hard_silu": hard_silu,
    "hard_swish": hard_silu,
    "hard_tanh": hard_tanh,
    "leaky_relu": leaky_relu,
    "linear": linear,
    "log_sigmoid": log_sigmoid,
    "log_softmax": log_softmax,
    "mish": mish,
    "relu": relu,
    "relu6": relu6,
    "selu": selu,
    "sigmoid": sigmoid,
    "silu": silu,
    "sloped_relu": sloped_relu,
    "soft_shrink": soft_shrink,
    "softmax": softmax,
    "softplus": softplus,
    "softsign": softsign,
    "sparse_plus": sparse_plus,
    "sparse_sigmoid": sparse_sigmoid,
    "squareplus": squareplus,
    "swish": silu,
    "tanh": tanh,
    "tanh_shrink": tanh_shrink,
}


def activate(x: FloatArray, activation: str) -> FloatArray:
    """Apply an activation: a name, or a name with parameters such as ``"leaky_relu(0.1)"``.

    Raises
    ------
    ValueError
        If there is none; the message lists those that exist.
    """
    name, numbers = parsed(activation)
    return ACTIVATIONS[name](x, *numbers)
