"""TensorFlow frozen graphs: the constants of a GraphDef."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from npmobilenet.errors import ModelFileError
from npmobilenet.formats.contents import RawTensor
from npmobilenet.formats.graphdef_schema import graphdef_messages
from npmobilenet.formats.limits import (
    MAX_EXPANSION,
    MAX_GRAPH_BYTES,
    MAX_OBJECTS,
    MAX_TENSOR_BYTES,
)

# tensorflow/core/framework/types.proto
_DTYPES = {1: "float32", 2: "float64", 3: "int32", 9: "int64", 14: "bfloat16", 19: "float16"}
_VALUE_FIELDS = {"float32": "float_val", "float64": "double_val", "float16": "half_val"}
_MAX_SHAPE_BYTES = 256


@dataclass(frozen=True)
class FrozenGraph:
    """Constants and batch norm's epsilons of a graph.

    Parameters
    ----------
    constants : dict
        Tensors by node name.
    epsilons : dict
        ``epsilon`` of fused batch norms, by node name.
    """

    constants: dict[str, RawTensor]
    epsilons: dict[str, float]


def looks_like_graphdef(header: bytes) -> bool:
    """Whether a file may be a GraphDef, which has no signature: its first field is a node's."""
    return len(header) > 4 and header[0] == 0x0A


def parse_graph(content: bytes) -> FrozenGraph:
    """Constants of a serialised GraphDef; nothing else in it is looked at.

    Raises
    ------
    ModelFileError
        If it is too large or cannot be parsed.
    """
    from google.protobuf.message import DecodeError

    if len(content) > MAX_GRAPH_BYTES:
        raise ModelFileError(
            f"frozen graph of {len(content)} bytes; at most {MAX_GRAPH_BYTES} are read"
        )
    messages = graphdef_messages()
    constants: dict[str, RawTensor] = {}
    epsilons: dict[str, float] = {}
    try:
        nodes = messages["GraphDef"].FromString(content).node
        if not 0 < len(nodes) <= MAX_OBJECTS:
            raise ModelFileError(
                f"frozen graph with {len(nodes)} nodes, expected 1 to {MAX_OBJECTS}"
            )
        for serialised in nodes:
            node = messages["NodeDef"].FromString(serialised)
            if node.op == "Const":
                tensor = _attribute(node, "value", "tensor")
                if tensor is not None:
                    constants[node.name] = _raw_tensor(node.name, tensor, len(content))
            elif node.op.startswith("FusedBatchNorm"):
                epsilon = _attribute(node, "epsilon", "f")
                if epsilon is not None:
                    epsilons[node.name] = epsilon
    except DecodeError as error:
        raise ModelFileError(f"not a TensorFlow graph: {error}") from None
    return FrozenGraph(constants, epsilons)


def _attribute(node: Any, key: str, field: str) -> Any:
    """One attribute of a node, or ``None``."""
    if len(node.attr) > MAX_OBJECTS:
        raise ModelFileError(f"node {node.name!r} has {len(node.attr)} attributes")
    for serialised in node.attr:
        entry = graphdef_messages()["AttrEntry"].FromString(serialised)
        if entry.key == key:
            return getattr(entry.value, field)
    return None


def _raw_tensor(name: str, tensor: Any, file_size: int) -> RawTensor:
    dtype = _DTYPES.get(tensor.dtype, f"TensorFlow type {tensor.dtype}")
    if len(tensor.tensor_shape) > _MAX_SHAPE_BYTES:
        raise ModelFileError(f"constant {name!r} has a shape of too many axes")
    dims = graphdef_messages()["TensorShapeProto"].FromString(tensor.tensor_shape).dim
    shape = tuple(int(dim.size) for dim in dims)
    if any(size < 0 for size in shape):
        raise ModelFileError(f"constant {name!r} has shape {shape}")
    return RawTensor(name, shape, dtype, partial(_values, name, tensor, shape, dtype, file_size))


def _values(
    name: str, tensor: Any, shape: tuple[int, ...], dtype: str, file_size: int
) -> np.ndarray:
    count = math.prod(shape)
    kind = np.dtype(dtype).newbyteorder("<")
    if count * kind.itemsize > min(MAX_TENSOR_BYTES, MAX_EXPANSION * file_size):
        raise ModelFileError(
            f"constant {name!r} claims shape {shape} in a file of {file_size} bytes"
        )
    if tensor.tensor_content:
        values = np.frombuffer(tensor.tensor_content, kind)
    elif dtype == "float16":
        # Bits of a half stand in an int32.
        values = np.asarray(tensor.half_val, np.uint16).view(np.float16)
    else:
        values = np.asarray(getattr(tensor, _VALUE_FIELDS[dtype]), kind)
    if values.size == 1:
        # TensorFlow writes a constant of equal values as one.
        values = np.full(count, values[0])
    if values.size != count:
        raise ModelFileError(
            f"constant {name!r} claims shape {shape}, {count} values; {values.size} are stored"
        )
    return values.reshape(shape)
