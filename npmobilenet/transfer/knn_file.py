"""The file of a KNN classifier: an uncompressed ``.npz`` without pickled objects."""

import json
import math
import os
import re
import zipfile
from contextlib import ExitStack
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import IO, BinaryIO

import numpy as np

from npmobilenet.atomic import replacing
from npmobilenet.errors import ModelFileError
from npmobilenet.files import open_file
from npmobilenet.formats.failures import naming_file
from npmobilenet.formats.json_text import parse_object
from npmobilenet.formats.limits import MAX_TEXT_BYTES
from npmobilenet.formats.zip_archive import only_member, zip_archive

FORMAT = "npmobilenet.KNNClassifier/1"

Label = str | int
File = str | PathLike[str] | BinaryIO

# What NumPy writes before an array, in version 1.0 of its format, and no more: its own reader would
# parse any Python literal. See numpy.lib.format, "Format Version 1.0".
_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(
    r"\{'descr': '([^']+)', 'fortran_order': (True|False), 'shape': \(([0-9, ]*)\), \} *\n"
)
_LONGEST_HEADER = 256
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class KNNState:
    """All that a classifier knows.

    Parameters
    ----------
    labels : tuple of str or int
        By class id, those of removed classes included.
    present : tuple of bool
        Which classes there are; one may be there without examples.
    class_ids : ndarray of shape (examples,), int32
    units : ndarray of shape (examples, size), float32
        Of length 1 or 0.
    """

    labels: tuple[Label, ...]
    present: tuple[bool, ...]
    class_ids: np.ndarray
    units: np.ndarray


def write_state(file: File, state: KNNState) -> None:
    """Write a file, whole or not at all, or to an open one.

    Raises
    ------
    ValueError
        If there are so many labels, or so long ones, that `read_state` would not read them.
    OSError
        If the file cannot be written.
    """
    about = json.dumps({"format": FORMAT, "labels": state.labels, "present": state.present})
    if len(about) > MAX_TEXT_BYTES:
        raise ValueError(
            f"the labels take {len(about):,} bytes as JSON; a file has at most {MAX_TEXT_BYTES:,}"
        )
    if isinstance(file, str | PathLike):
        with replacing(file) as temporary, temporary.open("wb") as stream:
            _write(stream, about, state)
    else:
        _write(file, about, state)


def read_state(file: File) -> KNNState:
    """Read a file and check every field; memory stays within a few times the file's size.

    Raises
    ------
    ModelFileError
        With the name of the file, and of the field that is wrong.
    """
    if isinstance(file, str | PathLike):
        path = Path(file)
    else:
        path = Path(str(getattr(file, "name", "examples")))
    with naming_file(path), ExitStack() as stack:
        if isinstance(file, str | PathLike):
            file = stack.enter_context(open_file(path))
        file.seek(0)
        if file.read(2) != b"PK":
            raise ModelFileError("not a file of a KNNClassifier, which is a zip archive")
        archive = stack.enter_context(zip_archive(file))
        return _checked(archive, file.seek(0, os.SEEK_END))


def _write(stream: IO[bytes], about: str, state: KNNState) -> None:
    np.savez(
        stream,
        about=np.frombuffer(about.encode(), np.uint8),
        class_ids=state.class_ids.astype("<i4"),
        units=state.units.astype("<f4", copy=False),
    )


def _checked(archive: zipfile.ZipFile, size: int) -> KNNState:
    labels, present = _about(_array(archive, size, "about", "|u1", 1).tobytes())
    class_ids = _array(archive, size, "class_ids", "<i4", 1).astype(np.int32, copy=False)
    units = _array(archive, size, "units", "<f4", 2).astype(np.float32, copy=False)
    if len(class_ids) != len(units):
        raise ModelFileError(f"class_ids has {len(class_ids)} values, units {len(units)}")
    if len(class_ids) and (class_ids.min() < 0 or class_ids.max() >= len(labels)):
        raise ModelFileError(
            f"class_ids reach from {class_ids.min()} to {class_ids.max()}, "
            f"expected 0 to {len(labels) - 1}"
        )
    if not np.array(present, bool)[class_ids].all():
        raise ModelFileError("class_ids has examples of a class that is not present")
    lengths = np.sqrt(np.einsum("ij,ij->i", units, units, dtype=np.float64))
    if not (np.isclose(lengths, 1, atol=1e-3) | (lengths == 0)).all():
        raise ModelFileError("units holds vectors whose length is neither 1 nor 0")
    return KNNState(labels, present, class_ids, units)


def _about(text: bytes) -> tuple[tuple[Label, ...], tuple[bool, ...]]:
    about = parse_object(text, "about")
    if about.get("format") != FORMAT:
        raise ModelFileError(f"about: expected format {FORMAT!r}")
    labels, present = about.get("labels"), about.get("present")
    if not isinstance(labels, list) or any(type(label) not in (str, int) for label in labels):
        raise ModelFileError("about: labels is not a list of strings and integers")
    if len(set(labels)) != len(labels):
        raise ModelFileError("about: labels has the same label twice")
    if (
        not isinstance(present, list)
        or len(present) != len(labels)
        or any(type(value) is not bool for value in present)
    ):
        raise ModelFileError("about: present is not a list of one true or false for each label")
    return tuple(labels), tuple(present)


def _array(archive: zipfile.ZipFile, size: int, field: str, dtype: str, axes: int) -> np.ndarray:
    """A member, once what it claims has been compared with what the file can hold."""
    info = only_member(archive, f"{field}.npy")
    if info.compress_type != zipfile.ZIP_STORED:
        raise ModelFileError(f"{field} is compressed, which is not how this file is written")
    if info.file_size != info.compress_size or info.file_size > size:
        raise ModelFileError(f"{field} claims {info.file_size} bytes, in a file of {size}")
    with archive.open(info) as stream:
        start = stream.read(len(_MAGIC) + 2)
        length = int.from_bytes(start[-2:], "little")
        if not start.startswith(_MAGIC) or length > _LONGEST_HEADER:
            raise ModelFileError(f"{field} does not begin as an array of NumPy's format 1.0")
        header = _HEADER.fullmatch(stream.read(length).decode("latin-1"))
        if header is None:
            raise ModelFileError(f"{field} has another header than NumPy writes")
        shape = tuple(int(number) for number in re.findall("[0-9]+", header[3]))
        if (header[1], header[2]) != (dtype, "False") or len(shape) != axes:
            raise ModelFileError(
                f"{field}: found {header[1]} of shape {shape}, Fortran order {header[2]}, "
                f"expected {dtype} with {axes} axes in C order"
            )
        claimed = math.prod(shape) * np.dtype(dtype).itemsize
        there = info.file_size - len(start) - length
        if claimed != there:
            raise ModelFileError(f"{field}: shape {shape} needs {claimed} bytes, found {there}")
        return _read_array(stream, shape, dtype)


def _read_array(stream: IO[bytes], shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Read to the end of a member, where zipfile compares its checksum."""
    array = np.empty(shape, dtype)
    content = array.reshape(-1).view(np.uint8)
    filled = 0
    while chunk := stream.read(_CHUNK_BYTES):
        content[filled : filled + len(chunk)] = np.frombuffer(chunk, np.uint8)
        filled += len(chunk)
    if filled != content.size:
        raise ModelFileError(f"an array of {content.size} bytes ends after {filled}")
    return array
