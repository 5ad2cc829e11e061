"""TensorFlow frozen graphs: the nodes of a GraphDef and the tensors of its constants."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from npmobilenet.errors import ModelFileError
from npmobilenet.formats.bfloat16 import widened
from npmobilenet.formats.budget import Budget
from npmobilenet.formats.contents import RawTensor
from npmobilenet.formats.graphdef_schema import graphdef_messages
from npmobilenet.formats.limits import (
    MAX_EXPANSION,
    MAX_GRAPH_BYTES,
    MAX_OBJECTS,
    MAX_TENSOR_BYTES,
)
from npmobilenet.formats.messages import shown
from npmobilenet.formats.protobuf_wire import wire_fields

# tensorflow/core/framework/types.proto
_DTYPES = {1: "float32", 2: "float64", 3: "int32", 9: "int64", 14: "bfloat16", 19: "float16"}
_VALUE_FIELDS = {
    "float32": "float_val",
    "float64": "double_val",
    "int32": "int_val",
    "int64": "int64_val",
}
_MAX_SHAPE_BYTES = 256
_NODE = 1  # the field of a GraphDef


@dataclass(frozen=True)
class GraphNode:
    """One operation of a graph.

    Parameters
    ----------
    name, op : str
    inputs : tuple of str
        Nodes whose outputs it reads, with ``:1`` and so on behind all but first outputs; what only
        has to run before is left out.
    attributes : mapping
        Messages by name.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any]

    def integers(self, name: str) -> tuple[int, ...]:
        """An attribute that is a short list of integers; empty if there is none."""
        value = self.attributes.get(name)
        if value is None or len(value.list) > _MAX_SHAPE_BYTES:
            return ()
        return tuple(graphdef_messages()["ListValue"].FromString(value.list).i)

    def text(self, name: str) -> str:
        """An attribute that is text; empty if there is none."""
        value = self.attributes.get(name)
        return value.s.decode(errors="replace") if value is not None else ""

    def flag(self, name: str, *, default: bool = False) -> bool:
        """An attribute that is true or false."""
        value = self.attributes.get(name)
        return default if value is None else bool(value.b)

    def shape(self, name: str) -> tuple[int | None, ...] | None:
        """An attribute that is a shape, ``None`` for what is not known of it."""
        value = self.attributes.get(name)
        if value is None or not value.shape or len(value.shape) > _MAX_SHAPE_BYTES:
            return None
        message = graphdef_messages()["TensorShapeProto"].FromString(value.shape)
        if message.unknown_rank:
            return None
        return tuple(int(dim.size) if dim.size > 0 else None for dim in message.dim)


@dataclass(frozen=True)
class FrozenGraph:
    """A graph without variables.

    Parameters
    ----------
    nodes : dict
        By name, in the order of the file; constants too.
    constants : dict
        Their tensors by node name.
    """

    nodes: dict[str, GraphNode]
    constants: dict[str, RawTensor]


def looks_like_graphdef(header: bytes) -> bool:
    """Whether a file may be a GraphDef, which has no signature: its first field is a node's."""
    return len(header) > 4 and header[0] == 0x0A


def parse_graph(content: bytes) -> FrozenGraph:
    """Nodes and constants of a serialised GraphDef.

    Raises
    ------
    ModelFileError
        If it is too large, cannot be parsed, or has two nodes of one name.
    """
    from google.protobuf.message import DecodeError

    if len(content) > MAX_GRAPH_BYTES:
        raise ModelFileError(
            f"frozen graph of {len(content)} bytes; at most {MAX_GRAPH_BYTES} are read"
        )
    messages = graphdef_messages()
    nodes: dict[str, GraphNode] = {}
    constants: dict[str, RawTensor] = {}
    edges = Budget("inputs and attributes of all nodes of the graph", 8 * MAX_OBJECTS)
    try:
        for text in _nodes(content):
            edges.spend(sum(1 for _ in islice(wire_fields(text), edges.limit + 1)))
            node = _node(messages["NodeDef"].FromString(text))
            if node.name in nodes:
                raise ModelFileError(f"two nodes of the graph are named {shown(node.name)}")
            nodes[node.name] = node
            if node.op == "Const" and "value" in node.attributes:
                tensor = node.attributes["value"].tensor
                constants[node.name] = _raw_tensor(node.name, tensor, len(content))
    except DecodeError as error:
        raise ModelFileError(f"not a TensorFlow graph: {error}") from None
    return FrozenGraph(nodes, constants)


def _nodes(content: bytes) -> list[bytes]:
    found = []
    fields = Budget("nodes and other fields of the graph", MAX_OBJECTS)
    for number, value in wire_fields(content):
        fields.spend()
        if number == _NODE and value is not None:
            found.append(value)
    if not found:
        raise ModelFileError("frozen graph without nodes")
    return found


def _node(message: Any) -> GraphNode:
    attributes = {}
    for serialised in message.attr:
        entry = graphdef_messages()["AttrEntry"].FromString(serialised)
        if entry.key in attributes:
            raise ModelFileError(
                f"node {shown(message.name)} has attribute {shown(entry.key)} twice"
            )
        attributes[entry.key] = entry.value
    # "^node" only has to run before; "node:0" is the first output.
    inputs = (name.removesuffix(":0") for name in message.input if not name.startswith("^"))
    return GraphNode(message.name, message.op, tuple(inputs), attributes)


def _raw_tensor(name: str, tensor: Any, file_size: int) -> RawTensor:
    dtype = _DTYPES.get(tensor.dtype, f"TensorFlow type {tensor.dtype}")
    if len(tensor.tensor_shape) > _MAX_SHAPE_BYTES:
        raise ModelFileError(f"constant {shown(name)} has a shape of too many axes")
    dims = graphdef_messages()["TensorShapeProto"].FromString(tensor.tensor_shape).dim
    shape = tuple(int(dim.size) for dim in dims)
    if any(size < 0 for size in shape):
        raise ModelFileError(f"constant {shown(name)} has shape {shape}")
    return RawTensor(name, shape, dtype, partial(_values, name, tensor, shape, dtype, file_size))


def _values(
    name: str, tensor: Any, shape: tuple[int, ...], dtype: str, file_size: int
) -> np.ndarray:
    count = math.prod(shape)
    kind = np.dtype("<u2" if dtype == "bfloat16" else dtype).newbyteorder("<")
    if count * kind.itemsize > min(MAX_TENSOR_BYTES, MAX_EXPANSION * file_size):
        raise ModelFileError(
            f"constant {shown(name)} claims shape {shape} in a file of {file_size} bytes"
        )
    if tensor.tensor_content:
        values = np.frombuffer(tensor.tensor_content, kind)
    elif dtype in ("float16", "bfloat16"):
        # Bits of a half stand in an int32.
        values = np.asarray(tensor.half_val, np.uint16).view(kind)
    else:
        values = np.asarray(getattr(tensor, _VALUE_FIELDS[dtype]), kind)
    if dtype == "bfloat16":
        values = widened(values)
    if values.size == 1:
        # TensorFlow writes a constant of equal values as one.
        values = np.full(count, values[0])
    if values.size != count:
        raise ModelFileError(
            f"constant {shown(name)} claims shape {shape}, {count} values; {values.size} are stored"
        )
    return values.reshape(shape)
