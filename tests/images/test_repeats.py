"""Files of a few kilobytes that would keep a decoder for minutes."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from npmobilenet.errors import ImageError
from npmobilenet.images import decode_image, repeats


def progressive_jpeg(times):
    """A progressive JPEG whose last scan is there several times over; decoders take each."""
    stream = io.BytesIO()
    Image.new("L", (40, 30), 90).save(stream, "JPEG", progressive=True)
    content = stream.getvalue()
    begin = content.rindex(b"\xff\xda")
    return content[:begin] + content[begin:-2] * times + content[-2:]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with_profiles(times):
    stream = io.BytesIO()
    Image.new("L", (40, 30), 90).save(stream, "PNG")
    content = stream.getvalue()
    profile = chunk(b"iCCP", b"a\0\0" + zlib.compress(b"not read"))
    return content[:33] + profile * times + content[33:]


@pytest.mark.parametrize("make", [progressive_jpeg, png_with_profiles])
def test_many_are_refused_before_anything_is_decoded(make, monkeypatch, tmp_path):
    for times in (1, 100):
        np.testing.assert_array_equal(decode_image(make(times)), decode_image(make(1)))
    monkeypatch.setattr("PIL.Image.open", lambda *_, **__: pytest.fail("Pillow was asked"))
    path = tmp_path / "many"
    path.write_bytes(make(1000))
    for source in (make(1000), path, io.BytesIO(make(1000)), Pipe(make(1000))):
        with pytest.raises(ImageError, match=r"found 1,0\d\d (scans|colour profiles)"):
            decode_image(source)


class Pipe(io.RawIOBase):
    """A file that can only be read on."""

    def __init__(self, content):
        self._stream = io.BytesIO(content)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._stream.readinto(buffer)


def test_a_file_that_cannot_be_wound_back_is_read():
    content = progressive_jpeg(1)
    np.testing.assert_array_equal(decode_image(Pipe(content)), decode_image(content))


def test_markers_across_two_reads_count(monkeypatch):
    content = progressive_jpeg(1000)
    found = []
    for size in (3, 5, 1 << 20):
        monkeypatch.setattr(repeats, "_CHUNK_BYTES", size)
        with pytest.raises(ImageError) as caught:
            repeats.check_repeats(io.BytesIO(content), "picture")
        found.append(str(caught.value))
    assert len(set(found)) == 1
