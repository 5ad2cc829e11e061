"""Parts of a picture file that cost a decoder much more than their bytes, each time they occur."""

from typing import BinaryIO

from npmobilenet.errors import ImageError

MAX_REPEATS = 128
"""Most scans of a JPEG, or colour profiles of a PNG. Progressive JPEGs have some 10 scans, and
those of previews in the same file count too; a PNG has one profile."""

_COSTLY = {
    b"\xff\xd8": (b"\xff\xda", "scans of a JPEG"),  # each takes the time of all its pixels
    b"\x89P": (b"iCCP", "colour profiles"),  # each is unpacked
}
_CHUNK_BYTES = 1 << 20


def check_repeats(stream: BinaryIO, name: str) -> None:
    """Refuse a file with so many of them that no picture needs them.

    Parameters
    ----------
    stream : binary file
        Looked through from its begin, where Pillow too begins, and left where it was.
    name : str

    Raises
    ------
    ImageError
        If there are more than `MAX_REPEATS`.
    """
    place = stream.tell()
    stream.seek(0)
    chunk = stream.read(_CHUNK_BYTES)
    marker, what = _COSTLY.get(chunk[:2], (b"", ""))
    found, last = 0, b""
    while chunk and marker:
        found += (last + chunk).count(marker)
        last = chunk[1 - len(marker) :]
        chunk = stream.read(_CHUNK_BYTES)
    stream.seek(place)
    if found > MAX_REPEATS:
        raise ImageError(f"{name}: found {found:,} {what}, expected at most {MAX_REPEATS}")
