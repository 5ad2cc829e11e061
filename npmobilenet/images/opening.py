"""Opening a picture with Pillow: which formats, how large, and one error for all that fails."""

import io
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from os import PathLike
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from npmobilenet.errors import ImageError, ImageTooLargeError
from npmobilenet.files import NotAFileError, check_pointer, open_file
from npmobilenet.images.quiet import quiet_pillow
from npmobilenet.images.repeats import check_repeats

FORMATS = ("JPEG", "MPO", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "AVIF", "JPEG2000")
"""What is read. Pillow knows more, among them formats that start other programs (EPS)."""

MAX_PIXELS = 64_000_000
"""Largest picture by default: decoding takes up to 12 bytes a pixel, so this stays below 1 GiB."""


@contextmanager
def image_errors(name: str) -> Iterator[None]:
    """Any failure of Pillow's as an ImageError that names the picture; no warnings."""
    try:
        with quiet_pillow:
            yield
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError(f"{name}: found no such file, expected a picture") from None
    except IsADirectoryError:
        raise ImageError(f"{name}: found a folder, expected a picture") from None
    except NotAFileError as error:
        raise ImageError(f"{name}: {error.strerror}") from None
    except UnidentifiedImageError:
        raise ImageError(
            f"{name}: found no picture in it, expected one of {', '.join(FORMATS)}"
        ) from None
    except Image.DecompressionBombError as error:
        raise ImageTooLargeError(f"{name}: too large a picture ({error})") from None
    # Pillow's readers raise whatever a damaged file drives them to: OSError, SyntaxError,
    # struct.error, IndexError, MemoryError, ...
    except Exception as error:
        raise ImageError(
            f"{name}: cannot be decoded, expected a whole picture, found: "
            f"{str(error) or type(error).__name__}"
        ) from error


def open_image(
    source: str | PathLike[str] | bytes | BinaryIO, name: str, max_pixels: int
) -> Image.Image:
    """The picture at a path, in bytes or in an open binary file, fully decoded.

    Of an animation, the first frame. The mode is the file's own; EXIF orientation is not applied.

    Raises
    ------
    ImageError
        If there is none, it is damaged, or has more than ``max_pixels`` pixels.
    """
    with image_errors(name):
        Image.init()
        formats = [kind for kind in FORMATS if kind in Image.OPEN]  # Pillow may lack a codec
        with _stream(source) as stream:
            check_repeats(stream, name)
            image = Image.open(stream, formats=formats)
            check_size(image, name, max_pixels)
            image.load()
        return image


def check_size(image: Image.Image, name: str, max_pixels: int) -> None:
    """Refuse a picture of too many pixels before they are decoded."""
    width, height = image.size
    if width * height > max_pixels:
        raise ImageTooLargeError(
            f"{name}: found {width} x {height} = {width * height:,} pixels, expected at most "
            f"max_pixels = {max_pixels:,}"
        )


def _stream(source: str | PathLike[str] | bytes | BinaryIO) -> AbstractContextManager[BinaryIO]:
    if isinstance(source, (str, PathLike)):
        return open_file(source)
    if isinstance(source, bytes):
        check_pointer(source[:64], "")
        return io.BytesIO(source)
    if hasattr(source, "seekable") and source.seekable():
        return nullcontext(source)  # opened by the caller, who closes it
    return io.BytesIO(source.read())
