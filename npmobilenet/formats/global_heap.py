"""A check of HDF5 global heaps, which hold strings of variable length, before HDF5 reads them.

HDF5 (1.14 and before) walks the objects of such a heap without checking that each takes room: one
flipped bit in a size makes it loop for ever. Layout: HDF5 File Format Specification 3.0, III.E.
"""

import mmap
import struct

from npmobilenet.errors import ModelFileError

_SIGNATURE = b"GCOL"
_HEADER = struct.Struct("<4sB3xQ")
_OBJECT = struct.Struct("<HHIQ")
_SMALLEST = 4096  # HDF5 itself refuses smaller collections


def check_global_heaps(image: bytes | mmap.mmap) -> None:
    """Refuse an HDF5 file in which a global heap cannot be walked from end to end.

    Raises
    ------
    ModelFileError
        If an object of a heap takes no room or reaches beyond its heap.
    """
    start = image.find(_SIGNATURE)
    while start >= 0:
        if start + _HEADER.size <= len(image):
            _, version, size = _HEADER.unpack_from(image, start)
            # Anything else is not a heap but values that look like one; HDF5 refuses to use it.
            if version == 1 and _SMALLEST <= size <= len(image) - start:
                _check_objects(image, start, start + size)
        start = image.find(_SIGNATURE, start + 1)


def _check_objects(image: bytes | mmap.mmap, start: int, end: int) -> None:
    position = start + _HEADER.size
    while position + _OBJECT.size <= end:
        index, _, _, size = _OBJECT.unpack_from(image, position)
        # Object 0 is the free room, and its size includes its own header.
        taken = size if index == 0 else _OBJECT.size + (size + 7) // 8 * 8
        if taken < _OBJECT.size or position + taken > end:
            raise ModelFileError(
                f"HDF5 global heap at byte {start}: object {index} claims {size} bytes, "
                f"{end - position} are left"
            )
        position += taken
