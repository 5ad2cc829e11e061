"""HDF5 read with care: no links, no foreign files, no filters but gzip, no claim left unchecked.

Every group, attribute and dataset of a model file passes through here. h5py parses the structure;
what it would do without asking (follow links, allocate what a shape claims, inflate without end,
call filter plugins, walk the same bytes again and again) is checked first, done elsewhere
(:mod:`npmobilenet.formats.hdf5_values`), or counted.
"""

import io
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from npmobilenet.errors import ModelFileError
from npmobilenet.formats.budget import Budget
from npmobilenet.formats.contents import RawTensor
from npmobilenet.formats.global_heap import HeapSizes, check_global_heaps
from npmobilenet.formats.hdf5_values import ValueReader, dtype_name
from npmobilenet.formats.limits import (
    MAX_ALIASED_BYTES,
    MAX_ALL_TEXT_BYTES,
    MAX_FILE_BYTES,
    MAX_HEADER_BYTES,
    MAX_HEAP_BYTES,
    MAX_OBJECTS,
    MAX_PARTS,
    MAX_TEXT_BYTES,
)
from npmobilenet.formats.messages import shown

if TYPE_CHECKING:
    import h5py

SIGNATURE = b"\x89HDF\r\n\x1a\n"


class Hdf5File:
    """An open HDF5 file whose objects can only be reached by hard links inside it."""

    def __init__(self, file: "h5py.File", size: int, heaps: HeapSizes) -> None:
        self.root: h5py.Group = file
        self.size = size
        self._heaps = heaps
        self._values = ValueReader(size)
        self._objects = Budget("objects in the HDF5 file", MAX_OBJECTS)
        self._headers = Budget("bytes of headers in the HDF5 file", MAX_HEADER_BYTES)
        self._text = Budget("bytes of text in the HDF5 file", MAX_ALL_TEXT_BYTES)
        self._heap_bytes = Budget("bytes of heaps in the HDF5 file", MAX_HEAP_BYTES)

    def group(self, parent: "h5py.Group", name: str) -> "h5py.Group | None":
        """The group of this name (which may hold ``/``), or ``None``."""
        import h5py

        found = self._lookup(parent, name)
        return found if isinstance(found, h5py.Group) else None

    def dataset(self, parent: "h5py.Group", name: str) -> "h5py.Dataset | None":
        """The dataset of this name (which may hold ``/``), or ``None``."""
        import h5py

        found = self._lookup(parent, name)
        return found if isinstance(found, h5py.Dataset) else None

    def names(self, group: "h5py.Group") -> list[str]:
        """What a group holds, sorted."""
        import h5py

        found: list[bytes] = []
        length = 0

        def collect(name: bytes) -> bool | None:
            nonlocal length
            found.append(name)
            length += len(name)
            return True if len(found) > MAX_OBJECTS or length > MAX_ALL_TEXT_BYTES else None

        # In the file's own order, for which HDF5 makes no list of all names first.
        group.id.links.iterate(collect, order=h5py.h5.ITER_NATIVE)
        if len(found) > MAX_OBJECTS:
            raise ModelFileError(f"group {shown(group.name)} has more than {MAX_OBJECTS} members")
        self._text.spend(length)
        return sorted(name.decode() for name in found)

    def texts(self, holder: "h5py.HLObject", name: str) -> list[str] | None:
        """The strings of an attribute; ``None`` if there is none of this name.

        Keras spreads a long list over ``name0``, ``name1``, ...
        """
        if name in holder.attrs:
            return self._attribute_texts(holder, name)
        if f"{name}0" not in holder.attrs:
            return None
        found: list[str] = []
        for part in range(MAX_PARTS + 1):
            if f"{name}{part}" not in holder.attrs:
                return found
            found += self._attribute_texts(holder, f"{name}{part}")
        raise ModelFileError(f"attribute {shown(name)} has more than {MAX_PARTS} parts")

    def text(self, holder: "h5py.HLObject", name: str) -> str | None:
        """The string of an attribute; ``None`` if there is none of this name."""
        found = self.texts(holder, name)
        if found is not None and len(found) != 1:
            raise ModelFileError(f"attribute {shown(name)} has {len(found)} values, expected one")
        return found[0] if found else None

    def tensor(self, dataset: "h5py.Dataset") -> RawTensor:
        """A dataset as a tensor whose values are read on demand."""
        return RawTensor(
            name=str(dataset.name).lstrip("/"),
            shape=tuple(dataset.shape or ()),
            dtype=dtype_name(dataset),
            read=lambda: self._values.read(dataset),
        )

    def _lookup(self, parent: "h5py.Group", name: str) -> Any:
        import h5py

        found: Any = parent
        for part in name.split("/"):
            if not isinstance(found, h5py.Group) or not part or part not in found:
                return None
            found = self._child(found, part)
        return found

    def _child(self, group: "h5py.Group", name: str) -> Any:
        import h5py

        self._objects.spend()
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise ModelFileError(
                f"{shown(group.name)}/{shown(name)} is a {type(link).__name__}; links in model "
                "files are refused"
            )
        found = group[name]
        self._headers.spend(h5py.h5o.get_info(found.id).hdr.space.total)
        return found

    def _attribute_texts(self, holder: "h5py.HLObject", name: str) -> list[str]:
        import h5py

        attribute = holder.attrs.get_id(name)
        kind = attribute.get_type()
        values = attribute.get_space().get_simple_extent_npoints()
        where = f"attribute {shown(name)} of {shown(holder.name)}"
        if not isinstance(kind, h5py.h5t.TypeStringID):
            # Keras writes an empty list of names as an empty array of floats.
            if values == 0:
                return []
            raise ModelFileError(f"{where} is not text")
        # The strings of an array may all be the same one.
        longest = self._heaps.longest if kind.is_variable_str() else kind.get_size()
        most = MAX_TEXT_BYTES if values == 1 else MAX_ALIASED_BYTES
        if values > MAX_OBJECTS or values * longest > most:
            raise ModelFileError(f"{where} claims {values} strings of up to {longest} bytes")
        if kind.is_variable_str():
            self._heap_bytes.spend(values * self._heaps.largest)
        found = np.atleast_1d(np.asarray(holder.attrs[name], dtype=object))
        texts = [text.decode() if isinstance(text, bytes) else str(text) for text in found.ravel()]
        self._text.spend(sum(len(text) for text in texts))
        return texts


@contextmanager
def open_hdf5(source: BinaryIO | bytes) -> Iterator[Hdf5File]:
    """Open an open file, or the bytes of one.

    Raises
    ------
    ModelFileError
        If the file is too large, does not use offsets of 8 bytes, or a heap in it is damaged.
    OSError
        If HDF5 cannot open it.
    """
    import h5py

    if isinstance(source, bytes):
        heaps = _check_image(source)
        with h5py.File(io.BytesIO(source), "r") as file:
            yield Hdf5File(file, len(source), heaps)
        return
    size = source.seek(0, io.SEEK_END)
    if size > MAX_FILE_BYTES:
        raise ModelFileError(f"HDF5 file of {size} bytes; at most {MAX_FILE_BYTES} are read")
    with mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as image:
        heaps = _check_image(image)
    # The stream, not the path: what has been looked at is what is read.
    with h5py.File(source, "r") as file:
        yield Hdf5File(file, size, heaps)


def _check_image(image: bytes | mmap.mmap) -> HeapSizes:
    header = image[:16]
    if not header.startswith(SIGNATURE) or len(header) < 16:
        raise ModelFileError("not an HDF5 file: wrong signature")
    # Sizes of offsets and lengths stand at bytes 13 and 14 before version 2 of the superblock.
    first = 13 if header[8] < 2 else 9
    if header[first] != 8 or (first == 13 and header[14] != 8) or (first == 9 and header[10] != 8):
        raise ModelFileError("HDF5 file whose offsets do not have 8 bytes")
    return check_global_heaps(image)
