"""The fields of a protobuf message, one at a time: a message is parsed once it is known how many.

Parsing makes an object for each, and a field may take two bytes. Encoding:
https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator

from npmobilenet.errors import ModelFileError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


def wire_fields(content: bytes) -> Iterator[tuple[int, bytes | None]]:
    """Number and bytes of each field of a message; ``None`` for fields that are numbers.

    Raises
    ------
    ModelFileError
        If this is not a message, or is cut off.
    """
    position, end = 0, len(content)
    while position < end:
        tag, position = _varint(content, position)
        kind = tag & 7
        if kind == _BYTES:
            size, position = _varint(content, position)
            if size > end - position:
                raise ModelFileError("not a TensorFlow graph, or one that is cut off")
            yield tag >> 3, content[position : position + size]
            position += size
        elif kind == _VARINT:
            _, position = _varint(content, position)
            yield tag >> 3, None
        elif kind in (_FIXED32, _FIXED64):
            position += 4 if kind == _FIXED32 else 8
            yield tag >> 3, None
        else:
            raise ModelFileError(f"not a TensorFlow graph: a field of wire type {kind}")
    if position > end:
        raise ModelFileError("not a TensorFlow graph, or one that is cut off")


def _varint(content: bytes, position: int) -> tuple[int, int]:
    """A number and the position behind it."""
    value = 0
    for step in range(_LONGEST_VARINT):
        if position + step >= len(content):
            break
        byte = content[position + step]
        value |= (byte & 0x7F) << 7 * step
        if byte < 0x80:
            return value, position + step + 1
    raise ModelFileError("not a TensorFlow graph, or one that is cut off")
