"""The part of TensorFlow's GraphDef that a network needs, as protobuf messages made at run time.

Field numbers are those of tensorflow/core/framework/{graph,node_def,attr_value,tensor}.proto.
Messages that may be repeated without end are declared as bytes, which protobuf encodes alike: they
are then parsed one by one, and a hostile file cannot make millions of objects at once.
"""

from functools import cache
from typing import Any

_OPTIONAL, _REPEATED = 1, 3
_DOUBLE, _FLOAT, _INT64, _INT32, _BOOL, _STRING, _MESSAGE, _BYTES = 1, 2, 3, 5, 8, 9, 11, 12

_MESSAGES: dict[str, list[tuple[str, int, int, int]]] = {
    "NodeDef": [
        ("name", 1, _OPTIONAL, _STRING),
        ("op", 2, _OPTIONAL, _STRING),
        ("input", 3, _REPEATED, _STRING),
        ("attr", 5, _REPEATED, _BYTES),
    ],
    "AttrEntry": [("key", 1, _OPTIONAL, _STRING), ("value", 2, _OPTIONAL, _MESSAGE)],
    "AttrValue": [
        ("list", 1, _OPTIONAL, _BYTES),
        ("s", 2, _OPTIONAL, _BYTES),
        ("i", 3, _OPTIONAL, _INT64),
        ("f", 4, _OPTIONAL, _FLOAT),
        ("b", 5, _OPTIONAL, _BOOL),
        ("type", 6, _OPTIONAL, _INT32),
        ("shape", 7, _OPTIONAL, _BYTES),
        ("tensor", 8, _OPTIONAL, _MESSAGE),
    ],
    "ListValue": [("i", 3, _REPEATED, _INT64)],
    "TensorProto": [
        ("dtype", 1, _OPTIONAL, _INT32),
        ("tensor_shape", 2, _OPTIONAL, _BYTES),
        ("tensor_content", 4, _OPTIONAL, _BYTES),
        ("float_val", 5, _REPEATED, _FLOAT),
        ("double_val", 6, _REPEATED, _DOUBLE),
        ("int_val", 7, _REPEATED, _INT32),
        ("int64_val", 10, _REPEATED, _INT64),
        ("half_val", 13, _REPEATED, _INT32),
    ],
    "TensorShapeProto": [
        ("dim", 2, _REPEATED, _MESSAGE),
        ("unknown_rank", 3, _OPTIONAL, _BOOL),
    ],
    "Dim": [("size", 1, _OPTIONAL, _INT64)],
}
_MESSAGE_TYPES = {
    ("AttrEntry", "value"): "AttrValue",
    ("AttrValue", "tensor"): "TensorProto",
    ("TensorShapeProto", "dim"): "Dim",
}


@cache
def graphdef_messages() -> dict[str, Any]:
    """Message classes by name."""
    # protobuf takes a while to import and is only needed for frozen graphs.
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    package = "npmobilenet.graphdef"
    file = descriptor_pb2.FileDescriptorProto(
        name="npmobilenet/graphdef.proto", package=package, syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, label, kind in fields:
            added = message.field.add(name=field, number=number, label=label, type=kind)
            if kind == _MESSAGE:
                added.type_name = f".{package}.{_MESSAGE_TYPES[name, field]}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name in _MESSAGES
    }
