"""Layers of Keras that merge several tensors, and calls of functions that do."""

from collections.abc import Callable
from typing import Any

from npmobilenet.architecture import (
    Add,
    Average,
    Concatenate,
    Layer,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
)
from npmobilenet.formats.keras_fields import Fields


def _concatenate(fields: Fields) -> Layer:
    return _joined(fields, fields.raw("axis", -1))


def _joined(fields: Fields, axis: Any) -> Layer:
    if type(axis) is not int or not (-fields.rank <= axis <= -1 or 1 <= axis <= fields.rank):
        raise fields.refuse("axis", f"an axis of a sample: 1 to {fields.rank}, or -1 to ...")
    # Keras counts the batch as axis 0.
    return Concatenate(name=fields.name, axis=axis if axis < 0 else axis - fields.rank - 1)


MERGING_READERS: dict[str, Callable[[Fields], Layer]] = {
    "Average": lambda fields: Average(name=fields.name),
    "Concatenate": _concatenate,
    "Maximum": lambda fields: Maximum(name=fields.name),
    "Minimum": lambda fields: Minimum(name=fields.name),
    "Multiply": lambda fields: Multiply(name=fields.name),
    "Subtract": lambda fields: Subtract(name=fields.name),
}

OF_TENSORS: dict[str, Callable[..., Layer]] = {
    "add": Add,
    "multiply": Multiply,
    "subtract": Subtract,
}
"""What arithmetic with tensors alone amounts to."""

_FUNCTIONS = {"math.maximum": Maximum, "math.minimum": Minimum, "maximum": Maximum}
_FUNCTIONS |= {"minimum": Minimum}


def merging_call(fields: Fields) -> Layer | None:
    """The layer that a call of tf.concat, tf.maximum and the like is, or ``None``.

    Raises
    ------
    ModelFileError
        If it is one, but with an argument that is not known here.
    """
    if fields.class_name != "TFOpLambda":
        return None
    function = fields.raw("function")
    if function == "concat":
        layer: Layer = _joined(fields, fields.argument("axis"))
    elif function in _FUNCTIONS:
        layer = _FUNCTIONS[function](name=fields.name)
    else:
        return None
    fields.finish()
    return layer
