"""What is looked at in a zip archive before its members are believed."""

import os
import struct
import zipfile
from typing import BinaryIO

from npmobilenet.errors import ModelFileError
from npmobilenet.formats.limits import MAX_DIRECTORY_BYTES

_END = struct.Struct("<4sHHHHIIH")
_LOCATOR = struct.Struct("<4sIQI")  # of the end record in 64 bits, before the other
_END_64 = struct.Struct("<4sQHHIIQQQQ")


def zip_archive(stream: BinaryIO) -> zipfile.ZipFile:
    """The archive in an open file, if its list of members is no longer than it may be.

    Raises
    ------
    ModelFileError
        If it is, or the archive is cut off.
    zipfile.BadZipFile, and others of zipfile's
        If the archive is damaged.
    """
    _check_directory(stream)
    return zipfile.ZipFile(stream)


def only_member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """The member of this name.

    Raises
    ------
    ModelFileError
        If there is none, or more than one.
    """
    found = [info for info in archive.infolist() if info.filename == name]
    if len(found) != 1:
        raise ModelFileError(f"the archive has {len(found)} members {name!r}, expected one")
    return found[0]


def _check_directory(stream: BinaryIO) -> None:
    """Refuse a list of members that zipfile would read whole, however long it is.

    Layout: PKWARE APPNOTE 6.3.10, 4.3.14 to 4.3.16. Neither Keras nor NumPy adds a comment, so the
    end record is what the file ends with.
    """
    tail = _ending(stream, _LOCATOR.size + _END.size)
    end = tail[-_END.size :]
    if len(end) < _END.size or not end.startswith(b"PK\x05\x06"):
        raise ModelFileError("the archive does not end with a list of its members: cut off?")
    size = _END.unpack(end)[5]
    if tail.startswith(b"PK\x06\x07"):
        place = stream.tell() - len(tail) - _END_64.size
        larger = _ending(stream, len(tail) + _END_64.size)
        if not larger.startswith(b"PK\x06\x06") or _LOCATOR.unpack_from(tail)[2] != place:
            raise ModelFileError("the archive has no end record in 64 bits where it should be")
        size = _END_64.unpack_from(larger)[8]
    if size > MAX_DIRECTORY_BYTES:
        raise ModelFileError(
            f"the list of members has {size} bytes, expected at most {MAX_DIRECTORY_BYTES}"
        )


def _ending(stream: BinaryIO, size: int) -> bytes:
    stream.seek(0, os.SEEK_END)
    stream.seek(max(stream.tell() - size, 0))
    return stream.read(size)
