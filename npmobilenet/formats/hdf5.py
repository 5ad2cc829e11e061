"""HDF5 read with care: no links, no foreign files, no filters but gzip, no claim left unchecked.

Every group, attribute and dataset of a model file passes through here. h5py parses the structure;
what it would do without asking (follow links, allocate what a shape claims, inflate without end,
call filter plugins) is checked first or done here instead.
"""

import io
import math
import mmap
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from npmobilenet.errors import ModelFileError
from npmobilenet.formats.contents import RawTensor
from npmobilenet.formats.global_heap import check_global_heaps
from npmobilenet.formats.limits import (
    MAX_CHUNKS,
    MAX_EXPANSION,
    MAX_FILE_BYTES,
    MAX_OBJECTS,
    MAX_TENSOR_BYTES,
    MAX_TEXT_BYTES,
)

if TYPE_CHECKING:
    import h5py

SIGNATURE = b"\x89HDF\r\n\x1a\n"

_CHUNK_SLACK = 1 << 16  # a chunk may be larger than a small file allows


class Hdf5File:
    """An open HDF5 file whose objects can only be reached by hard links inside it."""

    def __init__(self, file: "h5py.File", size: int) -> None:
        self.root: h5py.Group = file
        self.size = size
        self._visited = 0

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

    def texts(self, holder: "h5py.HLObject", name: str) -> list[str] | None:
        """The strings of an attribute; ``None`` if there is none of this name.

        Keras spreads a long list over ``name0``, ``name1``, ...
        """
        if name in holder.attrs:
            return _attribute_texts(holder, name)
        if f"{name}0" not in holder.attrs:
            return None
        found: list[str] = []
        for part in range(MAX_OBJECTS):
            if f"{name}{part}" not in holder.attrs:
                break
            found += _attribute_texts(holder, f"{name}{part}")
        return found

    def text(self, holder: "h5py.HLObject", name: str) -> str | None:
        """The string of an attribute; ``None`` if there is none of this name."""
        found = self.texts(holder, name)
        if found is not None and len(found) != 1:
            raise ModelFileError(f"attribute {name!r} has {len(found)} values, expected one")
        return found[0] if found else None

    def tensor(self, dataset: "h5py.Dataset") -> RawTensor:
        """A dataset as a tensor whose values are read on demand."""
        return RawTensor(
            name=str(dataset.name).lstrip("/"),
            shape=tuple(dataset.shape or ()),
            dtype=_dtype_name(dataset),
            read=lambda: _read(dataset, self.size),
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

        self._visited += 1
        if self._visited > MAX_OBJECTS:
            raise ModelFileError(f"more than {MAX_OBJECTS} objects in the HDF5 file")
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise ModelFileError(
                f"{group.name}/{name} is a {type(link).__name__}; links in model files are refused"
            )
        return group[name]


@contextmanager
def open_hdf5(source: Path | bytes) -> Iterator[Hdf5File]:
    """Open a file, or the bytes of one.

    Raises
    ------
    ModelFileError
        If the file is too large, does not use offsets of 8 bytes, or a heap in it is damaged.
    OSError
        If HDF5 cannot open it.
    """
    import h5py

    if isinstance(source, bytes):
        _check_image(source)
        with h5py.File(io.BytesIO(source), "r") as file:
            yield Hdf5File(file, len(source))
        return
    size = source.stat().st_size
    if size > MAX_FILE_BYTES:
        raise ModelFileError(f"HDF5 file of {size} bytes; at most {MAX_FILE_BYTES} are read")
    with (
        source.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as image,
    ):
        _check_image(image)
    # Readers need no lock, and shared folders often cannot give one.
    with h5py.File(source, "r", locking=False) as file:
        yield Hdf5File(file, size)


def _check_image(image: bytes | mmap.mmap) -> None:
    header = image[:16]
    if not header.startswith(SIGNATURE) or len(header) < 16:
        raise ModelFileError("not an HDF5 file: wrong signature")
    # Sizes of offsets and lengths stand at bytes 13 and 14 before version 2 of the superblock.
    first = 13 if header[8] < 2 else 9
    if header[first] != 8 or (first == 13 and header[14] != 8) or (first == 9 and header[10] != 8):
        raise ModelFileError("HDF5 file whose offsets do not have 8 bytes")
    check_global_heaps(image)


def _attribute_texts(holder: "h5py.HLObject", name: str) -> list[str]:
    import h5py

    attribute = holder.attrs.get_id(name)
    kind = attribute.get_type()
    values = attribute.get_space().get_simple_extent_npoints()
    where = f"attribute {name!r} of {holder.name!r}"
    if not isinstance(kind, h5py.h5t.TypeStringID):
        # Keras writes an empty list of names as an empty array of floats.
        if values == 0:
            return []
        raise ModelFileError(f"{where} is not text")
    if values > MAX_OBJECTS or values * kind.get_size() > MAX_TEXT_BYTES:
        raise ModelFileError(f"{where} claims {values} strings of {kind.get_size()} bytes")
    found = np.atleast_1d(np.asarray(holder.attrs[name], dtype=object))
    return [text.decode() if isinstance(text, bytes) else str(text) for text in found.ravel()]


def _dtype_name(dataset: "h5py.Dataset") -> str:
    import h5py

    kind = dataset.id.get_type()
    floats = {
        "float16": (h5py.h5t.IEEE_F16LE, h5py.h5t.IEEE_F16BE),
        "float32": (h5py.h5t.IEEE_F32LE, h5py.h5t.IEEE_F32BE),
        "float64": (h5py.h5t.IEEE_F64LE, h5py.h5t.IEEE_F64BE),
    }
    for name, variants in floats.items():
        if any(kind.equal(variant) for variant in variants):
            return name
    if isinstance(kind, h5py.h5t.TypeIntegerID):
        signed = kind.get_sign() == h5py.h5t.SGN_2
        return f"{'int' if signed else 'uint'}{8 * kind.get_size()}"
    return type(kind).__name__.removeprefix("Type").removesuffix("ID").lower()


def _read(dataset: "h5py.Dataset", file_size: int) -> np.ndarray:
    """The values of a dataset, once its claims have been compared with what the file holds."""
    import h5py

    plist = dataset.id.get_create_plist()
    layout = plist.get_layout()
    if plist.get_external_count() or layout == h5py.h5d.VIRTUAL:
        raise ModelFileError(f"tensor {dataset.name!r} is kept in another file; that is refused")
    shape = dataset.shape or ()
    claimed = math.prod(shape) * dataset.id.get_type().get_size()
    if claimed > min(MAX_TENSOR_BYTES, MAX_EXPANSION * file_size):
        raise ModelFileError(
            f"tensor {dataset.name!r} claims shape {shape}, {claimed} bytes, in a file of "
            f"{file_size} bytes"
        )
    if layout == h5py.h5d.CHUNKED:
        return _read_chunks(dataset, plist, file_size)
    stored = dataset.id.get_storage_size()
    offset = dataset.id.get_offset() if layout == h5py.h5d.CONTIGUOUS else 0
    if stored != claimed or (claimed and (offset is None or offset + claimed > file_size)):
        raise ModelFileError(
            f"tensor {dataset.name!r} claims shape {shape}, {claimed} bytes; {stored} are stored"
        )
    return np.asarray(dataset[()])


def _read_chunks(dataset: "h5py.Dataset", plist: "h5py.h5p.PropDCID", file_size: int) -> np.ndarray:
    """A chunked dataset, unpacked here: HDF5 would inflate a chunk to whatever size it takes."""
    filters = _filters(dataset, plist)
    dtype, shape, chunk = dataset.dtype, dataset.shape, dataset.chunks
    chunk_bytes = math.prod(chunk) * dtype.itemsize
    grid = [range(0, size, step) for size, step in zip(shape, chunk, strict=True)]
    if math.prod(len(axis) for axis in grid) > MAX_CHUNKS:
        raise ModelFileError(f"tensor {dataset.name!r} has more than {MAX_CHUNKS} chunks")
    if chunk_bytes > MAX_EXPANSION * file_size + _CHUNK_SLACK:
        raise ModelFileError(f"tensor {dataset.name!r} has chunks of {chunk_bytes} bytes")
    values = np.empty(shape, dtype)
    for corner in product(*grid):
        info = dataset.id.get_chunk_info_by_coord(corner)
        if info.byte_offset is None or info.byte_offset + info.size > file_size:
            raise ModelFileError(f"tensor {dataset.name!r} lacks the chunk at {corner}")
        skipped, packed = dataset.id.read_direct_chunk(corner)
        used = [step for bit, step in enumerate(filters) if not skipped >> bit & 1]
        raw = _unpack(packed, used, dtype.itemsize, chunk_bytes)
        if len(raw) != chunk_bytes:
            raise ModelFileError(
                f"tensor {dataset.name!r}: the chunk at {corner} has {len(raw)} bytes, expected "
                f"{chunk_bytes}"
            )
        block = np.frombuffer(raw, dtype).reshape(chunk)
        room = tuple(
            slice(first, min(first + step, size))
            for first, step, size in zip(corner, chunk, shape, strict=True)
        )
        values[room] = block[tuple(slice(axis.stop - axis.start) for axis in room)]
    return values


def _filters(dataset: "h5py.Dataset", plist: "h5py.h5p.PropDCID") -> list[int]:
    import h5py

    known = (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32)
    codes = [plist.get_filter(index)[0] for index in range(plist.get_nfilters())]
    for code in codes:
        if code not in known:
            raise ModelFileError(
                f"tensor {dataset.name!r} is packed with HDF5 filter {code}; only gzip, shuffle "
                "and fletcher32 are read"
            )
    return codes


def _unpack(packed: bytes, filters: list[int], itemsize: int, size: int) -> bytes:
    """Undo the filters, last one first; never more than ``size`` bytes are inflated."""
    import h5py

    for code in reversed(filters):
        if code == h5py.h5z.FILTER_DEFLATE:
            # Room for the checksum that fletcher32 may have put behind the values.
            packed = zlib.decompressobj().decompress(packed, size + 4)
        elif code == h5py.h5z.FILTER_FLETCHER32:
            packed = packed[:-4]
        else:
            shuffled = np.frombuffer(packed, np.uint8)
            packed = shuffled.reshape(itemsize, -1).T.tobytes()
    return packed
