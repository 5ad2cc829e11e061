"""What `decode_image` makes of each kind of picture, and of what is none."""

import io
import struct
import threading
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from npmobilenet.errors import ImageError
from npmobilenet.images import decode_image

UPRIGHT = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.transpose(1, 0, 2),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: np.rot90(x, 2).transpose(1, 0, 2),
    8: np.rot90,
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_every_format_from_every_source(tmp_path, files, picture, kind):
    path = tmp_path / f"picture.{kind.lower()}"
    path.write_bytes(files[kind])
    opened = Image.open(io.BytesIO(files[kind]))
    expected = np.asarray(opened.convert("RGB"))
    if kind in ("PNG", "BMP", "TIFF", "WEBP"):
        np.testing.assert_array_equal(expected, picture)
    for source in (path, str(path), files[kind], io.BytesIO(files[kind]), opened):
        found = decode_image(source)
        assert found.dtype == np.uint8
        assert found.flags.writeable
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_exif_orientation(picture, encode, kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(Image.fromarray(picture), kind, exif=exif, lossless=True)
    np.testing.assert_array_equal(decode_image(data), UPRIGHT[orientation](picture))


def test_nonsense_orientation_is_ignored(picture, encode):
    exif = Image.Exif()
    exif[0x0112] = 77
    data = encode(Image.fromarray(picture), "PNG", exif=exif)
    np.testing.assert_array_equal(decode_image(data), picture)


def test_grey_palette_and_bilevel(picture, encode):
    for mode in ("1", "L", "P"):
        image = Image.fromarray(picture).convert(mode)
        np.testing.assert_array_equal(
            decode_image(encode(image, "PNG")), np.asarray(image.convert("RGB"))
        )


def test_alpha_is_dropped_not_blended(picture, encode):
    alpha = np.full(picture.shape[:2], 40, np.uint8)
    data = encode(Image.fromarray(np.dstack([picture, alpha])), "PNG")
    np.testing.assert_array_equal(decode_image(data), picture)
    grey = Image.fromarray(picture[..., 0])
    grey.putalpha(Image.fromarray(alpha))
    found = decode_image(encode(grey, "PNG"))
    np.testing.assert_array_equal(found, np.dstack([picture[..., 0]] * 3))


def test_palette_with_transparency_bytes_does_not_warn(picture, encode):
    image = Image.fromarray(picture).quantize(8)
    data = encode(image, "PNG", transparency=bytes([0, 128, 255, 7]))
    np.testing.assert_array_equal(decode_image(data), np.asarray(image.convert("RGB")))


def test_cmyk(picture, encode):
    image = Image.fromarray(picture).convert("CMYK")
    found = decode_image(encode(image, "TIFF"))
    np.testing.assert_array_equal(found, np.asarray(image.convert("RGB")))
    jpeg = decode_image(encode(image, "JPEG", quality=95))
    assert np.abs(jpeg.astype(int) - picture).mean() < 8


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_not_clipped(encode, kind):
    grey = np.linspace(0, 65535, 40 * 50).astype(np.uint16).reshape(40, 50)
    expected = np.round(grey / 257.0).astype(np.uint8)
    found = decode_image(encode(Image.fromarray(grey), kind))
    np.testing.assert_array_equal(found, np.dstack([expected] * 3))
    np.testing.assert_array_equal(decode_image(grey), found)


def test_pixels_without_an_agreed_range_are_refused(encode):
    with pytest.raises(ImageError, match="floating-point"):
        decode_image(encode(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF"))
    with pytest.raises(ImageError, match="16 bit"):
        decode_image(encode(Image.fromarray(np.full((4, 4), 70000, np.int32)), "TIFF"))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_first_frame_of_an_animation(picture, encode, kind):
    frames = [Image.fromarray(np.full((8, 9, 3), value, np.uint8)) for value in (0, 255, 128)]
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
    np.testing.assert_array_equal(decode_image(data), np.zeros((8, 9, 3), np.uint8))


def test_arrays(picture):
    grey = picture[..., 0]
    rgba = np.dstack([picture, grey])
    np.testing.assert_array_equal(decode_image(picture), picture)
    assert not np.shares_memory(decode_image(picture), picture)
    np.testing.assert_array_equal(decode_image(rgba), picture)
    for array in (grey, grey[..., np.newaxis]):
        np.testing.assert_array_equal(decode_image(array), np.dstack([grey] * 3))


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 3)),
        np.zeros((4, 4, 3), np.int32),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((1, 4, 4, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(array):
    with pytest.raises(ImageError, match="found an array"):
        decode_image(array)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_truncated_files(tmp_path, files, kind):
    path = tmp_path / "half"
    path.write_bytes(files[kind][: len(files[kind]) // 2])
    with pytest.raises(ImageError, match="half: "):
        decode_image(path)


def test_truncated_file_that_the_caller_opened(tmp_path, files):
    path = tmp_path / "half"
    path.write_bytes(files["PNG"][:-400])
    with Image.open(path) as image, pytest.raises(ImageError, match="half: "):
        decode_image(image)


def test_what_is_no_picture(tmp_path):
    empty = tmp_path / "empty.png"
    empty.write_bytes(b"")
    text = tmp_path / "text.jpg"
    text.write_text("not a picture")
    postscript = tmp_path / "picture.eps"
    postscript.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n")
    for path in (empty, text, postscript):
        with pytest.raises(ImageError, match=rf"{path.name}: found no picture"):
            decode_image(path)
    with pytest.raises(ImageError, match=r"absent\.png: found no such file"):
        decode_image(tmp_path / "absent.png")
    with pytest.raises(ImageError, match="found a folder"):
        decode_image(tmp_path)
    with pytest.raises(ImageError, match="found int, expected"):
        decode_image(3)


def test_claims_of_many_pixels_are_refused_before_decoding(files):
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    for side in (10_000, 60_000):  # Pillow itself warns at the first and raises at the second
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
        with pytest.raises(ImageError, match=r"too large|max_pixels"):
            decode_image(bomb)
    with pytest.raises(ImageError, match=r"53 x 37 = 1,961 pixels, expected at most .* 1,960"):
        decode_image(files["PNG"], max_pixels=1960)
    with pytest.raises(ImageError, match="max_pixels"):
        decode_image(Image.new("RGB", (50, 50)), max_pixels=100)
    assert decode_image(files["PNG"], max_pixels=1961).shape == (37, 53, 3)


def test_warning_filters_survive_threads(files):
    before = list(warnings.filters)
    failures = []

    def work() -> None:
        try:
            for _ in range(40):
                decode_image(files["TIFF"])
        except ImageError as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert list(warnings.filters) == before
