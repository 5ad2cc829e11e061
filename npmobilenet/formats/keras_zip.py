"""Keras 3's ``.keras``: a zip archive of a configuration and a ``.weights.h5``."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO

from npmobilenet.errors import ModelFileError
from npmobilenet.formats.contents import Contents
from npmobilenet.formats.hdf5 import open_hdf5
from npmobilenet.formats.json_text import parse_object
from npmobilenet.formats.keras_weights_h5 import keras_weights_h5_contents
from npmobilenet.formats.limits import MAX_EXPANSION, MAX_MEMBER_BYTES, MAX_TEXT_BYTES
from npmobilenet.formats.zip_archive import only_member, zip_archive

SIGNATURE = b"PK\x03\x04"

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


@contextmanager
def open_keras_zip(stream: BinaryIO) -> Iterator[Contents]:
    """Configuration and layers of an archive. Only the three members that Keras writes are read."""
    size = stream.seek(0, io.SEEK_END)
    with zip_archive(stream) as archive:
        config = parse_object(_member(archive, size, _CONFIG, MAX_TEXT_BYTES), _CONFIG)
        metadata = parse_object(_member(archive, size, _METADATA, MAX_TEXT_BYTES), _METADATA)
        weights = _member(archive, size, _WEIGHTS, MAX_MEMBER_BYTES)
    version = metadata.get("keras_version")
    with open_hdf5(weights) as file:
        yield replace(
            keras_weights_h5_contents(file),
            format="keras-zip",
            producer=f"keras {version}" if isinstance(version, str) else None,
            config=config,
        )


def _member(archive: zipfile.ZipFile, size: int, name: str, limit: int) -> bytes:
    """The bytes of a member, which must occur once and not claim more than it can hold.

    ``size`` is the archive's: what a member claims to take there decides how far it may unpack.
    """
    info = only_member(archive, name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ModelFileError(f"{name!r} is packed with zip method {info.compress_type}")
    if info.header_offset + info.compress_size > size:
        raise ModelFileError(f"{name!r} claims {info.compress_size} bytes in a file of {size}")
    if info.file_size > min(limit, MAX_EXPANSION * info.compress_size + (1 << 16)):
        raise ModelFileError(
            f"{name!r} claims {info.file_size} bytes unpacked from {info.compress_size}"
        )
    with archive.open(info) as stream:
        content = stream.read(info.file_size)
    if len(content) != info.file_size:
        raise ModelFileError(f"{name!r} has {len(content)} bytes, expected {info.file_size}")
    return content
