"""Activations by Keras' names. Each takes an array of any shape and leaves it as it was."""

import math
from collections.abc import Callable

import numpy as np

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
def leaky_relu(x: FloatArray) -> FloatArray:
    """``x``, or ``0.2 * x`` below 0: Keras' slope. Source: ``tf.nn.leaky_relu``."""
    sloped: FloatArray = np.maximum(x, x * 0.2)
    return sloped


@on_floats
def elu(x: FloatArray) -> FloatArray:
    """``x``, or ``exp(x) - 1`` below 0. Source: ``tf.nn.elu``."""
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


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
    weighted: FloatArray = x * (1 + erf(x / math.sqrt(2))) / 2
    return weighted


@on_floats
def softplus(x: FloatArray) -> FloatArray:
    """``log(1 + exp(x))``. Source: ``tf.math.softplus``."""
    return np.logaddexp(x, 0)


@on_floats
def tanh(x: FloatArray) -> FloatArray:
    """Hyperbolic tangent. Source: ``tf.tanh``."""
    return np.tanh(x)


ACTIVATIONS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "elu": elu,
    "exponential": exponential,
    "gelu": gelu,
    "hard_sigmoid": hard_sigmoid,
    "hard_sigmoid_keras2": hard_sigmoid_keras2,
    "hard_silu": hard_silu,
    "hard_swish": hard_silu,
    "leaky_relu": leaky_relu,
    "linear": linear,
    "log_softmax": log_softmax,
    "relu": relu,
    "relu6": relu6,
    "selu": selu,
    "sigmoid": sigmoid,
    "silu": silu,
    "softmax": softmax,
    "softplus": softplus,
    "swish": silu,
    "tanh": tanh,
}


def activate(x: FloatArray, name: str) -> FloatArray:
    """Apply the activation of this name.

    Raises
    ------
    ValueError
        If there is none; the message lists those that exist.
    """
    if name not in ACTIVATIONS:
        raise ValueError(f"no activation {name!r}; there are {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name](x)
