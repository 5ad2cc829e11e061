"""Who feeds a layer: the ``inbound_nodes`` of Keras 2 and Keras 3 as one list of operands."""

from collections.abc import Iterator
from typing import Any

from npmobilenet.errors import ModelFileError
from npmobilenet.formats.keras_fields import Config, numbers, unboxed

Operand = str | tuple[float, ...]
"""The name of a layer, or numbers."""

_CONSTANT = "_CONSTANT_VALUE"  # how Keras 2 writes a number that comes before the tensor

# The keyword arguments that can hold a second operand: tf.math.* in Keras 2, keras.ops in Keras 3.
_OPERAND_KEYWORDS = ("x", "x1", "y", "x2")


def operands(layer: Config, name: str) -> list[Operand]:
    """What a layer of a functional model is called on, in order.

    Raises
    ------
    ModelFileError
        If it is used more than once, or reads another output than the first of a layer.
    """
    nodes = layer.get("inbound_nodes")
    if not isinstance(nodes, list):
        raise ModelFileError(f"layer {name!r} has no list 'inbound_nodes'")
    if len(nodes) > 1:
        raise ModelFileError(
            f"layer {name!r} is used {len(nodes)} times; layers shared between several inputs "
            "are not read"
        )
    if not nodes:
        return []
    node = nodes[0]
    found = list(_keras3(node, name) if isinstance(node, dict) else _keras2(node, name))
    if not any(isinstance(operand, str) for operand in found):
        raise ModelFileError(f"layer {name!r} reads no other layer")
    return found


def reference(value: Any, name: str) -> str:
    """The layer in ``["conv1", 0, 0]``, in any nesting; it must be the only one.

    Raises
    ------
    ModelFileError
        If ``value`` refers to no layer or to several.
    """
    found = list(_references(value))
    if len(found) != 1:
        raise ModelFileError(f"model {name!r} has {len(found)} inputs or outputs, expected one")
    return found[0]


def _references(value: Any) -> Iterator[str]:
    if _is_reference(value):
        yield value[0]
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _references(item)


def _is_reference(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) >= 3
        and isinstance(value[0], str)
        and all(isinstance(index, int) for index in value[1:3])
    )


def _keras3(node: Config, name: str) -> Iterator[Operand]:
    keywords = node.get("kwargs")
    yield from _keras3_values(node.get("args"), name)
    if isinstance(keywords, dict):
        for keyword in _OPERAND_KEYWORDS:
            yield from _keras3_values(keywords.get(keyword), name)


def _keras3_values(value: Any, name: str) -> Iterator[Operand]:
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        config = value.get("config")
        history: Any = config.get("keras_history") if isinstance(config, dict) else None
        if _is_reference(history) and history[2] == 0:
            yield history[0]
        else:
            raise ModelFileError(f"layer {name!r} reads {history!r}, expected a first output")
    elif isinstance(unboxed(value), list):
        # Either the tensors of a merging layer or the numbers of a constant.
        constant = numbers(value)
        if constant is not None:
            yield constant
        else:
            for item in unboxed(value):
                yield from _keras3_values(item, name)
    elif value is not None and not isinstance(value, bool | str):
        constant = numbers(value)
        if constant is None:
            raise ModelFileError(
                f"layer {name!r} has an argument that is neither tensor nor number"
            )
        yield constant


def _keras2(node: Any, name: str) -> Iterator[Operand]:
    calls = node if isinstance(node, list) and not _is_call(node) else [node]
    for call in calls:
        if not _is_call(call):
            raise ModelFileError(f"layer {name!r} has an unknown entry in 'inbound_nodes'")
        yield from _keras2_operand(call[0], call[2], name)
        keywords = call[3] if len(call) > 3 and isinstance(call[3], dict) else {}
        for keyword in _OPERAND_KEYWORDS:
            value: Any = keywords.get(keyword)
            if _is_call(value):
                yield from _keras2_operand(value[0], value[2], name)
            elif value is not None:
                yield from _keras2_operand(_CONSTANT, value, name)


def _is_call(value: Any) -> bool:
    return isinstance(value, list) and len(value) >= 3 and isinstance(value[0], str)


def _keras2_operand(source: str, value: Any, name: str) -> Iterator[Operand]:
    if source == _CONSTANT:
        constant = numbers(value)
        if constant is None:
            raise ModelFileError(
                f"layer {name!r} has an argument that is neither tensor nor number"
            )
        yield constant
    elif value != 0:
        raise ModelFileError(f"layer {name!r} reads output {value!r} of {source!r}, expected 0")
    else:
        yield source
