"""Arithmetic with constants, as ``preprocess_input`` leaves it in a model, as Rescaling layers.

Keras 3 writes operations (``TrueDivide``), Keras 2 calls (``TFOpLambda`` of ``math.truediv``),
older versions graph nodes (``TensorFlowOpLayer`` of ``RealDiv``).
"""

from collections.abc import Sequence

from npmobilenet.architecture import Identity, Layer, Rescaling
from npmobilenet.errors import ModelFileError
from npmobilenet.formats.keras_calls import Operand
from npmobilenet.formats.keras_fields import Config, Fields, numbers
from npmobilenet.formats.keras_merging import OF_TENSORS
from npmobilenet.formats.messages import shown

_KERAS3 = {
    "Add": "add",
    "Cast": "cast",
    "Divide": "divide",
    "Multiply": "multiply",
    "Subtract": "subtract",
    "TrueDivide": "divide",
}
_KERAS2 = {
    "__operators__.add": "add",
    "cast": "cast",
    "math.add": "add",
    "math.divide": "divide",
    "math.multiply": "multiply",
    "math.subtract": "subtract",
    "math.truediv": "divide",
    "truediv": "divide",
}
_FLOATS = ("float32", "float64", "float16", "bfloat16", "DT_FLOAT", "DT_DOUBLE", "DT_HALF")
_GRAPH = {
    "Add": "add",
    "AddV2": "add",
    "Cast": "cast",
    "Mul": "multiply",
    "RealDiv": "divide",
    "Sub": "subtract",
}


def arithmetic_layer(fields: Fields, operands: Sequence[Operand]) -> Layer | None:
    """The layer that an operation amounts to, or ``None`` if it is no operation known here.

    Raises
    ------
    ModelFileError
        If the operation is known, but not with these operands.
    """
    operation = _operation(fields)
    if operation is None:
        return None
    layer = _layer(fields, operation, operands)
    fields.finish()
    return layer


def _layer(fields: Fields, operation: str, operands: Sequence[Operand]) -> Layer:
    name = fields.name
    if fields.class_name == "TensorFlowOpLayer":
        operands = _with_graph_constants(operands, fields)
    constants = [operand for operand in operands if not isinstance(operand, str)]
    if operation == "cast" and not constants and len(operands) == 1:
        _check_cast(fields)
        return Identity(name=name)
    if operation in OF_TENSORS and not constants and len(operands) > 1:
        return OF_TENSORS[operation](name=name)
    if len(operands) == 2 and len(constants) == 1:
        scale, offset = affine(operation, constants[0], first=operands[0] is constants[0])
        if scale is not None:
            return Rescaling(name=name, scale=_scalar(scale), offset=_scalar(offset))
    raise ModelFileError(
        f"{fields}: {operation} with {len(constants)} constants of "
        f"{len(operands)} operands is not read"
    )


def _operation(fields: Fields) -> str | None:
    if fields.class_name == "TFOpLambda":
        function = fields.raw("function")
        return _KERAS2.get(function) if isinstance(function, str) else None
    if fields.class_name == "TensorFlowOpLayer":
        kind = _node(fields).get("op")
        return _GRAPH.get(kind) if isinstance(kind, str) else None
    return _KERAS3.get(fields.class_name)


def _node(fields: Fields) -> Config:
    """The graph node that a layer of TensorFlow 2.0 to 2.3 stands for."""
    node = fields.raw("node_def")
    return node if isinstance(node, dict) else {}


def _check_cast(fields: Fields) -> None:
    """Refuse a cast to integers, which cuts off what stands behind the point."""
    if fields.class_name == "TensorFlowOpLayer":
        attributes = _node(fields).get("attr")
        entry = attributes.get("DstT") if isinstance(attributes, dict) else None
        kind = entry.get("type") if isinstance(entry, dict) else None
    elif fields.class_name == "TFOpLambda":
        kind = fields.argument("dtype", fields.argument("argument 2"))
    else:
        kind = fields.raw("dtype")
    if kind not in _FLOATS:
        raise ModelFileError(
            f"{fields}: casts to {shown(kind)}, which is not supported; expected one of "
            f"{', '.join(_FLOATS)}"
        )


def _with_graph_constants(operands: Sequence[Operand], fields: Fields) -> list[Operand]:
    """Operands with the constants that the layer keeps by their position."""
    merged = list(operands)
    constants = fields.raw("constants")
    for position, value in sorted(constants.items()) if isinstance(constants, dict) else ():
        found = numbers(value)
        if found is None or position not in ("0", "1"):
            raise fields.refuse("constants", "numbers at positions 0 and 1")
        merged.insert(int(position), found)
    return merged


def affine(
    operation: str, constant: tuple[float, ...], *, first: bool
) -> tuple[tuple[float, ...] | None, tuple[float, ...]]:
    """Scale and offset; the scale is ``None`` where the operation is not affine.

    Parameters
    ----------
    operation : {"add", "multiply", "subtract", "divide"}
    constant : tuple of float
        The other operand.
    first : bool
        Whether the constant comes first.
    """
    if operation == "add":
        return (1.0,), constant
    if operation == "multiply":
        return constant, (0.0,)
    if operation == "subtract":
        return ((-1.0,), constant) if first else ((1.0,), tuple(-value for value in constant))
    if operation == "divide" and not first and all(constant):
        return tuple(1.0 / value for value in constant), (0.0,)
    return None, (0.0,)


def _scalar(values: tuple[float, ...]) -> float | tuple[float, ...]:
    return values[0] if len(values) == 1 else values
