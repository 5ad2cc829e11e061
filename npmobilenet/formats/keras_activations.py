"""Activations of Keras: as names, as layers of their own, as objects and as calls of functions."""

import math
from collections.abc import Callable
from typing import Any

from npmobilenet.architecture import Activation, Layer, PReLU, ReLU
from npmobilenet.architecture.activations import FACTS, spelt
from npmobilenet.errors import ModelFileError
from npmobilenet.formats.keras_fields import Fields
from npmobilenet.formats.keras_harmless import foreign
from npmobilenet.formats.limits import MAX_DEPTH
from npmobilenet.formats.messages import shown

# Functions that Keras knows under another name than here.
_ALIASES = {"logsigmoid": "log_sigmoid", "exp": "exponential"}
_PRIVATE = frozenset({"gelu_tanh", "hard_sigmoid_keras2", "sloped_relu"})  # names of this library


def activation_of(fields: Fields, field: str = "activation") -> str:
    """The activation in a field: a name, or an object with parameters.

    Raises
    ------
    ModelFileError
        If there is none of this name or kind.
    """
    value = fields.raw(field, "linear")
    if isinstance(value, dict):
        return _object(fields, field, value)
    return _named(fields, field, fields.text(field, "linear"))


def _named(fields: Fields, field: str, name: str) -> str:
    name = _ALIASES.get(name, name)
    if name == "hard_sigmoid" and fields.keras != 3:
        # Keras 2 had another line under this name.
        if fields.keras is None:
            raise fields.refuse(
                field, "a file that says which Keras wrote it: 2 and 3 differ in this name"
            )
        return "hard_sigmoid_keras2"
    known = sorted(FACTS.keys() - _PRIVATE)
    if name not in known:
        raise fields.refuse(field, f"one of {', '.join(known)}")
    return name


def _object(fields: Fields, field: str, value: dict[str, Any]) -> str:
    """A layer without weights. Keras writes its own functions as names, and others as objects."""
    kind, config = value.get("class_name"), value.get("config")
    function = kind in (None, "function", "__lambda__")
    elsewhere = "a function of its own" if function else foreign(value)
    if elsewhere is not None:
        what = config if isinstance(config, str) else kind or "lambda"
        raise ModelFileError(
            f"{fields}: {field} {shown(what)} comes from {elsewhere}, not from Keras; code in "
            "model files is never run"
        )
    if _nesting(value) > MAX_DEPTH:
        raise fields.refuse(field, f"activations nested at most {MAX_DEPTH} deep")
    if isinstance(kind, str) and kind in ACTIVATION_LAYERS and isinstance(config, dict):
        inner = Fields(kind, fields.name, config, fields.rank, keras=fields.keras)
        layer = ACTIVATION_LAYERS[kind](inner)
        inner.finish()
        if isinstance(layer, ReLU):
            return spelling_of(layer)
        if isinstance(layer, Activation):
            return layer.activation
    raise fields.refuse(field, "the name of a function, or a layer without weights")


def _nesting(value: Any) -> int:
    """How many activations stand in one another: ``Activation`` takes an object too."""
    depth = 0
    while isinstance(value, dict) and isinstance(value.get("config"), dict):
        value, depth = value["config"].get("activation"), depth + 1
    return depth


def spelling_of(layer: ReLU) -> str:
    """The activation that a ReLU layer is."""
    if layer.max_value is None:
        return "relu"
    return "relu6" if layer.max_value == 6 else spelt("sloped_relu", layer.max_value, 0.0, 0.0)


def _at_least_zero(fields: Fields, field: str, default: float) -> float:
    value = fields.number(field, default)
    if value is None or value < 0:
        raise fields.refuse(field, "a number of 0 or more")
    return value


def _relu(fields: Fields) -> Layer:
    most = fields.number("max_value")
    slope = _at_least_zero(fields, "negative_slope", 0.0)
    threshold = _at_least_zero(fields, "threshold", 0.0)
    if not slope and not threshold:
        return ReLU(name=fields.name, max_value=most)
    most = math.inf if most is None else most
    return Activation(name=fields.name, activation=spelt("sloped_relu", most, slope, threshold))


def _thresholded(fields: Fields) -> Layer:
    threshold = _at_least_zero(fields, "theta", 1.0)
    return Activation(name=fields.name, activation=spelt("sloped_relu", math.inf, 0.0, threshold))


def _leaky(fields: Fields) -> Layer:
    slope = _at_least_zero(fields, "alpha", _at_least_zero(fields, "negative_slope", 0.3))
    return Activation(name=fields.name, activation=spelt("leaky_relu", slope))


def _elu(fields: Fields) -> Layer:
    alpha = _at_least_zero(fields, "alpha", 1.0)
    return Activation(name=fields.name, activation=spelt("elu", alpha))


def _prelu(fields: Fields) -> Layer:
    shared = fields.raw("shared_axes") or []
    axes = shared if isinstance(shared, list) else [shared]
    if not all(type(axis) is int and 0 < axis <= fields.rank for axis in axes):
        raise fields.refuse("shared_axes", f"axes from 1 to {fields.rank}")
    return PReLU(name=fields.name, shared_axes=tuple(sorted(set(axes))))


def _softmax(fields: Fields) -> Layer:
    fields.last_axis()
    return Activation(name=fields.name, activation="softmax")


def _activation(fields: Fields) -> Layer:
    return Activation(name=fields.name, activation=activation_of(fields))


ACTIVATION_LAYERS: dict[str, Callable[[Fields], Layer]] = {
    "Activation": _activation,
    "ELU": _elu,
    "LeakyReLU": _leaky,
    "PReLU": _prelu,
    "ReLU": _relu,
    "Softmax": _softmax,
    "ThresholdedReLU": _thresholded,
}

_OPERATIONS = {
    "Celu": "celu",
    "Elu": "elu",
    "Exp": "exponential",
    "Gelu": "gelu",
    "HardShrink": "hard_shrink",
    "HardSigmoid": "hard_sigmoid",
    "HardSilu": "hard_silu",
    "HardTanh": "hard_tanh",
    "LeakyRelu": "leaky_relu",
    "LogSigmoid": "log_sigmoid",
    "LogSoftmax": "log_softmax",
    "Mish": "mish",
    "Relu": "relu",
    "Relu6": "relu6",
    "Selu": "selu",
    "Sigmoid": "sigmoid",
    "Silu": "silu",
    "SoftShrink": "soft_shrink",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "SparsePlus": "sparse_plus",
    "SparseSigmoid": "sparse_sigmoid",
    "SquarePlus": "squareplus",
    "Squareplus": "squareplus",
    "Tanh": "tanh",
    "TanhShrink": "tanh_shrink",
}
"""Classes of keras.ops. ``Softmax`` is a layer too, and read as that."""

_FUNCTIONS = {
    "exp": "exponential",
    "math.exp": "exponential",
    "math.log_sigmoid": "log_sigmoid",
    "math.log_softmax": "log_softmax",
    "math.sigmoid": "sigmoid",
    "math.softmax": "softmax",
    "math.softplus": "softplus",
    "math.softsign": "softsign",
    "math.tanh": "tanh",
    "nn.elu": "elu",
    "nn.gelu": "gelu",
    "nn.leaky_relu": "leaky_relu",
    "nn.log_softmax": "log_softmax",
    "nn.relu": "relu",
    "nn.relu6": "relu6",
    "nn.selu": "selu",
    "nn.sigmoid": "sigmoid",
    "nn.silu": "silu",
    "nn.softmax": "softmax",
    "nn.softplus": "softplus",
    "nn.softsign": "softsign",
    "nn.swish": "silu",
    "nn.tanh": "tanh",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
}
"""Functions of tf that a TFOpLambda calls."""

_CLIP = "clip_by_value"

# Parameters of functions, by their names in keras.ops and in tf, and what they are if not given.
_PARAMETERS: dict[str, tuple[tuple[str, float], ...]] = {
    "celu": (("alpha", 1.0),),
    "elu": (("alpha", 1.0),),
    "hard_shrink": (("threshold", 0.5),),
    "leaky_relu": (("negative_slope", 0.2),),
    "soft_shrink": (("threshold", 0.5),),
    "squareplus": (("b", 4.0),),
}


def activation_call(fields: Fields) -> Layer | None:
    """The activation that a call of a function of Keras or TensorFlow is, or ``None``.

    Raises
    ------
    ModelFileError
        If it is one, but with an argument that is not known here.
    """
    if fields.class_name == "TFOpLambda":
        name = _FUNCTIONS.get(fields.raw("function"))
        given: Callable[[str], Any] = fields.argument
    else:
        name, given = _OPERATIONS.get(fields.class_name), fields.raw
    if fields.class_name == "Threshold":
        return _threshold(fields)
    if fields.class_name == "Clip":
        return _clip(fields, fields.raw, "x_min", "x_max")
    if name is None and fields.class_name == "TFOpLambda" and fields.raw("function") == _CLIP:
        return _clip(fields, fields.argument, "clip_value_min", "clip_value_max")
    if name is None:
        return None
    if name in ("softmax", "log_softmax"):
        axis = given("axis")
        if axis not in (None, -1, fields.rank):
            raise fields.refuse("axis", "the last one")
    if name == "gelu":
        approximate = given("approximate")
        if approximate is None:
            approximate = fields.class_name != "TFOpLambda"  # the two differ in what is usual
        name = "gelu_tanh" if approximate else "gelu"
    numbers = [_parameter(fields, given, *one) for one in _PARAMETERS.get(name, ())]
    layer = Activation(name=fields.name, activation=spelt(name, *numbers) if numbers else name)
    fields.finish()
    return layer


def _clip(fields: Fields, given: Callable[[str], Any], low: str, high: str) -> Layer:
    """A clipping that an activation is: from 0 on, or from -1 to 1."""
    least, most = given(low), given(high)
    if not all(type(end) in (int, float) and math.isfinite(end) for end in (least, most)):
        raise fields.refuse(low if type(least) not in (int, float) else high, "a number")
    fields.finish()
    if (least, most) == (-1, 1):
        return Activation(name=fields.name, activation="hard_tanh")
    if least != 0 or most < 0:
        raise fields.refuse(low, "0, and no less above; or -1, with 1 above")
    return ReLU(name=fields.name, max_value=float(most))


def _threshold(fields: Fields) -> Layer:
    """``keras.ops.threshold``: what is not above a threshold becomes another value, here 0."""
    if fields.number("default_value", 0.0):
        raise fields.refuse("default_value", "0")
    threshold = _at_least_zero(fields, "threshold", 0.0)
    fields.finish()
    return Activation(name=fields.name, activation=spelt("sloped_relu", math.inf, 0.0, threshold))


def _parameter(fields: Fields, given: Callable[[str], Any], name: str, default: float) -> float:
    names = (name, "alpha") if name == "negative_slope" else (name,)
    for one in names:
        value = given(one)
        if value is not None:
            if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
                raise fields.refuse(one, "a number of 0 or more")
            return float(value)
    return default
