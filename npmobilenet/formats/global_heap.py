"""A check of HDF5 global heaps, which hold strings of variable length, before HDF5 reads them.

HDF5 (1.14 and before) walks the objects of such a heap without checking that each takes room: one
flipped bit in a size makes it loop for ever. Layout: HDF5 File Format Specification 3.0, III.E.
"""

import mmap
import struct
from dataclasses import dataclass

from npmobilenet.errors import ModelFileError
from npmobilenet.formats.budget import Budget
from npmobilenet.formats.limits import MAX_HEAP_OBJECTS

_SIGNATURE = b"GCOL"
_HEADER = struct.Struct("<4sB3xQ")
_OBJECT = struct.Struct("<HHIQ")
_SMALLEST = 4096  # HDF5 itself refuses smaller collections


@dataclass(frozen=True)
class HeapSizes:
    """What reading a string of variable length may take.

    Parameters
    ----------
    longest : int
        Bytes of the longest object in any heap of the file.
    largest : int
        Bytes of the largest heap.
    """

    longest: int
    largest: int


def check_global_heaps(image: bytes | mmap.mmap) -> HeapSizes:
    """Refuse an HDF5 file in which a global heap cannot be walked from end to end.

    Each byte is walked once, because heaps that overlap are refused.

    Raises
    ------
    ModelFileError
        If an object of a heap takes no room or reaches beyond its heap, heaps overlap, or there
        are too many objects.
    """
    budget = Budget("strings in the HDF5 file's global heaps", MAX_HEAP_OBJECTS)
    longest = largest = end = 0
    start = image.find(_SIGNATURE)
    while start >= 0:
        size = _size(image, start)
        if size is not None:
            if start < end:
                raise ModelFileError(f"HDF5 global heap at byte {start} begins inside another one")
            end = start + size
            largest = max(largest, size)
            longest = max(longest, _longest_object(image, start, end, budget))
        start = image.find(_SIGNATURE, start + 1)
    return HeapSizes(longest, largest)


def _size(image: bytes | mmap.mmap, start: int) -> int | None:
    """Bytes of the heap here; ``None`` if these are values that look like the signature of one."""
    if start + _HEADER.size > len(image):
        return None
    _, version, size = _HEADER.unpack_from(image, start)
    # HDF5 refuses to use any other as a heap.
    return size if version == 1 and _SMALLEST <= size <= len(image) - start else None


def _longest_object(image: bytes | mmap.mmap, start: int, end: int, budget: Budget) -> int:
    position = start + _HEADER.size
    longest = 0
    while position + _OBJECT.size <= end:
        budget.spend()
        index, _, _, size = _OBJECT.unpack_from(image, position)
        # Object 0 is the free room, and its size includes its own header.
        taken = size if index == 0 else _OBJECT.size + (size + 7) // 8 * 8
        if taken < _OBJECT.size or position + taken > end:
            raise ModelFileError(
                f"HDF5 global heap at byte {start}: object {index} claims {size} bytes, "
                f"{end - position} are left"
            )
        if index:
            longest = max(longest, size)
        position += taken
    return longest
