"""Arithmetic with constants, as ``preprocess_input`` leaves it in a model, as Rescaling layers.

Keras 3 writes operations (``TrueDivide``), Keras 2 calls (``TFOpLambda`` of ``math.truediv``),
older versions graph nodes (``TensorFlowOpLayer`` of ``RealDiv``).
"""

from collections.abc import Sequence

from npmobilenet.architecture import Add, Identity, Layer, Rescaling
from npmobilenet.errors import ModelFileError
from npmobilenet.formats.keras_calls import Operand
from npmobilenet.formats.keras_fields import Config, numbers

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
_GRAPH = {
    "Add": "add",
    "AddV2": "add",
    "Cast": "cast",
    "Mul": "multiply",
    "RealDiv": "divide",
    "Sub": "subtract",
}


def arithmetic_layer(
    class_name: str, name: str, config: Config, operands: Sequence[Operand]
) -> Layer | None:
    """The layer that an operation amounts to, or ``None`` if it is no operation known here.

    Raises
    ------
    ModelFileError
        If the operation is known, but not with these operands.
    """
    operation = _operation(class_name, config)
    if operation is None:
        return None
    if class_name == "TensorFlowOpLayer":
        operands = _with_graph_constants(operands, config)
    constants = [operand for operand in operands if not isinstance(operand, str)]
    if operation == "cast" and not constants and len(operands) == 1:
        return Identity(name=name)
    if operation == "add" and not constants and len(operands) > 1:
        return Add(name=name)
    if len(operands) == 2 and len(constants) == 1:
        scale, offset = _affine(operation, constants[0], first=operands[0] is constants[0])
        if scale is not None:
            return Rescaling(name=name, scale=_scalar(scale), offset=_scalar(offset))
    raise ModelFileError(
        f"layer {name!r} ({class_name}): {operation} with {len(constants)} constants of "
        f"{len(operands)} operands is not read"
    )


def _operation(class_name: str, config: Config) -> str | None:
    if class_name == "TFOpLambda":
        function = config.get("function")
        return _KERAS2.get(function) if isinstance(function, str) else None
    if class_name == "TensorFlowOpLayer":
        node = config.get("node_def")
        kind = node.get("op") if isinstance(node, dict) else None
        return _GRAPH.get(kind) if isinstance(kind, str) else None
    return _KERAS3.get(class_name)


def _with_graph_constants(operands: Sequence[Operand], config: Config) -> list[Operand]:
    """Operands with the constants that the layer keeps by their position."""
    merged = list(operands)
    constants = config.get("constants")
    for position, value in sorted(constants.items()) if isinstance(constants, dict) else ():
        found = numbers(value)
        if found is not None:
            merged.insert(int(position), found)
    return merged


def _affine(
    operation: str, constant: tuple[float, ...], *, first: bool
) -> tuple[tuple[float, ...] | None, tuple[float, ...]]:
    """Scale and offset; the scale is ``None`` where the operation is not affine."""
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
