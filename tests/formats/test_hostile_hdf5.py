"""Small HDF5 files that would take for ever, or all memory: the same bytes, many times."""

import json
import resource
import struct
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from npmobilenet.errors import ModelFileError
from npmobilenet.formats import read_model_file
from npmobilenet.formats.global_heap import check_global_heaps
from npmobilenet.formats.limits import MAX_HEAP_OBJECTS
from tests.formats.test_configurations import functional, layer

LONGEST_MESSAGE = 1500  # with the path


def whole_model(path: Path, *names: Any) -> h5py.File:
    """The beginning of a model saved whole, with a list of its layers' names."""
    file = h5py.File(path, "w")
    conv = layer("Conv2D", "conv", "images", filters=4, kernel_size=[1, 1])
    file.attrs["model_config"] = json.dumps(functional(conv))
    group = file.create_group("model_weights")
    group.attrs["layer_names"] = list(names)
    return file


def refused(path: Path) -> str:
    """The message of the refusal, which takes less than 100 MiB more than was ever taken."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelFileError) as failure:
        read_model_file(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10  # KiB
    message = str(failure.value)
    assert message.startswith(str(path))
    assert len(message) < LONGEST_MESSAGE
    return message


def heap(size: int) -> bytes:
    return struct.pack("<4sB3xQ", b"GCOL", 1, size)


def heap_object(index: int, size: int) -> bytes:
    return struct.pack("<HHIQ", index, 1, 0, size)


class TestHeaps:
    """Global heaps, of which HDF5 walks one for each string."""

    def test_heaps_in_heaps(self, tmp_path: Path) -> None:
        """Each object of a heap is the beginning of another one: walking all is quadratic."""
        room = 1 << 20
        starts = range(32, room, 32)
        steps = [heap_object(1, 16) + heap(room - start) for start in starts]
        image = heap(room) + b"".join(steps) + heap_object(0, 16)
        with pytest.raises(ModelFileError, match="global heap at byte 32 begins inside another"):
            check_global_heaps(image)
        path = tmp_path / "model.h5"
        whole_model(path).close()
        path.write_bytes(path.read_bytes() + image)
        assert "begins inside another one" in refused(path)

    def test_heaps_of_nothing_but_objects(self) -> None:
        count = MAX_HEAP_OBJECTS + 1
        image = heap(16 + 16 * count) + heap_object(1, 0) * count
        with pytest.raises(ModelFileError, match=f"more than {MAX_HEAP_OBJECTS} strings"):
            check_global_heaps(image)

    def test_heaps_one_after_the_other_are_sound(self) -> None:
        one = heap(4096) + heap_object(1, 100) + bytes(104) + heap_object(0, 4096 - 136)
        image = bytes(16) + (one + bytes(4096 - len(one))) * 3
        sizes = check_global_heaps(image)
        assert (sizes.longest, sizes.largest) == (100, 4096)


class TestTexts:
    """Strings of attributes."""

    def test_one_string_many_times(self, tmp_path: Path) -> None:
        """3,000 names of a layer that are all the same megabyte."""
        path = tmp_path / "model.h5"
        with whole_model(path, *["x"] * 3000) as file:
            file["model_weights"].attrs["long"] = "y" * (1 << 20)
        content = bytearray(path.read_bytes())
        long = content.index(struct.pack("<I", 1 << 20) + content_address(content))
        reference = bytes(content[long : long + 16])
        changed = 0
        for start in addresses(content):
            short = struct.pack("<IQ", 1, start)
            place = content.find(short)
            while place >= 0:
                content[place : place + 16] = reference
                changed += 1
                place = content.find(short, place + 16)
        assert changed == 3000
        path.write_bytes(content)
        assert "claims 3000 strings of up to 1048576 bytes" in refused(path)

    @pytest.mark.parametrize("size", [60_000_000, 8_000_000, 1_000_000])
    def test_a_long_name_is_not_a_long_message(self, size: int, tmp_path: Path) -> None:
        path = tmp_path / "model.h5"
        with whole_model(path) as file:
            file["model_weights"].attrs["layer_names"] = "x" * size
        message = refused(path)
        known = "claims 1 strings of up to 60000000 bytes" if size > 8 << 20 else "has no group"
        assert known in message

    def test_all_texts_together(self, tmp_path: Path) -> None:
        path = tmp_path / "model.h5"
        with whole_model(path) as file:
            for part in range(8):
                file["model_weights"].attrs[f"layer_names{part}"] = "x" * (5 << 20)
            del file["model_weights"].attrs["layer_names"]
        assert "bytes of text in the HDF5 file" in refused(path)

    def test_lists_in_too_many_parts(self, tmp_path: Path) -> None:
        path = tmp_path / "model.h5"
        with whole_model(path) as file:
            group = file["model_weights"]
            del group.attrs["layer_names"]
            for part in range(300):
                group.attrs[f"layer_names{part}"] = b"x"
        assert "attribute 'layer_names' has more than 256 parts" in refused(path)


def addresses(content: bytes) -> list[int]:
    """Where the global heaps of a file begin."""
    found, start = [], content.find(b"GCOL")
    while start >= 0:
        found.append(start)
        start = content.find(b"GCOL", start + 1)
    return found


def content_address(content: bytes) -> bytes:
    """The address of the heap of the long string, which has one of its own."""
    (start,) = [
        start for start in addresses(content) if content[start + 32 : start + 48] == b"y" * 16
    ]
    return struct.pack("<Q", start)


class TestObjects:
    """Groups, links and their names."""

    def test_one_group_that_every_link_leads_to(self, tmp_path: Path) -> None:
        """Its header of 60 KB is read for each link."""
        path = tmp_path / "model.weights.h5"
        with h5py.File(path, "w") as file:
            layers = file.create_group("layers")
            first = layers.create_group("dense")
            first.attrs["text"] = np.bytes_(b"x" * 60_000)
            for number in range(3000):
                layers[f"dense_{number}"] = first
        assert "bytes of headers in the HDF5 file" in refused(path)

    def test_one_name_of_every_link(self, tmp_path: Path) -> None:
        path = tmp_path / "model.weights.h5"
        with h5py.File(path, "w") as file:
            layers = file.create_group("layers")
            for number in range(2000):
                layers.create_group(f"a{number}")
            layers.create_group("b" * 60_000)
        content = bytearray(path.read_bytes())
        entries = [
            node + 8 + 40 * number
            for node in signatures(content, b"SNOD")
            for count in struct.unpack_from("<H", content, node + 6)
            for number in range(count if count > 1 else 0)  # not the root's
        ]
        place = content.index(b"b" * 60_000)
        (longest,) = [
            place - start
            for header in signatures(content, b"HEAP")
            for size, _, start in [struct.unpack_from("<QQQ", content, header + 8)]
            if start <= place < start + size
        ]
        for entry in entries:
            struct.pack_into("<Q", content, entry, longest)
        path.write_bytes(content)
        assert "bytes of text in the HDF5 file" in refused(path)

    def test_more_members_than_a_model_has(self, tmp_path: Path) -> None:
        path = tmp_path / "model.weights.h5"
        with h5py.File(path, "w", libver="latest") as file:
            variables = file.create_group("layers/dense/vars")
            first = variables.create_dataset("0", data=np.zeros(1, np.float32))
            for number in range(1, 21_000):
                variables[str(number)] = first
        assert "has more than 20000 members" in refused(path)


def signatures(content: bytes, signature: bytes) -> list[int]:
    found, start = [], content.find(signature)
    while start >= 0:
        found.append(start)
        start = content.find(signature, start + 1)
    return found


class TestChunks:
    """Compressed tensors."""

    def conv(self, path: Path, **options: Any) -> h5py.File:
        file = whole_model(path, b"conv")
        group = file.create_group("model_weights/conv")
        group.attrs["weight_names"] = [b"conv/kernel", b"conv/bias"]
        group["conv/bias"] = np.zeros(4, np.float32)
        group.create_dataset("conv/kernel", (1, 1, 3, 4), "f4", **options)
        return file

    def test_chunks_that_share_a_block(self, tmp_path: Path) -> None:
        """Twelve chunks of one value, all packed into the same 60 KB."""
        path = tmp_path / "model.h5"
        with self.conv(path, chunks=(1, 1, 1, 1), compression="gzip") as file:
            kernel = file["model_weights/conv/conv/kernel"].id
            packed = zlib.compress(bytes(4)) + bytes(60_000)
            for row in range(3):
                for column in range(4):
                    kernel.write_direct_chunk((0, 0, row, column), packed if not row + column else
                                              zlib.compress(bytes(4)))  # fmt: skip
            chunks = [kernel.get_chunk_info(number) for number in range(12)]
        content = bytearray(path.read_bytes())
        shared = max(chunks, key=lambda chunk: chunk.size)
        for chunk in chunks:
            place = content.index(struct.pack("<Q", chunk.byte_offset))
            key = place - 8 * 5 - 8  # the offsets of five axes, size and mask
            assert struct.unpack_from("<I", content, key)[0] == chunk.size
            struct.pack_into("<I", content, key, shared.size)
            struct.pack_into("<Q", content, place, shared.byte_offset)
        path.write_bytes(content)
        assert "bytes of chunks, all that the HDF5 file has" in refused(path)

    def test_chunks_much_larger_than_their_tensor(self, tmp_path: Path) -> None:
        path = tmp_path / "model.h5"
        with self.conv(
            path, chunks=(1, 1, 1, 1 << 20), maxshape=(1, 1, 3, None), compression="gzip"
        ) as file:
            file["model_weights/conv/conv/kernel"][...] = 0
        assert "bytes of unpacked chunks" in refused(path)

    def test_filters_upon_filters(self, tmp_path: Path) -> None:
        """Each gzip could inflate a thousand times."""
        path = tmp_path / "model.h5"
        with self.conv(path) as file:
            group = file["model_weights/conv/conv"]
            del group["kernel"]
            plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            plist.set_chunk((1, 1, 3, 4))
            for _ in range(3):
                plist.set_deflate(9)
            space = h5py.h5s.create_simple((1, 1, 3, 4))
            h5py.h5d.create(group.id, b"kernel", h5py.h5t.IEEE_F32LE, space, plist)
            group["kernel"][...] = 0
        assert "is packed with HDF5 filter 1; only gzip" in refused(path)
