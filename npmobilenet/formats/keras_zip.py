"""Keras 3's ``.keras``: a zip archive of a configuration and a ``.weights.h5``."""

import os
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from npmobilenet.errors import ModelFileError
from npmobilenet.formats.contents import Contents
from npmobilenet.formats.hdf5 import open_hdf5
from npmobilenet.formats.json_text import parse_object
from npmobilenet.formats.keras_weights_h5 import keras_weights_h5_contents
from npmobilenet.formats.limits import (
    MAX_DIRECTORY_BYTES,
    MAX_EXPANSION,
    MAX_MEMBER_BYTES,
    MAX_TEXT_BYTES,
)

SIGNATURE = b"PK\x03\x04"

_END = struct.Struct("<4sHHHHIIH")
_LOCATOR_BYTES = 20  # of the 64-bit extension, before the end record

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


@contextmanager
def open_keras_zip(path: Path) -> Iterator[Contents]:
    """Configuration and layers of an archive. Only the three members that Keras writes are read."""
    _check_directory(path)
    with zipfile.ZipFile(path) as archive:
        config = parse_object(_member(archive, _CONFIG, MAX_TEXT_BYTES), _CONFIG)
        metadata = parse_object(_member(archive, _METADATA, MAX_TEXT_BYTES), _METADATA)
        weights = _member(archive, _WEIGHTS, MAX_MEMBER_BYTES)
    version = metadata.get("keras_version")
    with open_hdf5(weights) as file:
        yield replace(
            keras_weights_h5_contents(file),
            format="keras-zip",
            producer=f"keras {version}" if isinstance(version, str) else None,
            config=config,
        )


def _check_directory(path: Path) -> None:
    """Refuse an archive whose list of members is too long, which zipfile would read whole.

    Layout: PKWARE APPNOTE 6.3.10, 4.3.15 and 4.3.16. Keras adds no comment, so the end record is
    what the file ends with.
    """
    with path.open("rb") as stream:
        stream.seek(0, os.SEEK_END)
        stream.seek(max(stream.tell() - _LOCATOR_BYTES - _END.size, 0))
        tail = stream.read()
    end = tail[-_END.size :]
    if len(end) < _END.size or not end.startswith(b"PK\x05\x06"):
        raise ModelFileError("the archive does not end with a list of its members: cut off?")
    _, _, _, _, _, size, _, _ = _END.unpack(end)
    if size > MAX_DIRECTORY_BYTES or tail.startswith(b"PK\x06\x07"):
        raise ModelFileError(f"the list of members has {size} bytes or is of 64 bits")


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """The bytes of a member, which must occur once and not claim more than it can hold."""
    found = [info for info in archive.infolist() if info.filename == name]
    if len(found) != 1:
        raise ModelFileError(f"the archive has {len(found)} members {name!r}, expected one")
    (info,) = found
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ModelFileError(f"{name!r} is packed with zip method {info.compress_type}")
    if info.file_size > min(limit, MAX_EXPANSION * info.compress_size + (1 << 16)):
        raise ModelFileError(
            f"{name!r} claims {info.file_size} bytes unpacked from {info.compress_size}"
        )
    with archive.open(info) as stream:
        content = stream.read(info.file_size)
    if len(content) != info.file_size:
        raise ModelFileError(f"{name!r} has {len(content)} bytes, expected {info.file_size}")
    return content
