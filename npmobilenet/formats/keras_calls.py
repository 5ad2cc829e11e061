"""How a layer is called: the ``inbound_nodes`` of Keras 2 and Keras 3 in one form.

A call has operands, which are layers and numbers, and arguments, which are all the rest. No part of
it is left out: who reads the call must know what to do with each.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from npmobilenet.errors import ModelFileError
from npmobilenet.formats.keras_fields import Config, numbers
from npmobilenet.formats.limits import MAX_OPERANDS
from npmobilenet.formats.messages import shown

Operand = str | tuple[float, ...]
"""The name of a layer, or numbers."""

_CONSTANT = "_CONSTANT_VALUE"  # how Keras 2 writes a number that comes before the tensor

# The keyword arguments that can hold a second operand: tf.math.* in Keras 2, keras.ops in Keras 3.
_OPERAND_KEYWORDS = ("x", "x1", "y", "x2")


@dataclass
class Call:
    """What a layer is called with.

    Parameters
    ----------
    operands : list of str or tuple of float
        Names of layers, and numbers, in order.
    arguments : dict
        Everything else: keyword arguments by name, others by position as ``"argument 2"``.
    """

    operands: list[Operand] = field(default_factory=list)
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def sources(self) -> list[str]:
        """The layers among the operands."""
        return [operand for operand in self.operands if isinstance(operand, str)]


def call_of(layer: Config, name: str) -> Call:
    """What a layer of a functional model is called with.

    Raises
    ------
    ModelFileError
        If it is used more than once, or reads another output than the first of a layer.
    """
    nodes = layer.get("inbound_nodes")
    if not isinstance(nodes, list):
        raise ModelFileError(f"layer {shown(name)} has no list 'inbound_nodes'")
    if len(nodes) > 1:
        raise ModelFileError(
            f"layer {shown(name)} is used {len(nodes)} times; layers shared between several inputs "
            "are not read"
        )
    call = Call()
    for node in nodes:
        if isinstance(node, dict):
            _add_keras3(call, node, name)
        else:
            _add_keras2(call, node, name)
    if len(call.operands) > MAX_OPERANDS:
        raise ModelFileError(
            f"layer {shown(name)} is called with {len(call.operands)} tensors or numbers; at most "
            f"{MAX_OPERANDS} are read"
        )
    if not call.sources:
        raise ModelFileError(f"layer {shown(name)} reads no other layer")
    return call


def reference(value: Any, name: str) -> str:
    """The layer in ``["conv1", 0, 0]``, in any nesting; it must be the only one.

    Raises
    ------
    ModelFileError
        If ``value`` refers to no layer or to several.
    """
    found = list(_references(value))
    if len(found) != 1:
        raise ModelFileError(
            f"model {shown(name)} has {len(found)} inputs or outputs, expected one"
        )
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


def _add_keras3(call: Call, node: Config, name: str) -> None:
    unknown = [key for key in node if key not in ("args", "kwargs")]
    arguments, keywords = node.get("args"), node.get("kwargs")
    if unknown or not isinstance(arguments, list) or not isinstance(keywords, dict):
        raise ModelFileError(f"layer {shown(name)} has an unknown entry in 'inbound_nodes'")
    for position, value in enumerate(arguments, start=1):
        if value is None or isinstance(value, bool | str):
            call.arguments[f"argument {position}"] = value
        else:
            call.operands += _keras3_values(value, name)
    for keyword, value in _operands_first(keywords):
        if keyword in _OPERAND_KEYWORDS and value is not None:
            call.operands += _keras3_values(value, name)
        else:
            call.arguments[keyword] = value


def _keras3_values(value: Any, name: str) -> Iterator[Operand]:
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        config = value.get("config")
        history: Any = config.get("keras_history") if isinstance(config, dict) else None
        if _is_reference(history) and history[2] == 0:
            yield history[0]
        else:
            raise ModelFileError(
                f"layer {shown(name)} reads {shown(history)}, expected a first output"
            )
        return
    # Either the numbers of a constant or the tensors of a merging layer.
    constant = numbers(value)
    if constant is not None:
        yield constant
    elif isinstance(value, list):
        for item in value:
            yield from _keras3_values(item, name)
    else:
        raise _neither(name)


def _add_keras2(call: Call, node: Any, name: str) -> None:
    entries = node if isinstance(node, list) and not _is_call(node) else [node]
    for entry in entries:
        if not _is_call(entry) or len(entry) > 4:
            raise ModelFileError(f"layer {shown(name)} has an unknown entry in 'inbound_nodes'")
        call.operands += _keras2_operand(entry[0], entry[2], name)
        keywords = entry[3] if len(entry) > 3 else {}
        if not isinstance(keywords, dict):
            raise ModelFileError(f"layer {shown(name)} is called with {shown(keywords)}")
        for keyword, value in _operands_first(keywords):
            if keyword not in _OPERAND_KEYWORDS or value is None:
                call.arguments[keyword] = value
            elif _is_call(value):
                call.operands += _keras2_operand(value[0], value[2], name)
            else:
                call.operands += _keras2_operand(_CONSTANT, value, name)


def _operands_first(keywords: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Keyword arguments with those that are operands in the order of the function's own."""
    known = [(word, keywords[word]) for word in _OPERAND_KEYWORDS if word in keywords]
    return known + [item for item in keywords.items() if item[0] not in _OPERAND_KEYWORDS]


def _is_call(value: Any) -> bool:
    return isinstance(value, list) and len(value) >= 3 and isinstance(value[0], str)


def _keras2_operand(source: str, value: Any, name: str) -> Iterator[Operand]:
    if source == _CONSTANT:
        constant = numbers(value)
        if constant is None:
            raise _neither(name)
        yield constant
    elif value != 0:
        raise ModelFileError(
            f"layer {shown(name)} reads output {shown(value)} of {shown(source)}, expected 0"
        )
    else:
        yield source


def _neither(name: str) -> ModelFileError:
    return ModelFileError(f"layer {shown(name)} has an argument that is neither tensor nor number")
