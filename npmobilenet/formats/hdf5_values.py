"""The values of HDF5 datasets, once their claims have been compared with what the file holds."""

import math
import zlib
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from npmobilenet.errors import ModelFileError
from npmobilenet.formats.bfloat16 import widened
from npmobilenet.formats.budget import Budget
from npmobilenet.formats.limits import MAX_CHUNKS, MAX_EXPANSION, MAX_TENSOR_BYTES
from npmobilenet.formats.messages import shown

if TYPE_CHECKING:
    import h5py

_CHUNK_SLACK = 1 << 16  # a chunk may be larger than a small file allows


def dtype_name(dataset: "h5py.Dataset") -> str:
    """As NumPy calls it, or what the file has instead."""
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
    if isinstance(kind, h5py.h5t.TypeOpaqueID) and kind.get_size() == 2:
        return "bfloat16"  # as Keras writes it
    return type(kind).__name__.removeprefix("Type").removesuffix("ID").lower()


class ValueReader:
    """Reads the datasets of one file, and counts what that takes.

    Parameters
    ----------
    size : int
        Bytes of the file.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._most = min(MAX_TENSOR_BYTES, MAX_EXPANSION * size)
        self._chunks = Budget("chunks of tensors in the HDF5 file", MAX_CHUNKS)
        self._packed = Budget("bytes of chunks, all that the HDF5 file has", size)
        self._unpacked = Budget("bytes of unpacked chunks", self._most + _CHUNK_SLACK)

    def read(self, dataset: "h5py.Dataset") -> np.ndarray:
        """All values of a dataset.

        Raises
        ------
        ModelFileError
            If it claims more than the file can hold, or what it claims is not there.
        """
        values = self._read(dataset)
        return widened(values) if dtype_name(dataset) == "bfloat16" else values

    def _read(self, dataset: "h5py.Dataset") -> np.ndarray:
        import h5py

        plist = dataset.id.get_create_plist()
        layout = plist.get_layout()
        name = shown(dataset.name)
        if plist.get_external_count() or layout == h5py.h5d.VIRTUAL:
            raise ModelFileError(f"tensor {name} is kept in another file; that is refused")
        shape = dataset.shape or ()
        claimed = math.prod(shape) * dataset.id.get_type().get_size()
        if claimed > self._most:
            raise ModelFileError(
                f"tensor {name} claims shape {shown(shape)}, {claimed} bytes, in a file of "
                f"{self.size} bytes"
            )
        if layout == h5py.h5d.CHUNKED:
            return self._read_chunks(dataset, plist)
        stored = dataset.id.get_storage_size()
        offset = dataset.id.get_offset() if layout == h5py.h5d.CONTIGUOUS else 0
        if stored != claimed or (claimed and (offset is None or offset + claimed > self.size)):
            raise ModelFileError(
                f"tensor {name} claims shape {shown(shape)}, {claimed} bytes; {stored} are stored"
            )
        return np.asarray(dataset[()])

    def _read_chunks(self, dataset: "h5py.Dataset", plist: "h5py.h5p.PropDCID") -> np.ndarray:
        """A chunked dataset, unpacked here: HDF5 would inflate a chunk to whatever it takes."""
        name = shown(dataset.name)
        filters = _filters(dataset, plist)
        dtype, shape, chunk = dataset.dtype, dataset.shape, dataset.chunks
        chunk_bytes = math.prod(chunk) * dtype.itemsize
        grid = [range(0, size, step) for size, step in zip(shape, chunk, strict=True)]
        count = math.prod(len(axis) for axis in grid)
        self._chunks.spend(count)
        # Chunks reach beyond the last value, and one that many share is there once.
        self._unpacked.spend(count * chunk_bytes)
        sizes = _stored_chunks(dataset, count)
        self._packed.spend(sum(sizes.values()))
        values = np.empty(shape, dtype)
        for corner in product(*grid):
            if corner not in sizes:
                raise ModelFileError(f"tensor {name} lacks the chunk at {corner}")
            skipped, packed = dataset.id.read_direct_chunk(corner)
            used = [step for bit, step in enumerate(filters) if not skipped >> bit & 1]
            raw = _unpack(packed, used, dtype.itemsize, chunk_bytes)
            if len(raw) != chunk_bytes:
                raise ModelFileError(
                    f"tensor {name}: the chunk at {corner} has {len(raw)} bytes, expected "
                    f"{chunk_bytes}"
                )
            block = np.frombuffer(raw, dtype).reshape(chunk)
            room = tuple(
                slice(first, min(first + step, size))
                for first, step, size in zip(corner, chunk, shape, strict=True)
            )
            values[room] = block[tuple(slice(axis.stop - axis.start) for axis in room)]
        return values


def _stored_chunks(dataset: "h5py.Dataset", count: int) -> dict[tuple[int, ...], int]:
    """Bytes of each chunk that is stored, by its corner, in one pass over the index.

    HDF5 goes through the index from the beginning for every chunk that it is asked about.
    """
    sizes: dict[tuple[int, ...], int] = {}
    seen = 0

    def collect(chunk: "h5py.h5d.StoreInfo") -> bool | None:
        nonlocal seen
        seen += 1
        if chunk.byte_offset is not None:
            sizes[chunk.chunk_offset] = chunk.size
        return True if seen > count else None

    dataset.id.chunk_iter(collect)
    if seen > count:
        raise ModelFileError(
            f"tensor {shown(dataset.name)} has more than the {count} chunks of its shape"
        )
    return sizes


def _filters(dataset: "h5py.Dataset", plist: "h5py.h5p.PropDCID") -> list[int]:
    import h5py

    known = (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32)
    codes = [plist.get_filter(index)[0] for index in range(plist.get_nfilters())]
    for code in codes:
        if code not in known or codes.count(code) > 1:
            raise ModelFileError(
                f"tensor {shown(dataset.name)} is packed with HDF5 filter {code}; only gzip, "
                "shuffle and fletcher32 are read, each once"
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
